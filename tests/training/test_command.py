"""``mien train`` and ``mien export``: mistakes are one line and exit code 2, a run is a run."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mien import cli
from tinypack import a_face, picture, write_tiny_pack
from tinyrun import TINY_TOML, write_checkpoint
from w300lpfolder import write_w300lp_face

CONFIG = f"""
{TINY_TOML}[schedule]
steps = 1
batch = 3
"""


def mien(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["mien", *map(str, arguments)])
    with pytest.raises(SystemExit) as exit_info:
        cli.main()
    return int(exit_info.value.code or 0)


def one_line(captured: pytest.CaptureFixture[str]) -> str:
    err = captured.readouterr().err
    assert err.startswith("mien: ")
    assert err.count("\n") == 1
    return err


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "tiny.toml"
    file.write_text(CONFIG)
    return file


def test_a_run_from_the_shell(
    config: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pack = write_tiny_pack(tmp_path / "pack", ("helen",), train=4, val=1)
    monkeypatch.chdir(tmp_path)
    assert mien(monkeypatch, "train", config, "--data", pack.root) == 0
    run = Path("runs") / "tiny-tracking"
    assert {"last.pt", "best.pt", "val.csv", "run.png"} <= {file.name for file in run.iterdir()}
    assert "run.png" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "nosuch.toml",
            "there is no configuration nosuch.toml: give a TOML file, or one that ships",
        ),
        ("nosuch", "one that ships (own, finder)"),
        ("folder", "is not a readable TOML configuration: Is a directory"),
        ("broken.toml", "is not a readable TOML configuration: "),
    ],
)
def test_what_is_no_configuration_is_one_line(
    name: str,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "broken.toml").write_text("a = [")
    assert mien(monkeypatch, "train", name) == 2
    told = one_line(capsys)
    assert said in told
    assert "Errno" not in told


@pytest.mark.parametrize(
    ("change", "options", "said"),
    [
        ("", ["--data", "none"], "holds no faces.npz"),
        ("", ["--data", "none", "--workers", "2"], "a batch of 3 does not divide by 2"),
        ("\nbacth = 4", ["--data", "none"], "unknown key 'schedule.bacth'"),
        ("", ["--data", "none", "--run", "file/below"], "cannot make the run's folder"),
        ("", ["--data", "none", "--initial", "none.pt"], "none.pt is not a checkpoint"),
        ("", ["--data", "none", "--initial", "a.safetensors"], "no weights to start from"),
    ],
)
def test_a_mistake_is_one_line(
    config: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    change: str,
    options: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    config.write_text(CONFIG + change)
    assert mien(monkeypatch, "train", config, *options) == 2
    assert said in one_line(capsys)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["none", "--out", "a.onnx"], "none is not a checkpoint"),
        (["bare", "--out", "a.onnx"], "best.pt is not a checkpoint"),
        (["best.pt", "--out", "a.onnx", "--keep", "a.pt"], "writes a .safetensors file"),
        (["best.pt", "--out", "a.onnx", "--results", "none.json"], "none.json is not a result"),
        (["best.pt", "--out", "a.onnx", "--results", "half.json"], "half.json is not a result"),
    ],
)
def test_a_mistake_in_exporting_is_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bare").mkdir()
    (tmp_path / "half.json").write_text(json.dumps({"nme": 0.1}))
    write_checkpoint(tmp_path / "best.pt")
    assert mien(monkeypatch, "export", *options) == 2
    assert said in one_line(capsys)
    assert not (tmp_path / "a.onnx").exists()


def test_a_run_on_300w_lp(
    config: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Points without depth teach no depth, and a configuration that asks for it is refused."""
    rng = np.random.default_rng(0)
    for photo in range(4):
        face = a_face(rng)
        write_w300lp_face(
            tmp_path / "300W_LP", "LFPW", f"LFPW_{photo}_0", face[:, :2], picture(face, rng)
        )
    monkeypatch.chdir(tmp_path)
    pack = "[data.pack_shares]\nhelen = 1\n"
    config.write_text(CONFIG.replace(pack, '[data]\nlayout = "w300lp"\n'))
    assert mien(monkeypatch, "train", config, "--data", "300W_LP") == 2
    assert "set data.convention to '300w-lp'" in one_line(capsys)
    data = '[data]\nlayout = "w300lp"\nconvention = "300w-lp"\n'
    config.write_text(CONFIG.replace(pack, data))
    assert mien(monkeypatch, "train", config, "--data", "300W_LP") == 2
    assert "300W-LP has no depth: set loss.depth to 0" in one_line(capsys)
    config.write_text(config.read_text() + "[loss]\ndepth = 0.0\n")
    assert mien(monkeypatch, "train", config, "--data", "300W_LP") == 0
    val = (Path("runs") / "tiny-tracking" / "val.csv").read_text()
    assert val.splitlines()[1].startswith("1,300w-lp,")
    assert mien(monkeypatch, "train", config) == 2
    assert "--data, the folder of 300W-LP" in one_line(capsys)
