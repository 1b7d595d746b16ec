"""Past one machine: the study's function of one file as a task on every node of a Ray cluster."""

from mien.corpus.clip import CorpusJob, CorpusTask, UnreachableError, track_clip
from mien.corpus.here import track_here
from mien.corpus.on_ray import LOCAL_RAY, RayCluster
from mien.corpus.place import Place, addresses_at, is_elsewhere, local_path
from mien.corpus.run import CorpusPlan, CorpusRun, digest_of, plan_corpus

__all__ = [
    "LOCAL_RAY",
    "CorpusJob",
    "CorpusPlan",
    "CorpusRun",
    "CorpusTask",
    "Place",
    "RayCluster",
    "UnreachableError",
    "addresses_at",
    "digest_of",
    "is_elsewhere",
    "local_path",
    "plan_corpus",
    "track_clip",
    "track_here",
]
