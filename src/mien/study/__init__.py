"""Many files into one table: what is done is a fact, and a run that was broken off goes on."""

from mien.study.cells import clip_name
from mien.study.clip_outputs import Outcome, Outputs, track_input
from mien.study.job import FileJob, FileResult, PartsSpec, ShardSpec, track_file
from mien.study.join import check_format
from mien.study.join import join as join_shards
from mien.study.plan import StudyPaths, plan_run
from mien.study.reading import read_clips
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
from mien.study.sums import heading, measures_paths, row_of
from mien.study.tables import PointsIn
from mien.study.workers import Progress

__all__ = [
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
    "check_format",
    "clip_name",
    "heading",
    "join_shards",
    "measures_paths",
    "parse_record",
    "plan_run",
    "read_clips",
    "record_bytes",
    "row_of",
    "sha256_of",
    "shard_key",
    "track_file",
    "track_input",
    "versions",
]
