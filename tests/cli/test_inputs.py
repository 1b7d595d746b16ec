"""What a command line names, and what nobody may overwrite."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import pytest
from scene import DARK, FRAMES, Done, Scene, count_frames, read_rows, square_at, write_photo

from mien.cli.inputs import list_words
from mien.errors import InputError
from mien.media import name_of_address

Mien = Callable[..., Done]


def make_files(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".png":
            write_photo(path, square_at(DARK))
        else:
            path.write_text("x")


def stems(*words: object, out: Path, recursive: bool = False) -> list[str]:
    listing = list_words([str(word) for word in words], out, recursive=recursive)
    return [item.stem for item in listing.inputs]


def test_several_files_each_once(tmp_path: Path) -> None:
    make_files(tmp_path, "a.png", "b.png", "in/a.png")
    a, b = tmp_path / "a.png", tmp_path / "b.png"
    assert stems(b, a, tmp_path / "in" / ".." / "b.png", out=tmp_path) == ["b", "a"]
    assert len(set(stems(a, tmp_path / "in", out=tmp_path))) == 2


def test_a_quoted_pattern(tmp_path: Path) -> None:
    make_files(tmp_path, "a1.png", "a2.png", "b.png", "deep/er/a3.png")
    assert stems(tmp_path / "a*.png", out=tmp_path) == ["a1", "a2"]
    assert stems(tmp_path / "**" / "a*.png", out=tmp_path) == ["a1", "a2", "a3"]
    with pytest.raises(InputError, match="no file matches"):
        list_words([str(tmp_path / "z*.png")], tmp_path)


def test_what_is_missing_or_empty_does_not_stop_the_others(tmp_path: Path, mien: Mien) -> None:
    make_files(tmp_path, "a.png", "b.png")
    (tmp_path / "empty.png").touch()
    (tmp_path / "bare").mkdir()
    none = tmp_path / "none.png"
    listing = list_words([str(none), str(tmp_path / "*"), str(tmp_path / "z*")], tmp_path)
    assert [item.stem for item in listing.inputs] == ["a", "b"]
    assert len(listing.refused) == 4  # missing, empty, a bare folder, a pattern of nothing
    with pytest.raises(InputError, match=r"no such file.*0 bytes"):
        list_words([str(none), str(tmp_path / "empty.png")], tmp_path)
    out = tmp_path / "out"
    done = mien("track", none, tmp_path / "empty.png", tmp_path / "a.png", "--out", out)
    assert done.code == 2
    assert (out / "a.csv").exists()
    assert "no such file" in done.err
    assert "0 bytes" in done.err
    assert "1 of 3 files done" in done.out


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(tmp_path: Path) -> None:
    make_files(tmp_path, "a[1].png", "a1.png")
    assert stems(tmp_path / "a[1].png", out=tmp_path) == ["a[1]"]


def test_folders_within_are_mirrored(tmp_path: Path) -> None:
    make_files(tmp_path, "a.png", "in/a.png", "in/deep/a.png", "bare/x.txt", ".git/a.png")
    assert stems(tmp_path, out=tmp_path) == ["a"]
    assert stems(tmp_path, out=tmp_path, recursive=True) == ["a", "in/a", "in/deep/a"]
    with pytest.raises(InputError, match="or below"):
        list_words([str(tmp_path / "bare")], tmp_path, recursive=True)


def test_what_is_left_out_is_said_in_one_line(tmp_path: Path) -> None:
    make_files(tmp_path, "a.png", "n.txt", "m.TXT", "c.pdf", "Makefile", ".hidden")
    listing = list_words([str(tmp_path)], tmp_path)
    line = listing.left_out_line()
    assert line is not None
    assert "4 files" in line
    assert ".txt (2)" in line
    assert ".pdf (1)" in line


def test_folders_inside_that_nobody_looks_into_are_said(tmp_path: Path) -> None:
    make_files(tmp_path, "a.png", "n.txt", "in/b.png", "in/deep/b.png", "more/c.png", ".git/d.png")
    make_files(tmp_path, "only-hidden/.e.png", "results/a.json", "results/a.part")
    (tmp_path / "results" / "a.json").write_text('{"program": "mien"}')
    (tmp_path / "bare").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "in", target_is_directory=True)
    listing = list_words([str(tmp_path)], tmp_path)
    assert listing.left_out_line() == (
        "left out 1 file that is neither photo nor video: .txt (1); "
        "2 folders inside (--recursive reads them); 1 link to a folder (never followed)"
    )
    inside = [str(tmp_path / name) for name in ("in", "more")]
    assert listing.left_out.folders == inside
    assert listing.left_out.recorded() == (
        str(tmp_path / "n.txt"), *(f"{one}/" for one in (*inside, tmp_path / "link")),
    )  # fmt: skip
    every = list_words([str(tmp_path)], tmp_path, recursive=True)
    assert (every.left_out.folders, len(every.inputs)) == ([], 4)
    named = list_words([str(tmp_path), *inside], tmp_path)
    assert named.left_out.folders == [str(tmp_path / "in" / "deep")]
    by_pattern = list_words([str(tmp_path), f"{tmp_path}/[im]*"], tmp_path)
    assert by_pattern.left_out.folders == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_in_a_folder_is_said(tmp_path: Path) -> None:
    """Only one that is named itself is read."""
    make_files(tmp_path, "a.png")
    (tmp_path / "in").mkdir()
    for pipe in ("p.mp4", "in/q.json"):
        os.mkfifo(tmp_path / pipe)
    left_out = list_words([str(tmp_path)], tmp_path).left_out
    assert left_out.recorded() == (str(tmp_path / "p.mp4"), f"{tmp_path / 'in'}/")


def test_a_folder_inside_that_cannot_be_listed_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_files(tmp_path, "a.png", "locked/b.png")
    list_it = Path.iterdir

    def refused(path: Path) -> Iterator[Path]:
        if path.name == "locked":
            raise PermissionError(13, "Permission denied")
        return list_it(path)

    monkeypatch.setattr(Path, "iterdir", refused)
    listing = list_words([str(tmp_path)], tmp_path, recursive=True)
    assert [item.stem for item in listing.inputs] == ["a"]
    (told,) = listing.refused
    assert "locked: the folder cannot be listed (Permission denied)" in told
    assert list_words([str(tmp_path)], tmp_path).left_out.folders == [str(tmp_path / "locked")]


def test_a_folder_whose_files_cannot_be_looked_at_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that may be read and not entered: names come, and nothing of what they are."""
    make_files(tmp_path, "a.png", "locked/b.png")
    look = Path.stat

    def refused(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        if path.parent.name == "locked":
            raise PermissionError(13, "Permission denied")
        return look(path, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(Path, "stat", refused)
    (told,) = list_words([str(tmp_path)], tmp_path, recursive=True).refused
    assert "locked: the folder cannot be listed (Permission denied)" in told
    with pytest.raises(InputError, match="locked: the folder cannot be listed"):
        list_words([str(tmp_path / "locked")], tmp_path)


def test_a_link_that_leads_nowhere_is_refused_by_a_pattern_too(tmp_path: Path) -> None:
    make_files(tmp_path, "a.png")
    (tmp_path / "b.png").symlink_to(tmp_path / "gone.png")
    (told,) = list_words([str(tmp_path / "*.png")], tmp_path).refused
    assert "b.png: a link to a file that is not there" in told


def test_a_heic_without_the_extra_costs_the_others_nothing(
    mien: Mien, scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.clip.unlink()
    make_files(scene.folder, "a.png")
    # No more than its first box: without the extra nobody reads on.
    (scene.folder / "b.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    done = mien("track", scene.folder, "--out", tmp_path / "out", *scene.options)
    assert done.code == 2
    assert "1 of 2 files done" in done.out
    assert done.err.count("\n") == 1
    assert "b.heic: a HEIC photo; install the extra" in done.err
    assert "pip install 'mien[heif]'" in done.err
    assert len(read_rows(tmp_path / "out" / "a.csv")) == 1


def test_addresses_and_standard_input_are_handed_on(tmp_path: Path) -> None:
    listing = list_words(["rtsp://host:554/live/cam?user=x", "-", "f_%04d.png"], tmp_path)
    assert [item.where for item in listing.inputs][:2] == ["rtsp://host:554/live/cam?user=x", "-"]
    assert [item.stem for item in listing.inputs] == ["cam", "stdin", "f"]


def test_two_clips_and_a_folder_in_folders(mien: Mien, scene: Scene, tmp_path: Path) -> None:
    make_files(scene.folder, "in/p.png", "notes.txt")
    done = mien("track", scene.folder, "-r", "-o", tmp_path / "out", *scene.options)
    assert (done.code, done.err) == (0, "")
    assert "2 of 2 files done" in done.out
    assert "left out 1 file that is neither photo nor video: .txt (1)" in done.out
    assert len(read_rows(tmp_path / "out" / "in" / "p.csv")) == 1


@pytest.mark.parametrize("name", ["2024-01-01T10:30:00", "a" * 240, "ä" * 124, "[red]x", "%h"])
def test_names_that_people_have(mien: Mien, scene: Scene, tmp_path: Path, name: str) -> None:
    out = tmp_path / "10:30"
    clip = scene.folder / f"{name}.mp4"
    scene.clip.rename(clip)
    done = mien("track", clip, "--out", out, "--timeline", *scene.options)
    assert (done.code, done.err) == (0, "")
    (table,) = out.glob("*.csv")
    (overlay,) = out.glob("*.overlay.mp4")
    (summary,) = out.glob("*.json")
    assert table.stem == summary.stem == overlay.name.removesuffix(".overlay.mp4")
    assert table.stem[:100] == name[:100]
    assert len(read_rows(table)) == count_frames(overlay) == FRAMES
    assert not list(out.glob("*.part"))


def test_long_names_that_begin_alike_stay_two(mien: Mien, scene: Scene, tmp_path: Path) -> None:
    make_files(scene.folder, "b" * 250 + "1.png", "b" * 250 + "2.png")
    scene.clip.unlink()
    done = mien("track", scene.folder, "--out", tmp_path / "out", *scene.options)
    assert (done.code, done.err) == (0, "")
    assert len(list((tmp_path / "out").glob("*.csv"))) == 2


@pytest.mark.parametrize("ending", [".json", ".csv", ".overlay.png"])
@pytest.mark.parametrize("content", ["{}", "a,b\n1,2\n", "", '{"program": "other"}'])
def test_somebody_elses_file_is_not_replaced(
    mien: Mien, scene: Scene, tmp_path: Path, ending: str, content: str
) -> None:
    make_files(tmp_path, "001.png")
    foreign = tmp_path / f"001{ending}"
    foreign.write_text(content)
    words = ["track", tmp_path / "001.png", "--out", tmp_path, *scene.options]
    done = mien(*words)
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert foreign.name in done.err
    assert "--overwrite" in done.err
    assert foreign.read_text() == content
    assert len(list(tmp_path.glob("001.*"))) == 2
    assert mien(*words, "--overwrite").code == 0
    assert foreign.read_bytes() != content.encode()


@pytest.mark.parametrize("table", ["csv", "jsonl", "parquet"])
def test_our_own_files_are_replaced(mien: Mien, scene: Scene, tmp_path: Path, table: str) -> None:
    make_files(scene.folder, "p.png")
    words = ["track", scene.folder, "-o", tmp_path / "o", "--timeline", "--format", table]
    for _ in range(2):
        done = mien(*words, *scene.options)
        assert (done.code, done.err) == (0, "")


def test_an_overlay_that_cannot_be_made_costs_nothing_else(
    mien: Mien, scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(av, "codecs_available", set())
    done = mien("track", scene.clip, "--out", tmp_path / "out", *scene.options)
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert "no overlay" in done.err
    assert "--no-overlay" in done.err
    assert len(read_rows(tmp_path / "out" / "clip.csv")) == FRAMES
    summary = json.loads((tmp_path / "out" / "clip.json").read_text())
    assert summary["complete"] is True
    assert any("no overlay" in note for note in summary["notes"])
    assert not list((tmp_path / "out").glob("*overlay*"))


def test_an_overlay_whose_place_is_taken_by_a_folder(
    mien: Mien, scene: Scene, tmp_path: Path
) -> None:
    os.makedirs(tmp_path / "out" / "clip.overlay.mp4")
    done = mien("track", scene.clip, "--out", tmp_path / "out", *scene.options)
    assert done.code == 2
    assert len(read_rows(tmp_path / "out" / "clip.csv")) == FRAMES


def test_numbered_pictures_are_one_clip_at_the_rate_given(
    mien: Mien, scene: Scene, tmp_path: Path
) -> None:
    for index in range(5):
        write_photo(scene.folder / f"frame_{index:04d}.png", square_at(DARK + index))
    words = ["track", scene.folder / "frame_%04d.png", "-o", tmp_path / "out", "--rate", "10"]
    done = mien(*words, *scene.options)
    assert (done.code, done.err) == (0, "")
    rows = read_rows(tmp_path / "out" / "frame.csv")
    assert [float(row["time_secs"]) for row in rows] == [0.0, 0.1, 0.2, 0.3, 0.4]
    assert count_frames(tmp_path / "out" / "frame.overlay.mp4") == 5


def test_the_command_and_the_reader_agree_on_what_a_word_is(tmp_path: Path) -> None:
    """Two numbers in a name, or ``%4d``, are no sequence to the reader, so none to the command."""
    for word in ("a_%d_%d.png", "a_%4d.png"):
        with pytest.raises(InputError):
            list_words([str(tmp_path / word)], tmp_path)
    (one,) = list_words([str(tmp_path / "walk_%03d.png")], tmp_path).inputs
    assert one.stem == "walk"
    (far,) = list_words(["rtsp://10.0.0.1:554/door/main.sdp?x=1"], tmp_path).inputs
    assert far.stem == name_of_address("rtsp://10.0.0.1:554/door/main.sdp?x=1") == "main"
