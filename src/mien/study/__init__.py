"""Many files into one table: what is done is a fact, and a run that was broken off goes on."""

from mien.study.cells import clip_name
from mien.study.clip_outputs import Outcome, Outputs, track_input
from mien.study.job import FileJob, FileResult, PartsSpec, ShardSpec, track_file
from mien.study.join import check_format
from mien.study.join import join as join_shards
from mien.study.persons import (
    LEAST_LIKENESS,
    persons_of,
    points_by_face,
    read_persons,
    recorded_files,
    with_persons,
)
from mien.study.plan import StudyPaths, plan_run
from mien.study.reading import read_clips, read_points
from mien.study.record import (
    RECORD_NAME,
    RunRecord,
    parse_record,
    record_bytes,
    sha256_of,
    versions,
)
from mien.study.run import StudyRun
from mien.study.shard import shard_key
from mien.study.sums import SumsFile, sums_paths
from mien.study.tables import PointsIn
from mien.study.workers import Progress

__all__ = [
    "LEAST_LIKENESS",
    "RECORD_NAME",
    "FileJob",
    "FileResult",
    "Outcome",
    "Outputs",
    "PartsSpec",
    "PointsIn",
    "Progress",
    "RunRecord",
    "ShardSpec",
    "StudyPaths",
    "StudyRun",
    "SumsFile",
    "check_format",
    "clip_name",
    "join_shards",
    "parse_record",
    "persons_of",
    "plan_run",
    "points_by_face",
    "read_clips",
    "read_persons",
    "read_points",
    "record_bytes",
    "recorded_files",
    "sha256_of",
    "shard_key",
    "sums_paths",
    "track_file",
    "track_input",
    "versions",
    "with_persons",
]
