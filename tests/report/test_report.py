"""The report of tables that the sinks themselves wrote: read back whole, and one file alone."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import av
import numpy as np
import pytest

from mien.cli import main
from mien.errors import InputError, OutputError
from mien.markup import load_markup
from mien.outputs import open_table
from mien.report import read_table, write_report
from mien.report.charts import Curve, curves_chart, round_ticks
from mien.report.pictures import find_video, worst_rows
from mien.types import Face, Frame, HeadPose, Landmarks
from standin import square_picture

FRAMES, EMPTY = 60, range(20, 30)


def faces_at(index: int, points: int) -> list[Face]:
    """Two faces, none in ten frames; the second leaves after frame 40, unsure in frame 35."""
    markup = load_markup(points)
    if index in EMPTY:
        return []
    shape = markup.mean_shape.copy()
    if index in (10, 11, 12):  # a blink
        for upper, lower in markup.apertures[:4]:
            shape[lower] = shape[upper]
    here = [
        Face(
            0,
            0.9,
            Landmarks(shape * 40 + [50, 60, 0], np.full(points, 0.9)),
            HeadPose(index - 30.0, 5.0, 1.0),
        )
    ]
    if index <= 40:
        sure = np.full(points, 0.2 if index == 35 else 0.85)
        here.append(Face(3, 0.8, Landmarks(shape * 30 + [110, 60, 0], sure), HeadPose(0, 0, 0)))
    return here


def write_table(path: Path, points: int = 68) -> Path:
    with open_table(path, points) as table:
        for index in range(FRAMES):
            picture = np.zeros((120, 160, 3), np.uint8)
            table.write(Frame(picture, index, index / 25), faces_at(index, points))
    return path


def write_video(path: Path, frames: int = FRAMES) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for index in range(frames):
            picture = square_picture((50, 60, 20 + index % 7))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


class _Page(HTMLParser):
    """Every address in a page, and its words."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in ("script", "link", "iframe", "object")
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("points", [68, 84])
def test_a_table_is_read_as_it_was_written(tmp_path: Path, ending: str, points: int) -> None:
    table = read_table(write_table(tmp_path / f"a.{ending}", points))
    assert table.frames.tolist() == list(range(FRAMES))
    assert table.times_secs[-1] == pytest.approx(59 / 25)
    assert sorted(set(range(FRAMES)) - set(table.frame.tolist())) == list(EMPTY)
    assert table.ids_by_length() == [0, 3]
    expected = faces_at(35, points)
    for row in np.flatnonzero(table.frame == 35):
        face = table.face(int(row))
        (same,) = [one for one in expected if one.track_id == face.track_id]
        np.testing.assert_allclose(
            face.landmarks.points_image, same.landmarks.points_image, atol=6e-4
        )
        assert face.pose == same.pose
        assert face.landmarks.confidence[0] == pytest.approx(same.landmarks.confidence[0])


def test_the_report_stands_alone_and_says_what_is_in_the_table(tmp_path: Path) -> None:
    table = write_table(tmp_path / "clip.csv")
    write_video(tmp_path / "clip.mp4")
    with pytest.raises(SystemExit) as ended:
        main(["report", str(table)])
    assert not ended.value.code
    text = (tmp_path / "clip.report.html").read_text(encoding="utf-8")
    page = _Page(text)
    assert len(page.addresses) >= 8 + 2
    assert all(address.startswith("data:image/jpeg;base64,") for address in page.addresses)
    assert "http" not in text.replace("http-equiv", "")
    assert "83.3 %" in page.words  # 50 of 60
    assert "Face #0" in page.words
    assert "Face #3" in page.words
    assert page.words.count("blink (1)") == 2
    assert "frame 35, #3: confidence 0.20" in page.words
    for drawing in re.findall(r"<svg.*?</svg>", text, re.DOTALL):
        ElementTree.fromstring(drawing)
    who = ElementTree.fromstring(re.findall(r"<svg.*?</svg>", text, re.DOTALL)[0])
    titles = [one.text for one in who.iter("title")]
    assert titles == [
        "#0: 0.00 s to 0.80 s",
        "#0: 1.20 s to 2.40 s",
        "#3: 0.00 s to 0.80 s",
        "#3: 1.20 s to 1.64 s",
    ]


def test_a_table_without_a_face_is_a_report(tmp_path: Path) -> None:
    with open_table(tmp_path / "none.csv", 68) as table:
        for index in range(5):
            table.write(Frame(np.zeros((20, 20, 3), np.uint8), index, index / 25), [])
    write_report(read_table(tmp_path / "none.csv"), tmp_path / "o.html", title="<b>&")
    text = (tmp_path / "o.html").read_text()
    assert "No face was found." in text
    assert "<h1>&lt;b&gt;&amp;</h1>" in text


