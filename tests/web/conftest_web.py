"""The application with the stand-in network, and a detector that knows where the square is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from mien.pipeline import TrackerParts
from mien.runtime import load_landmarkers
from mien.types import Box, Detection, Frame
from mien.web.app import make_app
from mien.web.visitors import Limits

TOKEN = "a-token"
PORT = 8420
HERE = f"http://127.0.0.1:{PORT}"


class SquareFinder:
    """The brightest square of a picture, if there is one."""

    def find(self, frame: Frame) -> list[Detection]:
        rows, columns = (frame.image_rgb[..., 0] > 128).nonzero()
        if not len(rows):
            return []
        box = Box(*map(float, (columns.min(), rows.min() - 4, columns.max(), rows.max() - 4)))
        return [Detection(box, 1.0)]


@pytest.fixture
def parts(standin_model: Path) -> TrackerParts:
    return TrackerParts(load_landmarkers(str(standin_model), threads=1), SquareFinder())


@pytest.fixture
def limits() -> Limits:
    return Limits(visitors=2, upload_mb=1, video_minutes=0.5 / 60, idle_secs=300.0)


@pytest.fixture
def page(parts: TrackerParts, limits: Limits, tmp_path: Path) -> Iterator[TestClient]:
    """A browser on this machine that has the address."""
    folder = tmp_path / "folder"
    folder.mkdir()
    app = make_app(parts, folder, TOKEN, limits)
    with TestClient(app, base_url=HERE, raise_server_exceptions=True) as client:
        client.base_url = f"{HERE}/{TOKEN}/"
        yield client
