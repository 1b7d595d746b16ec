"""What an extra brings is tried: the environment of the tests, which CI makes anew, has it too."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
FOR_USERS = set(EXTRAS) - {"test", "dev", "docs"}
OWN_LANE = {"ray", "test", "dev"}
"""Tried by ``.ci/run`` in environments of their own."""
PINNED = {"torch"}
"""Tried in one build alone, the one that committed results were made with."""


def bounds(requirements: list[str]) -> dict[str, str]:
    """Versions by name."""
    return {re.split(r"[\[<>=]", one)[0]: re.sub(r"^[^<>=]*", "", one) for one in requirements}


def test_every_extra_is_in_the_environment_of_the_tests() -> None:
    tried = bounds(EXTRAS["test"])
    assert {"avatar", "rerun", "web", "parquet", "heif", "data", "train"} <= FOR_USERS
    for extra in sorted(FOR_USERS - OWN_LANE):
        for name, versions in bounds(EXTRAS[extra]).items():
            assert name in tried, f"{extra} brings {name}, which no test sees"
            assert versions == tried[name] or name in PINNED, f"{name} of {extra}"


def test_ci_tries_every_extra_by_itself() -> None:
    """What another extra of the tests' environment brings would hide a missing requirement."""
    folder = Path(__file__).parents[1] / ".ci"
    tried = re.search(r"extras=\((?=\w)([\w ]+)\)", (folder / "extras").read_text())
    assert tried is not None
    assert set(tried.group(1).split()) == set(EXTRAS) - OWN_LANE
    lanes = (folder / "run").read_text()
    assert "bash .ci/extras" in lanes
    said = lanes.replace("\\", "")  # the README's own line stands there as a pattern
    assert all(f"pip install '.[{extra}]'" in said for extra in OWN_LANE - {"ray"})
    assert """pip" install '.[ray]'""" in said


def test_the_base_install_brings_nothing_of_an_extra() -> None:
    base = set(bounds(PROJECT["dependencies"]))
    for extra in FOR_USERS:
        assert not base & set(bounds(EXTRAS[extra])), extra
