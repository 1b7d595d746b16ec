"""Files as tasks of Ray, with Ray stood in for: what it is asked, and what becomes of it."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from mien.corpus import CorpusJob, CorpusTask, Place, RayCluster, UnreachableError
from mien.corpus.clip import failed
from mien.corpus.on_ray import LOCAL_RAY
from mien.errors import ConfigError, MienError
from mien.media import Input
from mien.study import FileJob, PartsSpec, versions
from mien.tracking import TrackerSettings


class RayError(Exception):
    """Ray's own: a process or a node died."""


class RayTaskError(RayError):
    """What a task raised."""

    def __init__(self, cause: Exception) -> None:
        super().__init__("in a task")
        self.cause = cause


class StandIn:
    """Ray on nodes with so many cores; the task that was handed over last ends first."""

    exceptions = SimpleNamespace(RayError=RayError, RayTaskError=RayTaskError)

    def __init__(self) -> None:
        self.cores = {"a": 2, "b": 1, "dead": 64}
        self.options: dict[str, Any] = {}
        self.cancelled: list[tuple[str, bool]] = []
        self.most_ahead = self.shut_down = 0
        self._stored: dict[str, object] = {}

    def init(self, **_: object) -> SimpleNamespace:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        return SimpleNamespace(dashboard_url="127.0.0.1:8265")

    def nodes(self) -> list[dict[str, Any]]:
        known = [
            {"Alive": name != "dead", "Resources": {"CPU": float(count)}}
            for name, count in self.cores.items()
        ]
        return [*known, {"Alive": True, "Resources": {}}]  # a node that only keeps things

    def put(self, job: object) -> str:
        self._stored["job"] = job
        return "job"

    def remote(self, work: Callable[..., object]) -> SimpleNamespace:
        def begin(job: str, task: CorpusTask) -> str:
            self._stored[task.item.stem] = lambda: work(self._stored[job], task)
            return task.item.stem

        def options(**told: Any) -> SimpleNamespace:
            self.options = told
            return SimpleNamespace(remote=begin)

        return SimpleNamespace(options=options)

    def wait(self, running: list[str], timeout: float) -> tuple[list[str], list[str]]:
        self.most_ahead = max(self.most_ahead, len(running))
        return running[-1:], running[:-1]

    def get(self, one: str) -> object:
        try:
            return self._stored[one]()  # type: ignore[operator]
        except RayError:
            raise
        except Exception as error:
            raise RayTaskError(error) from error

    def cancel(self, one: str, *, force: bool) -> None:
        self.cancelled.append((one, force))
        raise RayError("the cluster is gone")

    def shutdown(self) -> None:
        self.shut_down += 1


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    stand_in = StandIn()
    monkeypatch.setitem(sys.modules, "ray", stand_in)
    return stand_in


def job() -> CorpusJob:
    parts = PartsSpec("nano", 68, "centerface", TrackerSettings(), 1)
    file = FileJob(parts, None, None, None, True)
    return CorpusJob(file, Place("out"), 68, "digest", versions())


def tasks(stems: Sequence[str]) -> list[CorpusTask]:
    return [CorpusTask(Input(f"{stem}.mp4", stem), "token", 1) for stem in stems]


def works(monkeypatch: pytest.MonkeyPatch, errors: dict[str, Exception]) -> None:
    """Tracking, as far as the cluster sees it: a result, or one of these errors."""

    def track(asked: CorpusJob, task: CorpusTask) -> object:
        assert asked == job()
        if task.item.stem in errors:
            raise errors[task.item.stem]
        return failed(task, "as expected")

    monkeypatch.setattr("mien.corpus.on_ray.track_clip", track)


def test_every_file_gives_its_result_and_few_wait_at_the_cluster(
    ray: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    works(monkeypatch, {})
    with RayCluster("auto", 1, 2) as cluster:
        assert cluster.size == (3, 3)
        assert cluster.dashboard == "http://127.0.0.1:8265"
        told = [result.record.clip for result in cluster.track(job(), tasks("abcdefghij"))]
    assert told == list("fghijedcba")  # six at once of three cores; the last handed over is first
    assert ray.most_ahead == 6
    assert ray.options["num_cpus"] == 1
    assert ray.options["max_retries"] == 2
    assert UnreachableError in ray.options["retry_exceptions"]
    assert (ray.cancelled, ray.shut_down) == ([], 1)


@pytest.mark.parametrize(("retries", "times"), [(0, "once"), (2, "3 times")])
def test_a_file_that_fails_is_a_result_and_the_others_go_on(
    ray: StandIn, monkeypatch: pytest.MonkeyPatch, retries: int, times: str
) -> None:
    errors = {
        "a": UnreachableError("a.mp4: no answer"),
        "b": ZeroDivisionError("by zero"),
        "c": RayError("a worker died"),
    }
    works(monkeypatch, errors)
    cluster = RayCluster("auto", 1, retries)
    told = {one.record.clip: one.errors[0] for one in cluster.track(job(), tasks("abcd"))}
    assert told == {
        "a": "a.mp4: no answer",
        "b": "b.mp4: by zero",
        "c": f"c.mp4: the process that tracked it ended by itself, {times} (RayError)",
        "d": "as expected",
    }


def test_what_ends_the_run_takes_back_what_is_at_the_cluster(
    ray: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    works(monkeypatch, {"c": MienError("the place is full")})
    with pytest.raises(MienError, match="the place is full"):
        list(RayCluster("auto", 3, 0).track(job(), tasks("abcd")))
    # Of three cores one file at a time: a and b ran, b ended; then c was the last and ended it.
    assert ray.cancelled == [("a", True)]


def test_where_no_node_has_come_yet_nothing_is_refused(ray: StandIn) -> None:
    ray.cores = {}
    with RayCluster("auto", 3, 0) as cluster:
        assert (cluster.size, ray.shut_down) == ((1, 0), 0)


def test_a_cluster_begun_here_is_closed_to_others_and_reports_to_nobody(
    ray: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = signal.getsignal(signal.SIGTERM)
    for told in ({}, {"RAY_AUTH_MODE": "disabled"}):
        environment = dict[str, str](told)
        monkeypatch.setattr("os.environ", environment)
        RayCluster(LOCAL_RAY, 1, 0)
        assert environment["RAY_USAGE_STATS_ENABLED"] == "0"
        if told:
            assert "RAY_AUTH_TOKEN" not in environment
        else:
            assert environment["RAY_AUTH_MODE"] == "token"
            assert len(environment["RAY_AUTH_TOKEN"]) == 64
    assert signal.getsignal(signal.SIGTERM) is before  # Ray put its own in its place


def test_without_ray_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigError, match=r"pip install 'mien\[ray\]'"):
        RayCluster("auto", 1, 0)
