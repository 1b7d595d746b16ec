"""Tables read back by pandas, and what is left of them when something breaks."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mien.errors import ConfigError, OutputError
from mien.outputs import TABLE_FORMATS, open_table
from mien.outputs.tables import columns
from mien.types import Face, Frame, HeadPose, Landmarks

READERS = {
    "csv": pd.read_csv,
    "parquet": pd.read_parquet,
    "jsonl": lambda path: pd.read_json(path, lines=True),
}


def test_the_columns_are_these():
    assert ",".join(columns(2)) == (
        "frame,time_secs,track_id,score,box_left,box_top,box_right,box_bottom,"
        "yaw_deg,pitch_deg,roll_deg,x_0,x_1,y_0,y_1,z_0,z_1,c_0,c_1"
    )


def test_a_csv_written_out_by_hand(tmp_path):
    points = np.array([[1.00049, 2, -3], [4, 5.12345, 3]])
    face = Face(
        7, 0.98765, Landmarks(points, np.array([0.5, 1 / 3])), HeadPose(10.12345, -2.0, 0.5)
    )
    blank = np.zeros((2, 2, 3), dtype=np.uint8)
    with open_table(tmp_path / "a.csv", points=2) as table:
        table.write(Frame(blank, 0, 0.0), [face])
        table.write(Frame(blank, 1, 1 / 3), [])
    header, first, second = (tmp_path / "a.csv").read_text().splitlines()
    assert header == ",".join(columns(2))
    assert first == (
        "0,0.0,7,0.9877,1.0,2.0,4.0,5.123,10.123,-2.0,0.5,1.0,4.0,2.0,5.123,-3.0,3.0,0.5,0.3333"
    )
    assert second == "1,0.333333" + "," * 17


@pytest.mark.parametrize("points", [68, 84])
@pytest.mark.parametrize("ending", TABLE_FORMATS)
def test_pandas_reads_what_was_written(tmp_path, make_face, make_frame, ending, points):
    path = tmp_path / "new" / f"a.{ending}"
    faces = [make_face(points, track_id=3), make_face(points, (60.0, 50.0), 40.0, track_id=4)]
    with open_table(path, points) as table:
        for index in range(6):
            table.write(make_frame(index), faces[: index % 3])
    read = READERS[ending](path)
    assert tuple(read.columns) == columns(points)
    assert read["frame"].tolist() == [0, 1, 2, 2, 3, 4, 5, 5]
    assert read["track_id"].fillna(-1).tolist() == [-1, 3, 3, 4, -1, 3, 3, 4]
    np.testing.assert_allclose(read["time_secs"], read["frame"] / 25, atol=1e-6)
    empty = read[read["track_id"].isna()]
    assert empty.drop(columns=["frame", "time_secs"]).isna().all().all()
    second = read.iloc[3]
    xyz = np.array([[second[f"{axis}_{i}"] for axis in "xyz"] for i in range(points)], float)
    np.testing.assert_allclose(xyz, faces[1].landmarks.points_image, atol=5.1e-4)
    np.testing.assert_allclose(second["box_left"], faces[1].box.left, atol=5.1e-4)
    assert not list(path.parent.glob("*.part"))


def test_parquet_keeps_integers_and_writes_in_groups(tmp_path, make_face, make_frame):
    import pyarrow.parquet as pq

    path = tmp_path / "a.parquet"
    with open_table(path, 68) as table:
        for index in range(1100):
            table.write(make_frame(index), [make_face()] if index % 2 else [])
    file = pq.ParquetFile(path)
    assert str(file.schema_arrow.field("track_id").type) == "int64"
    assert not file.schema_arrow.field("frame").nullable
    assert file.num_row_groups == 3
    assert file.metadata.num_rows == 1100


def test_jsonl_has_numbers_and_nulls(tmp_path, make_frame):
    points = np.array([[1.0, 2.0, np.nan], [4.0, 5.0, 6.0]])
    face = Face(1, 0.5, Landmarks(points, np.ones(2)), HeadPose(0.0, 0.0, 0.0))
    with open_table(tmp_path / "a.jsonl", 2) as table:
        table.write(make_frame(0), [face])
        table.write(make_frame(1), [])
    first, second = map(json.loads, (tmp_path / "a.jsonl").read_text().splitlines())
    assert (first["track_id"], first["x_1"], first["z_0"]) == (1, 4.0, None)
    assert second["frame"] == 1
    assert second["track_id"] is None


@pytest.mark.parametrize("ending", TABLE_FORMATS)
@pytest.mark.parametrize("blow", [KeyboardInterrupt, RuntimeError])
def test_an_interruption_keeps_the_rows(tmp_path, make_face, make_frame, ending, blow):
    path = tmp_path / f"a.{ending}"

    def run() -> None:
        with open_table(path, 68) as table:
            for index in range(5):
                table.write(make_frame(index), [make_face()])
            raise blow

    with pytest.raises(blow):
        run()
    assert len(READERS[ending](path)) == 5
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_a_full_disk_keeps_the_whole_rows(tmp_path, make_face, make_frame, disk_of, ending):
    path = tmp_path / f"a.{ending}"
    written = 0

    def run() -> None:
        nonlocal written
        with disk_of(20_000), open_table(path, 68) as table:
            for index in range(100):
                table.write(make_frame(index), [make_face()])
                written += 1

    with pytest.raises(OutputError, match="free some space") as caught:
        run()
    assert "\n" not in str(caught.value)
    assert 3 < written < 20
    assert READERS[ending](path)["frame"].tolist() == list(range(written))


def test_a_full_disk_leaves_no_broken_parquet(tmp_path, make_face, make_frame, disk_of):
    def run() -> None:
        with disk_of(20_000), open_table(tmp_path / "a.parquet", 68) as table:
            for index in range(2000):
                table.write(make_frame(index), [make_face(centre=(index * 1.7, index * 0.3))])

    with pytest.raises(OutputError, match="free some space"):
        run()
    assert list(tmp_path.iterdir()) == []


def test_rows_are_on_disk_before_the_table_is_closed(tmp_path, make_face, make_frame):
    table = open_table(tmp_path / "a.csv", 68)
    table.write(make_frame(0), [make_face()])
    assert not (tmp_path / "a.csv").exists()
    assert len(pd.read_csv(tmp_path / "a.csv.part")) == 1
    table.close()
    table.close()
    assert (tmp_path / "a.csv").exists()


def test_bad_places(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="a file stands where its folder"):
        open_table(tmp_path / "file" / "a.csv", 68)
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(OutputError, match="a folder has this name"):
        open_table(tmp_path / "a.csv", 68)


def test_a_folder_that_cannot_be_written(tmp_path, monkeypatch):
    def refuse(*args: object, **kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "write_bytes", refuse)  # the tests may run as root
    with pytest.raises(OutputError, match="Permission denied"):
        open_table(tmp_path / "a.csv", 68)


def test_an_unknown_ending(tmp_path):
    with pytest.raises(ConfigError, match=r"\.csv, \.parquet, \.jsonl"):
        open_table(tmp_path / "a.xlsx", 68)


def test_parquet_without_pyarrow(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "mien.outputs.parquet", raising=False)
    with pytest.raises(ConfigError, match=r"pip install 'mien\[parquet\]'"):
        open_table(tmp_path / "a.parquet", 68)
    assert list(tmp_path.iterdir()) == []


def test_another_number_of_points_is_a_mistake_of_ours(tmp_path, make_face, make_frame):
    with open_table(tmp_path / "a.csv", 84) as table, pytest.raises(ValueError, match="84 points"):
        table.write(make_frame(0), [make_face(68)])
