"""``docs/paper-map.md`` is true: every file, name, test and command in it is there."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup
from typer.main import get_command

from mien.cli import app

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "paper-map.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.splitlines() if line.startswith("|") and not line.startswith("|-")]
QUOTED = re.findall(r"`([^`]+)`", PAGE)
PLACES = sorted({word for word in QUOTED if "/" in word and " " not in word and "://" not in word})
COMMANDS = sorted({word for word in QUOTED if word.startswith("mien ")})
PARTS = [
    *("1 Introduction", "2 Related", "3 The network", "5 Conclusion"),
    *(f"3.1 change ({number})" for number in range(1, 6)),
    *("3.1", "3.2", "3.3", "3.4", "4.1", "4.2"),
    *(f"eq. {number}" for number in range(1, 6)),
    *(f"fig. {number}" for number in range(1, 8)),
    *(f"fig. 4, module {number}" for number in range(1, 5)),
    *(f"table {number}" for number in range(1, 5)),
]


@functools.cache
def names_in(file: Path) -> frozenset[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.ClassDef)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, kinds))


@pytest.mark.parametrize("place", PLACES)
def test_a_place_is_there(place: str) -> None:
    path, _, name = place.partition("::")
    file = ROOT / path
    assert file.exists(), f"{path} is not there"
    if name:
        assert name in names_in(file), f"{path} has no {name}"


@pytest.mark.parametrize("part", PARTS)
def test_a_part_of_the_paper_has_a_row(part: str) -> None:
    assert any(row.startswith(f"| {part}") for row in ROWS)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_has_its_verb_and_its_options(command: str) -> None:
    _, verb, *words = command.split()
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    _, loaded, _ = group.resolve_command(typer.Context(group), [verb])
    assert loaded is not None
    options = [option for option in loaded.params if option.param_type_name == "option"]
    given = {word for word in words if word.startswith("--")}
    assert given <= {name for option in options for name in option.opts}
    assert all(given & set(option.opts) for option in options if option.required)
    assert all((ROOT / word).exists() for word in words if word.endswith(".toml"))


def test_every_configuration_of_a_table_is_in_the_map() -> None:
    files = {str(file.relative_to(ROOT)) for file in (ROOT / "configs").glob("table-*/*.toml")}
    assert files <= set(QUOTED)


def test_nothing_of_the_networks_is_left_out() -> None:
    """A file of models/ or losses/ that the map does not name stands for no part of the paper."""
    ours = {
        str(file.relative_to(ROOT))
        for folder in ("models", "losses")
        for file in (ROOT / "src" / "mien" / folder).rglob("*.py")
    }
    named = {place.partition("::")[0] for place in PLACES}
    beside = {"__init__", "config", "build", "size", "prediction", "decoding", "total"}
    beside |= {"finder", "finder_targets"}  # the paper has its faces found by others
    assert {path for path in ours - named if Path(path).stem not in beside} == set()
