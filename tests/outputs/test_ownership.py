"""Whose a file is."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from mien.outputs import is_ours, may_be_ours


def test_a_strangers_parquet_file_needs_no_pyarrow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It lies in a folder of clips, and the base install cannot read it."""
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "mien.outputs.parquet", raising=False)
    assert may_be_ours("a.parquet")
    assert not is_ours(tmp_path / "a.parquet")
