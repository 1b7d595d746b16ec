"""What tests with random input share: a worker that may be ended, counting, parts, the result file.

A script gives the cases: what number k asks follows from the seed and k alone, so that a run may
begin anywhere (``--start``), be cut into parts, and be joined again (``--parts``) to what one run
would have written.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import itertools
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from provenance import command

__all__ = ["Answer", "Case", "Fuzz", "Worker", "answers_to", "joined", "run_cases", "run_command"]

LIMIT_SECS = 30.0
"""Of processor time an answer may take; of waiting twenty times as much: others may be at work."""
_MOST_FAILURES_TOLD = 20
_TELL_EVERY_SECS = 30.0


@dataclass(frozen=True)
class Answer:
    """What became of one case."""

    outcome: str
    """One of the good ones, or a failure's kind."""
    said: str = ""


@dataclass(frozen=True)
class Case:
    """What number k asked, and what became of it."""

    kind: str
    answer: Answer
    told: Mapping[str, object]
    """What a failure says of its case, besides its number."""


@dataclass(frozen=True)
class Fuzz:
    """A script's cases, and what its result file calls things."""

    counted: str
    """Key of the number of cases: ``files``."""
    kinds: str
    """Key of their kinds."""
    good: frozenset[str]
    """Outcomes that are no failures."""
    begin: Callable[[], AbstractContextManager[Callable[[int, np.random.Generator], Case]]]
    """Makes what the cases need; gives what asks one of them."""


class Worker:
    """A process that answers one line after another, and may be ended."""

    def __init__(self, words: Sequence[str], folder: Path, stderr: int | TextIO) -> None:
        """Of a Python script, which is started in ``folder`` when it is first asked."""
        self._words, self._folder, self._stderr = words, folder, stderr
        self._process: subprocess.Popen[str] | None = None

    def ask(self, line: str) -> Answer:
        """What it answers; ``crash`` or ``hang`` where it does not, and the next has a new one."""
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(line + "\n")
        process.stdin.flush()
        ready = _heard(process.stdout, process.pid)
        said = process.stdout.readline() if ready else ""
        if said:
            return Answer(**json.loads(said))
        code = process.poll() if ready else None
        self.close()
        return Answer("crash" if ready else "hang", f"exit code {code}")

    def close(self) -> None:
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self._process = None

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, *self._words],
                cwd=self._folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._stderr,
                text=True,
            )
        return self._process


def _heard(stream: Any, pid: int) -> bool:
    """Whether it answers before its time is over."""
    clock = Path(f"/proc/{pid}/stat")

    def spent_secs() -> float:
        fields = clock.read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    begun, begun_secs = time.perf_counter(), spent_secs()
    while not select.select([stream], [], [], 1.0)[0]:
        busy = spent_secs() - begun_secs > LIMIT_SECS
        if busy or time.perf_counter() - begun > 20 * LIMIT_SECS:
            return False
    return True


def answers_to(answer: Callable[[str], Answer]) -> None:
    """The worker's loop: a line comes in, an answer goes out; nothing else writes there."""
    answers, asked = os.fdopen(os.dup(1), "w"), os.fdopen(os.dup(0))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    for line in asked:
        try:
            found = answer(line.rstrip("\n"))
        except BaseException as error:
            found = Answer(f"traceback: {type(error).__name__}", str(error)[:300])
        answers.write(json.dumps(asdict(found)) + "\n")
        answers.flush()


