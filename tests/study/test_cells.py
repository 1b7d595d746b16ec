"""Cells that a reader of CSV gives back as they were."""

from __future__ import annotations

import csv
import io

import pytest

from mien.files import csv_text
from mien.study.cells import quoted


@pytest.mark.parametrize("name", ["a,b", 'a"b', "a\nb", "a\rb", "a\r\nb", "ends\r", "ends\n"])
def test_a_clip_of_any_name_is_one_cell(name: str) -> None:
    text = f"{quoted(name)},7\n"
    assert list(csv.reader(io.StringIO(text, newline=""))) == [[name, "7"]]


@pytest.mark.parametrize("name", ["a\rb", "a\r\nb", "ends\r", "ends\n"])
def test_rows_hold_any_name(name: str) -> None:
    text = csv_text([["name", "nme"], [name, 0.5], ["plain", None]])
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert rows == [["name", "nme"], [name, "0.5"], ["plain", ""]]
    assert text.endswith("\nplain,\n")


def test_a_plain_name_stays_bare() -> None:
    assert quoted("clip 1") == "clip 1"
