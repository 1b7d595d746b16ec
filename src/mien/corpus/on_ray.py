"""Files as tasks of Ray: the next file to whichever core of the cluster is free."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import secrets
import signal
import socket
from collections.abc import Iterator, Sequence
from typing import Any, Self

from mien.corpus.clip import CorpusJob, CorpusTask, UnreachableError, failed, track_clip
from mien.errors import ConfigError, MienError, OutputError, reason_of
from mien.study import FileResult

__all__ = ["LOCAL_RAY", "RayCluster"]

LOCAL_RAY = "local"
"""In place of an address: a cluster of this machine alone, for as long as the run."""
_AHEAD = 2
"""Tasks handed to Ray, as a multiple of those that can run at once: nobody waits for the next."""
_PLACE = re.compile(r"(?:ray://)?\[?(?P<host>[^/\]]+)\]?:(?P<port>\d+)")
_ANSWER_SECS = 5.0
"""For a host to take a connection."""
_WAIT_SECS = 1.0
"""Between two looks at how many cores there are: nodes come and go."""


def _own_cluster() -> dict[str, str]:
    """Of a cluster begun here: it sends nothing to its makers, and nobody else can join it. Without
    a token given, Ray would keep one in the home folder."""
    told = {"RAY_USAGE_STATS_ENABLED": "0"}
    if not any(name.startswith("RAY_AUTH_") for name in os.environ):
        told |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    return told


def _refuse_silence(address: str) -> None:
    """Ray itself would try for more than a minute, without a word.

    Raises:
        ConfigError: nobody listens at that host and port.
    """
    place = _PLACE.fullmatch(address)
    if place is None:
        return
    try:
        socket.create_connection((place["host"], int(place["port"])), _ANSWER_SECS).close()
    except (OSError, OverflowError, UnicodeError) as error:
        raise _no_cluster(address, error) from error


def _no_cluster(address: str, error: Exception) -> ConfigError:
    return ConfigError(
        f"{address}: no Ray cluster answers there ({reason_of(error)}); begin one with "
        "ray start --head, or leave out --ray"
    )


class RayCluster:
    """A connection to a cluster; leaving it ends what is still running there."""

    def __init__(self, address: str, cores_a_file: int, retries: int) -> None:
        """Connect.

        Args:
            address: ``HOST:PORT``, ``auto``, ``ray://...``, or :data:`LOCAL_RAY`.
            cores_a_file: that a file takes for itself.
            retries: of a file whose process or node died, or that could not be fetched.

        Raises:
            ConfigError: Ray is not installed, or there is no cluster at that address.
        """
        if address == LOCAL_RAY:
            os.environ |= _own_cluster()
        try:
            import ray
        except ImportError as missing:
            raise ConfigError("a cluster needs Ray: pip install 'mien[ray]'") from missing
        _refuse_silence(address)
        self._ray: Any = ray
        self._cores, self._retries = cores_a_file, retries
        before = signal.getsignal(signal.SIGTERM)
        try:
            self._context = ray.init(
                address=address, log_to_driver=False, logging_level=logging.ERROR
            )
        except (ConnectionError, ValueError, RuntimeError, OSError) as error:
            raise _no_cluster(address, error) from error
        finally:
            signal.signal(signal.SIGTERM, before)  # Ray puts its own in its place

    def __enter__(self) -> Self:
        """Be sure that a file can be tracked here.

        Raises:
            ConfigError: no node has the cores that one takes; Ray would wait for such a node.
        """
        most = max((int(node["Resources"].get("CPU", 0)) for node in self._nodes()), default=0)
        if 0 < most < self._cores:
            self._ray.shutdown()
            raise ConfigError(f"--cores {self._cores}: no node has more than {most}; name fewer")
        return self

    def __exit__(self, *error: object) -> None:
        self._ray.shutdown()

    @property
    def dashboard(self) -> str | None:
        """Where a browser sees the tasks; ``None`` where Ray has none."""
        url = getattr(self._context, "dashboard_url", None)
        return f"http://{url}" if url else None

    @property
    def size(self) -> tuple[int, int]:
        """Nodes that are up, and their cores."""
        nodes = self._nodes()
        return len(nodes), int(sum(node["Resources"].get("CPU", 0) for node in nodes))

    def track(self, job: CorpusJob, tasks: Sequence[CorpusTask]) -> Iterator[FileResult]:
        """A result a file, in the order in which they end; a file that kills its process, or whose
        nodes die, too often is a result as well.

        Raises:
            MienError: nothing more can be tracked or written.
        """
        remote = self._ray.remote(track_clip).options(
            num_cpus=self._cores,
            max_retries=self._retries,
            retry_exceptions=[UnreachableError, OutputError],
            name="mien track_clip",
        )
        shared = self._ray.put(job)
        waiting, running = list(reversed(tasks)), dict[Any, CorpusTask]()
        try:
            while waiting or running:
                at_once = max(self.size[1] // self._cores, 1)
                while waiting and len(running) < _AHEAD * at_once:
                    task = waiting.pop()
                    running[remote.remote(shared, task)] = task
                done, _ = self._ray.wait(list(running), timeout=_WAIT_SECS)
                for one in done:
                    yield self._result(one, running.pop(one))
        finally:
            for one in running:
                with contextlib.suppress(Exception):  # the cluster may be gone
                    self._ray.cancel(one, force=True)

    def _nodes(self) -> list[dict[str, Any]]:
        return [node for node in self._ray.nodes() if node["Alive"]]

    def _result(self, one: Any, task: CorpusTask) -> FileResult:
        try:
            result: FileResult = self._ray.get(one)
        except self._ray.exceptions.RayTaskError as error:
            cause = error.cause
            if isinstance(cause, UnreachableError):
                return failed(task, str(cause))
            if isinstance(cause, MienError):
                raise cause from None
            return failed(task, f"{task.item.where}: {reason_of(cause or error)}")
        except self._ray.exceptions.RayError as error:
            tries = f"{self._retries + 1} times" if self._retries else "once"
            return failed(
                task,
                f"{task.item.where}: the process that tracked it ended by itself, {tries} "
                f"({type(error).__name__})",
            )
        return result