def run_cases(
    fuzz: Fuzz, count: int, seed: int, start: int = 0, limit_secs: float = float("inf")
) -> dict[str, Any]:
    """Ask ``count`` cases from number ``start`` on and count what became of them.

    It ends early after the limit or by Ctrl-C, and says where to go on.
    """
    outcomes: collections.Counter[str] = collections.Counter()
    kinds: collections.Counter[str] = collections.Counter()
    failures: list[dict[str, object]] = []
    slowest, begun = 0.0, time.perf_counter()
    with fuzz.begin() as ask, _until_stopped(start, count, begun, limit_secs, failures) as numbers:
        for number in numbers:
            asked = time.perf_counter()
            case = ask(number, np.random.default_rng([seed, number]))
            slowest = max(slowest, time.perf_counter() - asked)
            outcomes[case.answer.outcome] += 1
            kinds[case.kind] += 1
            if case.answer.outcome not in fuzz.good:
                failures.append({"number": number, **case.told, **asdict(case.answer)})
    return {
        fuzz.counted: sum(outcomes.values()),
        "seed": seed,
        "start": start,
        "outcomes": dict(sorted(outcomes.items())),
        fuzz.kinds: dict(sorted(kinds.items())),
        "failures": len(failures),
        "first_failures": failures[:_MOST_FAILURES_TOLD],
        "slowest_secs": round(slowest, 2),
    }


@contextlib.contextmanager
def _until_stopped(
    start: int, count: int, begun: float, limit_secs: float, failures: list[dict[str, object]]
) -> Iterator[Iterator[int]]:
    """The numbers of the cases, told now and then; Ctrl-C ends them as the limit does."""
    done = 0

    def numbers() -> Iterator[int]:
        nonlocal done
        told = begun
        for number in range(start, start + count):
            now = time.perf_counter()
            if now - begun > limit_secs:
                return
            if now - told > _TELL_EVERY_SECS:
                print(f"{done} of {count}, {len(failures)} failures", file=sys.stderr, flush=True)
                told = now
            yield number
            done += 1

    with contextlib.suppress(KeyboardInterrupt):
        yield numbers()
    if done < count:
        print(f"{done} of {count}: go on with --start {start + done}", file=sys.stderr)


def joined(fuzz: Fuzz, parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What one run would have written of parts of the same seed that follow one another.

    Raises:
        ValueError: they are of other seeds, or there is a gap or an overlap.
    """
    parts = sorted(parts, key=lambda part: part["start"])
    for one, following in itertools.pairwise(parts):
        if one["seed"] != following["seed"]:
            raise ValueError(f"parts are of seeds {one['seed']} and {following['seed']}")
        if one["start"] + one[fuzz.counted] != following["start"]:
            raise ValueError(
                f"a part ends before number {one['start'] + one[fuzz.counted]}, "
                f"the next begins at {following['start']}"
            )
    result: dict[str, Any] = {fuzz.counted: sum(part[fuzz.counted] for part in parts)}
    result |= {"seed": parts[0]["seed"], "start": parts[0]["start"]}
    for name in ("outcomes", fuzz.kinds):
        tally: collections.Counter[str] = collections.Counter()
        for part in parts:
            tally.update(part[name])
        result[name] = dict(sorted(tally.items()))
    result["failures"] = sum(part["failures"] for part in parts)
    told = [failure for part in parts for failure in part["first_failures"]]
    result["first_failures"] = told[:_MOST_FAILURES_TOLD]
    result["slowest_secs"] = max(part["slowest_secs"] for part in parts)
    return result


def run_command(fuzz: Fuzz, about: str, *, count: int, seed: int = 14) -> None:
    """The script's command: a run or joined parts to a result file; exit code 1 for failures."""
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("--count", type=int, default=count)
    parser.add_argument("--start", type=int, default=0, help="number of the first case")
    parser.add_argument("--seed", type=int, default=seed)
    parser.add_argument("--limit-secs", type=float, default=float("inf"))
    parser.add_argument("--out", type=Path)
    parser.add_argument("--parts", type=Path, nargs="+", help="join results of parts into one")
    given = parser.parse_args()
    if given.parts:
        try:
            result = joined(fuzz, [json.loads(path.read_text()) for path in given.parts])
        except ValueError as error:
            parser.error(str(error))
    else:
        result = run_cases(fuzz, given.count, given.seed, given.start, given.limit_secs)
    words = ["--count", str(result[fuzz.counted]), "--seed", str(result["seed"])]
    words += ["--start", str(result["start"])] if result["start"] else []
    result["command"] = command(words)
    text = json.dumps(result, indent=2) + "\n"
    if given.out:
        given.out.write_text(text)
    print(text, end="")
    sys.exit(1 if result["failures"] else 0)