def test_shapes_are_drawn_when_the_table_has_them(tmp_path: Path) -> None:
    lines = write_table(tmp_path / "a.csv").read_text().splitlines()
    text = [lines[0] + ",jawOpen,eyeBlinkLeft"]
    for number, line in enumerate(lines[1:]):
        text.append(line + (",," if ",,," in line else f",{number % 2},0.25"))
    (tmp_path / "a.csv").write_text("\n".join(text) + "\n")
    table = read_table(tmp_path / "a.csv")
    assert table.shape_names == ("jawOpen", "eyeBlinkLeft")
    write_report(table, tmp_path / "o.html", title="a")
    words = _Page((tmp_path / "o.html").read_text()).words
    assert words.index("jawOpen") < words.index("eyeBlinkLeft")


def test_other_peoples_files_stay(tmp_path: Path) -> None:
    table = read_table(write_table(tmp_path / "a.csv"))
    (tmp_path / "mine.html").write_text("<p>mine")
    with pytest.raises(OutputError, match="no report of mien"):
        write_report(table, tmp_path / "mine.html", title="a")
    assert (tmp_path / "mine.html").read_text() == "<p>mine"
    write_report(table, tmp_path / "o.html", title="a")
    write_report(table, tmp_path / "o.html", title="again")
    assert "again" in (tmp_path / "o.html").read_text()


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.txt", "x", "ends in"),
        ("a.csv", "", "has neither|no column"),
        ("a.csv", "frame,time_secs\n0,0\n", "no column"),
        ("study.csv", "clip,frame,time_secs\na,0,0\n", "one clip's own table"),
        ("a.jsonl", "{", "not a table"),
        ("a.jsonl", "[1]\n", "no column"),
        ("a.parquet", "PAR", "not a table"),
        ("missing.csv", None, "no such table"),
    ],
)
def test_what_is_no_table_is_refused(
    tmp_path: Path, name: str, text: str | None, told: str
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=told):
        read_table(tmp_path / name)


@pytest.mark.parametrize("place", [".", "/", ".."])
def test_a_folder_is_no_table(capsys: pytest.CaptureFixture[str], place: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["report", place])
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("mien: ")


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    path = write_table(tmp_path / "a.csv")
    text = path.read_text()
    path.write_text(text[: len(text) - 40] + "\n")
    with pytest.raises(InputError, match="line"):
        read_table(path)
    path.write_text(text.replace("0.9", "many", 1))
    with pytest.raises(InputError, match="holds no number"):
        read_table(path)


def test_another_video_is_refused(tmp_path: Path) -> None:
    table = read_table(write_table(tmp_path / "a.csv"))
    short = write_video(tmp_path / "short.mp4", frames=30)
    with pytest.raises(InputError, match="no frame"):
        write_report(table, tmp_path / "o.html", title="a", video=short)
    assert not (tmp_path / "o.html").exists()


def test_the_video_beside_is_found(tmp_path: Path) -> None:
    table = write_table(tmp_path / "clip.csv")
    assert find_video(table) is None
    overlay = write_video(tmp_path / "clip.overlay.mp4")
    assert find_video(table) == overlay
    assert find_video(table) != write_video(tmp_path / "clip.mov")
    assert find_video(table) == tmp_path / "clip.mov"


def test_worst_frames_are_apart(tmp_path: Path) -> None:
    table = read_table(write_table(tmp_path / "a.csv"))
    rows = worst_rows(table)
    assert {(35, 3)} <= {(int(table.frame[r]), int(table.track_id[r])) for r in rows}
    for one in rows:
        for other in rows:
            same = table.track_id[one] == table.track_id[other]
            assert (
                one == other or not same or abs(table.time_secs[one] - table.time_secs[other]) >= 1
            )


def test_a_guess_is_no_worst_frame(tmp_path: Path) -> None:
    """Its confidence is 0 by rule: nothing is to be learned from its picture."""
    path = tmp_path / "a.csv"
    with open_table(path, 68) as table:
        for index in range(3):
            (face, *_) = faces_at(0, 68)
            if index == 1:
                nought = np.zeros(68)
                face = Face(0, 0.0, Landmarks(face.landmarks.points_image, nought), face.pose)
            table.write(Frame(np.zeros((120, 160, 3), np.uint8), index, 2.0 * index), [face])
    assert worst_rows(read_table(path)) == [0, 2]


def test_a_long_curve_keeps_its_peak_and_its_gap() -> None:
    values = np.zeros(30_000)
    values[12_345] = 1.0
    values[20_000:20_100] = np.nan
    drawn = curves_chart([Curve("a", "first", np.arange(30_000) / 25, values)], 1200, 0, 1)
    (path,) = re.findall(r'class="curve first" d="([^"]*)"', drawn)
    assert path.count("M") == 2
    assert "8.0" in [word.split()[-1] for word in re.split("[ML]", path)[1:]]  # the top edge
    assert len(path) < 20_000


def test_ticks_are_round() -> None:
    assert round_ticks(-50, 50, 6) == [-40.0, -20.0, 0.0, 20.0, 40.0]
    assert round_ticks(0, 6, 12)[:3] == [0.0, 0.5, 1.0]
