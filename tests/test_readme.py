"""README, accuracy and data pages are true: commands, code, and figures as the files have them."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import mien
from mien.cli import app
from mien.expression import SHAPES
from mien.outputs.tables import columns
from mien.pipeline import calls
from standin import square_picture

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
FIRST_LINES = ("pip install . && mien demo --out out/", "pip install '.[test]' && pytest")
RESULTS = ROOT / "benchmarks" / "results"
ACCURACY_PAGE = (ROOT / "docs" / "accuracy.md").read_text()
DATA_PAGE = (ROOT / "docs" / "data.md").read_text()
# Scripts of benchmarks/ import each other.
sys.path.append(str(ROOT / "benchmarks"))
table = importlib.import_module("readme_table")
headline = importlib.import_module("headline")
data_table = importlib.import_module("data_table")
shapes_table = importlib.import_module("shapes_table")
sections = importlib.import_module("sections")
measure = importlib.import_module("measure_all")


def _help(words: Sequence[str], monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in (("COLUMNS", "240"), ("NO_COLOR", "1"), ("TERM", "dumb")):
        monkeypatch.setenv(name, value)
    result = CliRunner().invoke(app, [*words, "--help"])
    assert result.exit_code == 0, (words, result.output)
    return result.output


def test_the_set_up_lines_stand_where_ci_reads_them() -> None:
    lines = README.splitlines()
    assert all(lines.count(line) == 1 for line in FIRST_LINES)
    assert max(lines.index(line) for line in FIRST_LINES) < 25  # the first screen
    run = (ROOT / ".ci" / "run").read_text()
    assert all(word in run for word in ("mien demo --out out/", "pytest", "README.md"))


def test_every_verb_the_readme_names_explains_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    named = set(re.findall(r"`?mien ([a-z]+)\b", README))
    verbs = {"track", "demo", "models", "evaluate", "data", "train", "export"}
    assert verbs <= named
    listed = _help([], monkeypatch)
    for verb in verbs:
        assert re.search(rf"\b{verb}\b", listed)
        _help([verb], monkeypatch)
    for verb in ("fit", "profile", "sheet", "anchors"):
        _help(["data", verb], monkeypatch)


def test_the_options_of_track_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    part = README.split("| option of `mien track`")[1].split("##")[0]
    options = set(re.findall(r"--[a-z][a-z-]+", part)) | {"--out"}
    shown = _help(["track"], monkeypatch)
    assert len(options) > 9
    assert {option for option in options if option not in shown} == set()
    assert "--init" in _help(["evaluate"], monkeypatch)


def test_the_columns_are_those_of_the_table() -> None:
    part = README.split("| column of the table")[1].split("\n\n")[0]
    named = set(re.findall(r"`([a-z_0-9]+)`", part))
    real = columns(68)
    assert named <= set(real)
    numbered = {f"{axis}_{index}" for axis in "xyzc" for index in range(68)}
    assert set(real) - numbered <= named


def test_what_the_readme_links_to_is_there() -> None:
    for place in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / place).exists(), place


def test_the_table_is_what_the_files_say() -> None:
    assert sections.put_section(README, headline.make_section()) == README, "make it: headline.py"
    tables = sections.put_section(ACCURACY_PAGE, table.make_section())
    assert tables == ACCURACY_PAGE, "make it: readme_table.py"
    written = sections.put_section(DATA_PAGE, data_table.make_section())
    assert written == DATA_PAGE, "make it: data_table.py"
    page = shapes_table.DOCUMENT.read_text()
    written = sections.put_section(page, shapes_table.make_section())
    assert written == page, "make it: shapes_table.py"


def test_every_shape_has_its_figures() -> None:
    section = shapes_table.make_section()
    assert all(section.count(f"`{name}`") == 1 for name in SHAPES)


def test_every_figure_says_where_it_comes_from() -> None:
    for one in json.loads((ROOT / "benchmarks" / "rivals.json").read_text())["figures"]:
        assert one["command"] or one["source"]
    for file in RESULTS.glob("*.json"):
        if "." not in file.stem or file.name.startswith("reproduce."):
            continue  # shown elsewhere
        command = json.loads(file.read_text())["command"]
        assert command.startswith(("mien ", "python benchmarks/"))
        assert f"- `{file.name}`: `{command}`" in ACCURACY_PAGE
    training = json.loads((RESULTS / table.TRAINING).read_text())
    assert f"`{training['command']}`" in (ROOT / "docs" / "training-diary.md").read_text()
    for part in json.loads((RESULTS / table.DATA_ENGINE).read_text()).values():
        assert part["command"].startswith("python benchmarks/data_engine.py ")
        assert f"- `{part['command']}`" in DATA_PAGE


def _result(init: str, nme: float, missed: int = 0) -> dict[str, object]:
    bins = {name: {"nme": nme} for name in ("[0,30]", "(30,60]", "(60,90]")}
    block = {
        "n": 16,
        "missed": missed,
        "nme": nme,
        "bins": bins,
        "balanced": nme,
        "nme_inner51": nme / 2,
    }
    block["failure_rate_07"] = 0.021
    other = {**block, "nme": nme + 0.001}
    provenance = {"init": init, "model": "tiny", "mirror": False, "command": f"mien x {init}"}
    return {**block, "reannotated": other, **provenance}


def test_our_rows_stand_beside_the_rivals(tmp_path: Path) -> None:
    """Losses and misses are shown as they are."""
    for init, nme, missed in (("oracle", 0.0412, 0), ("detector", 0.05, 2)):
        file = tmp_path / f"tiny.aflw2000.{init}.json"
        file.write_text(json.dumps(_result(init, nme, missed)))
    speed = {"clip": "a.mp4", "size": "640x360", "model": "tiny", "cores": 2}
    speed |= {"frames_with_face": 9, "frames_decoded": 10, "fps": 31.24, "command": "mien track a"}
    speed["version"] = "0.1.0"
    (tmp_path / "tiny.a.speed.json").write_text(json.dumps(speed))
    section = table.make_section(tmp_path)
    assert "Of mien 0.1.0;" in section
    alike = "| 0.0412 " * 5 + "| 2.1% | 0 | 0.0422 | 0.0412 | - | - | - | - |"
    assert f"| **mien tiny** | true points {alike}" in section
    alike = "| 0.0500 " * 5 + "| 2.1% | 2 | 0.0510 | 0.0500 | - | - | - | - |"
    assert f"| **mien tiny** | photo alone {alike}" in section
    assert "| 3DDFA_V2 (mobilenet 0.5) | true box | 0.0338 | 0.0297 | 0.0363 | 0.0480 |" in section
    assert "| the paper | true points | 0.0296 | - |" in section
    assert "| a.mp4 | 640x360 | tiny | 2 | 9 of 10 | 31.2 |" in section
    assert "- `tiny.aflw2000.oracle.json`: `mien x oracle`" in section


def test_what_is_measured_has_a_place_in_the_table() -> None:
    planned = measure.plan(Path("data"), Path("turned"), Path("clips"))
    assert len(planned) == 17
    for one in planned:
        model, data_set, init, *twice = one.file(Path("out"), "tiny").stem.split(".")
        assert (model, init) == ("tiny", one.init)
        assert twice == ["mirror"] * one.mirror + ["careful"] * one.careful
        assert data_set in table.SETS
        assert one.words[0] in {"aflw2000", "cfp", "faces", "turned", "clips"}


def test_moved_points_are_a_row_of_their_own(tmp_path: Path) -> None:
    result = _result("oracle", 0.0412) | {"as_300w_lp": _result("oracle", 0.03)}
    (tmp_path / "tiny.aflw2000.oracle.json").write_text(json.dumps(result))
    section = table.make_section(tmp_path)
    assert "| **mien tiny** | true points | 0.0412 |" in section
    assert "| **mien tiny**, points moved | true points | 0.0300 |" in section
    assert "decisions/0012-conventions.md" in section


def test_turned_photos_and_cost_are_tables_of_their_own(tmp_path: Path) -> None:
    bins = {"(60,90]": {"nme": 0.05, "nme_inner51": 0.06}}
    shared = {"n": 9, "nme": 0.03, "bins": bins, "depth": {"ratio": 1.25}}
    shared["eyes"] = {"shut": {"n": 4, "opening_error": 0.2}, "open": {"opening_error": 0.1}}
    shared["confidence"] = {
        "spearman": 0.45,
        "seen": {"confidence": 0.9},
        "hidden": {"confidence": 0.7},
        "expected_calibration_error": 0.02,
    }
    provenance = {"model": "tiny", "mirror": False, "command": "mien x"}
    score = {"auc_no_face": 0.999, "auc_misplaced": 0.98}
    for init, known in (("oracle", score), ("box", None)):
        content = {**shared, **provenance, "init": init, "score": known}
        (tmp_path / f"tiny.turned_test.{init}.json").write_text(json.dumps(content))
    cost = {"model": "tiny", "side": 128, "gflops": 0.5, "threads": 2, "tracking_ms": 1.84}
    cost |= {"detection_ms": 1.91, "command": "python benchmarks/speed.py"}
    (tmp_path / "tiny.cost.json").write_text(json.dumps(cost))
    section = table.make_section(tmp_path)
    head = (
        "| 0.0300 | 0.0500 | 0.0600 | 0.2000 | 0.1000 | 1.2500 | 0.4500 | 0.9000 | 0.7000 | 0.0200"
    )
    assert f"| **mien tiny** | true points {head} | 0.9990 | 0.9800 |" in section
    assert f"| **mien tiny** | true box {head} | - | - |" in section
    assert "9 pictures, of 2 with eyes shut" in section
    assert "| tiny | 128 | 0.50 | 2 | 1.8 | 1.9 |" in section
    assert "- `tiny.cost.json`: `python benchmarks/speed.py`" in section
    shared["eyes"]["shut"]["n"] = 6
    content = {**shared, **provenance, "init": "box", "score": None}
    (tmp_path / "tiny.turned_test.box.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"different sets .*\(9, 2\), \(9, 3\)"):
        table.make_section(tmp_path)


def test_what_cannot_be_seen_and_steadiness_are_tables_of_their_own(tmp_path: Path) -> None:
    groups = {"seen": {"confidence": 0.95}, "hidden": {"confidence": 0.7}}
    content = _result("detector", 0.05) | {"yaw_off_median_deg": 7.126}
    content["confidence"] = {**groups, "expected_calibration_error": 0.06}
    for name in ("helen_val_cut", "helen_val_patch"):
        (tmp_path / f"tiny.{name}.detector.json").write_text(json.dumps(content))
    still = {"model": "tiny", "photos": 12, "lost": 1, "jitter": 0.00191, "lag_frames": 0.03}
    still["command"] = "python benchmarks/steadiness.py"
    (tmp_path / "tiny.steadiness.json").write_text(json.dumps(still))
    section = table.make_section(tmp_path)
    cut, hand = "| 7.13 | 0.0500 | 0.0600 | 0 ", "| 0.0500 | 0.7000 | 0.9500 | 0.0600 | 0 |"
    assert f"| **mien tiny** | photo alone {cut}{hand}" in section
    assert "| **mien tiny** | 12 | 1 | 0.191% | 0.03 |" in section
    assert "| MediaPipe Face Mesh | - | - | 0.240% | 0.01 |" in section


def test_clips_are_a_table_of_their_own(tmp_path: Path) -> None:
    eyes = {"shut": {"opening_error": None}, "open": {"opening_error": 0.05}}
    content = {"model": "tiny", "init": "video", "mirror": False, "command": "mien x", "clips": 3}
    content |= {"seen_face_frames": 80, "missed_seen": 0}
    content |= {"face_frames": 90, "missed": 1, "nme": 0.03, "jitter": 0.004, "eyes": eyes}
    content |= {"id_switches": 2, "false_tracks": 0}
    (tmp_path / "tiny.clips.video.json").write_text(json.dumps(content))
    row = "| **mien tiny** | 3 | 90 | 1 | 0 of 80 | 0.0300 | 0.0040 | 2 | 0 | - | 0.0500 |"
    assert row in table.make_section(tmp_path)
    content["as_clicked"] = {**content, "nme": 0.02}
    (tmp_path / "tiny.clips.video.json").write_text(json.dumps(content))
    section = table.make_section(tmp_path)
    assert row in section
    assert "| **mien tiny**, points moved | 3 | 90 | 1 | 0 of 80 | 0.0200 |" in section
    other = content | {"model": "other", "face_frames": 91}
    (tmp_path / "other.clips.video.json").write_text(json.dumps(other))
    with pytest.raises(ValueError, match=r"different sets .*\(3, 90\), \(3, 91\)"):
        table.make_section(tmp_path)


def test_files_smoothed_from_both_sides_have_rows_of_their_own(tmp_path: Path) -> None:
    eyes = {"shut": {"opening_error": None}, "open": {"opening_error": 0.05}}
    content = {"model": "tiny", "init": "video", "mirror": False, "clips": 3, "eyes": eyes}
    content |= {"seen_face_frames": 80, "missed_seen": 0}
    content |= {"face_frames": 90, "missed": 1, "nme": 0.03, "jitter": 0.004}
    content |= {"id_switches": 2, "false_tracks": 0, "command": "mien evaluate clips c --offline"}
    (tmp_path / "tiny.clips.video.offline.json").write_text(json.dumps(content))
    still = {"model": "tiny", "offline": True, "photos": 12, "lost": 0, "jitter": 0.00173}
    still |= {"lag_frames": 0.01, "command": "python benchmarks/steadiness.py --offline"}
    (tmp_path / "tiny.offline.steadiness.json").write_text(json.dumps(still))
    section = table.make_section(tmp_path)
    assert "| **mien tiny**, `--offline` | 3 | 90 | 1 | 0 of 80 | 0.0300 | 0.0040 |" in section
    assert "| **mien tiny**, `--offline` | 12 | 0 | 0.173% | 0.01 |" in section
    (tmp_path / "tiny.clips.video.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match="offline"):
        table.make_section(tmp_path)


@pytest.mark.parametrize("name", ["tiny.aflw2000.box.json", "tiny.nowhere.oracle.json"])
def test_a_result_under_a_wrong_name_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(json.dumps(_result("oracle", 0.04)))
    with pytest.raises(ValueError, match=name):
        table.make_section(tmp_path)


@pytest.fixture
def boxed_clip(tmp_path: Path) -> tuple[Path, str]:
    """Five frames of a bright square, and the detector that knows where it is."""
    import av

    with av.open(str(tmp_path / "clip.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        stream.bit_rate = 4_000_000
        for _ in range(5):
            picture = av.VideoFrame.from_ndarray(square_picture((80, 60, 31)), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    boxes = "".join(f"{index},64.5,40.5,95.5,71.5\n" for index in range(5))
    (tmp_path / "boxes.csv").write_text("frame,left,top,right,bottom\n" + boxes)
    return tmp_path / "clip.mp4", f"boxes:{tmp_path / 'boxes.csv'}"


def test_the_readmes_code_runs(
    boxed_clip: tuple[Path, str],
    standin_model: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    clip, detector = boxed_clip
    tracker = mien.load_tracker(str(standin_model), detector=detector)
    monkeypatch.setattr(calls, "load_tracker", lambda: tracker)
    monkeypatch.chdir(clip.parent)
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    exec(compile(code, "README.md", "exec"), {})
    assert len(capsys.readouterr().out.splitlines()) >= 5


def _run_example(name: str, *words: object) -> str:
    command = [sys.executable, str(ROOT / "examples" / name), *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_example_own_frames(boxed_clip: tuple[Path, str], standin_model: Path) -> None:
    clip, detector = boxed_clip
    shown = _run_example("own_frames.py", clip, "--model", standin_model, "--detector", detector)
    lines = shown.splitlines()
    assert len(lines) == 5
    x, y = map(float, re.findall(r"\(([\d.]+), ([\d.]+)\)", lines[0])[0])
    np.testing.assert_allclose([x, y], [80, 60], atol=10)


def test_example_plot_yaw(
    boxed_clip: tuple[Path, str], standin_model: Path, tmp_path: Path
) -> None:
    clip, detector = boxed_clip
    words = ["--out", tmp_path / "out", "--model", standin_model, "--detector", detector]
    _run_example("plot_yaw.py", clip, *words)
    assert (tmp_path / "out" / "clip.yaw.png").stat().st_size > 1000
