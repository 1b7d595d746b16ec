"""``mien reproduce`` starts its own processes: under torchrun each would write the same tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from mien import cli


def test_torchrun_is_told_of_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "0")
    words = ["reproduce", "table-1", "--scale", "smoke", "--out", str(tmp_path / "out")]
    monkeypatch.setattr("sys.argv", ["mien", *words])
    with pytest.raises(SystemExit) as exit_info:
        cli.main()
    assert exit_info.value.code == 2
    err = capsys.readouterr().err
    assert err.startswith("mien: ")
    assert err.count("\n") == 1
    assert "give --workers, not torchrun" in err
    assert not (tmp_path / "out").exists()


def test_a_world_without_a_rank_is_not_torchruns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Clusters' launchers leave ``WORLD_SIZE`` behind, and ``mien train`` heeds it as little."""
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.delenv("RANK", raising=False)
    words = ["reproduce", "table-1", "--scale", "smoke", "--plan", "--out", str(tmp_path / "out")]
    monkeypatch.setattr("sys.argv", ["mien", *words])
    with pytest.raises(SystemExit) as exit_info:
        cli.main()
    assert not exit_info.value.code
    assert "resnet18" in capsys.readouterr().out
