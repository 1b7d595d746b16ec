"""The commands of docs/own-faces.md, run as they stand there, on a few frames of the demo clip.

What is made smaller: the number of pictures, and the network and schedule of ``own``.
"""

from __future__ import annotations

import json
import re
import shlex
from importlib import resources
from pathlib import Path

import av
import pytest

from mien import cli
from mien.datasets.ours.pack import read_pack
from mien.runtime.session import read_card

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "own-faces.md").read_text(encoding="utf-8")
SMALL_NETWORK = """
side = 32
width = 4
stacks = 1
depth = 1
finetune_width = 4
finetune_hidden = 8
"""


def commands() -> list[list[str]]:
    blocks = re.findall(r"^```\n(mien data annotate.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 1
    return [shlex.split(line) for line in blocks[0].splitlines()]


def write_small_config(file: Path) -> None:
    """``configs/own.toml`` with a tiny network, for two steps."""
    text = (ROOT / "configs" / "own.toml").read_text(encoding="utf-8")
    text = re.sub(r"side = 256\nwidth = 64\nstacks = 4\n", SMALL_NETWORK, text)
    for name, value in (("steps", 2), ("batch", 2), ("warmup", 1), ("validate_every", 2)):
        text, found = re.subn(rf"^{name} = .*$", f"{name} = {value}", text, flags=re.MULTILINE)
        assert found == 1
    file.write_text(text)


def write_photos(folder: Path) -> None:
    folder.mkdir()
    with av.open(str(resources.files("mien.demo").joinpath("clip.mp4"))) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number % 30 == 0:
                frame.to_image().save(folder / f"{number:04d}.jpg", quality=95)


def run(monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    monkeypatch.setattr("sys.argv", words)
    with pytest.raises(SystemExit) as exit_info:
        cli.main()
    assert (exit_info.value.code or 0) == 0, words


def test_the_page_runs_as_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_photos(tmp_path / "photos")
    write_small_config(tmp_path / "own")  # a file of that name goes before the shipped one
    for words in commands():
        if words[1] == "train":
            place = words.index("--initial")
            words = words[:place] + words[place + 2 :]
        if "--pictures" in words:
            words[words.index("--pictures") + 1] = "4"
        run(monkeypatch, words)
    card = read_card(tmp_path / "own.onnx")
    assert card.training_sources[0] == "photos of 'own' (the user's own photos)"
    assert "points found by fast of mien" in card.training_sources[1]
    assert not any("HELEN" in source for source in card.training_sources)
    pack = read_pack(tmp_path / "pack")
    assert set(pack.split.tolist()) == {"train", "val"}
    measured = json.loads((tmp_path / "own.faces.json").read_text())
    assert measured["n"] == int((pack.split == "val").sum())
    assert "nobody clicked points" in capfd.readouterr().err
    assert len(list((tmp_path / "tracked").glob("*.csv"))) == 5


def test_the_shipped_configuration_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    run(monkeypatch, ["mien", "train", "own", "--describe"])
    assert "84 points, crops of 256 px" in capsys.readouterr().out
