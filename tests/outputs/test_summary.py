"""The summary's keys are a promise to scripts."""

from __future__ import annotations

import json

import pytest

from mien.errors import OutputError
from mien.outputs import StageSeconds, Summary, write_summary

SUMMARY = Summary(
    frames_decoded=300,
    frames_with_face=290,
    tracks=2,
    seconds=10.123456,
    fps=29.6341,
    stage_seconds=(StageSeconds("read", 1.5), StageSeconds("predict", 6.25)),
    model="fast",
    markup=68,
    version="0.1.0",
)


def test_the_file_says_what_was_counted(tmp_path):
    write_summary(tmp_path / "a.json", SUMMARY)
    read = json.loads((tmp_path / "a.json").read_text())
    assert read == {
        "program": "mien",
        "frames_decoded": 300,
        "frames_with_face": 290,
        "tracks": 2,
        "seconds": 10.1235,
        "fps": 29.634,
        "stage_seconds": {"read": 1.5, "predict": 6.25},
        "model": "fast",
        "markup": 68,
        "version": "0.1.0",
        "complete": True,
        "incomplete_because": None,
        "notes": [],
        "width": None,
        "height": None,
        "camera": None,
        "absent_blendshapes": None,
    }
    assert [one.name for one in tmp_path.iterdir()] == ["a.json"]


def test_a_full_disk_leaves_the_older_file(tmp_path, disk_of):
    (tmp_path / "a.json").write_text("{}")
    with disk_of(20), pytest.raises(OutputError, match="free some space"):
        write_summary(tmp_path / "a.json", SUMMARY)
    assert (tmp_path / "a.json").read_text() == "{}"
    assert [one.name for one in tmp_path.iterdir()] == ["a.json"]
