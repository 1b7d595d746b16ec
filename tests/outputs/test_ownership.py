"""Whose a file is."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from mien.outputs import is_ours, is_ours_within, may_be_ours, ownership


def test_a_strangers_parquet_file_needs_no_pyarrow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It lies in a folder of clips, and the base install cannot read it."""
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "mien.outputs.parquet", raising=False)
    assert may_be_ours("a.parquet")
    assert not is_ours(tmp_path / "a.parquet")


class Endless(io.RawIOBase):
    """Blanks, as many as anybody reads."""

    def __init__(self) -> None:
        self.given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        if self.given > 1 << 20:
            raise AssertionError("read without an end")
        self.given += len(buffer)
        buffer[:] = b" " * len(buffer)
        return len(buffer)


def test_a_strangers_json_is_not_read_without_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside clips lie annotations of gigabytes, at an address too."""
    monkeypatch.setattr(ownership, "_MOST_OF_JSON", 1 << 16, raising=False)
    assert not is_ours_within("a.json", io.BufferedReader(Endless()))


def test_a_deeply_nested_json_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("[" * 200_000)
    assert not is_ours(tmp_path / "a.json")
