"""``docs/architecture.md`` draws the house as the import contracts have it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
    "importlinter"
]["contracts"]


def drawn(name: str) -> list[str]:
    """The lines between a block's two marks, its fence left out."""
    (block,) = re.findall(rf"<!-- {name}:begin -->\n(.*?)<!-- {name}:end -->", PAGE, re.DOTALL)
    return [line for line in block.splitlines() if line and not line.startswith("```")]


def layers_of(container: str) -> list[str]:
    (contract,) = [one for one in CONTRACTS if one.get("containers") == [container]]
    assert contract["exhaustive"]
    return list(contract["layers"])


def test_the_floors_are_those_of_the_contract() -> None:
    assert drawn("floors") == layers_of("mien")


def test_synthesis_is_one_line() -> None:
    assert drawn("synthesis") == layers_of("mien.synthesis")


def test_every_room_is_told_and_stands() -> None:
    told = re.findall(r"^\| `(\w+)` \|", "\n".join(drawn("rooms")), re.MULTILINE)
    rooms = {room.strip() for floor in layers_of("mien") for room in floor.split("|")}
    assert sorted(told) == sorted(rooms)
    package = ROOT / "src" / "mien"
    assert [room for room in told if not list(package.glob(f"{room}*"))] == []


def test_files_named_on_the_walks_are_there() -> None:
    names = re.findall(r"`((?!tests/)[a-z_]+/[a-z_]+\.py)`", PAGE)
    assert len(names) > 5
    assert [name for name in names if not (ROOT / "src" / "mien" / name).is_file()] == []
