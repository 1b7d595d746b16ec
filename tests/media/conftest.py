"""Small videos whose every frame carries its own number, written with PyAV."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

VideoMaker = Callable[..., Path]
BITS = 6
BLOCK = 16
MILLISECOND = Fraction(1, 1000)
COUNT_IN_FRAMES = {"mpeg4", "mpeg2video", "wmv2", "mjpeg", "prores_ks", "ffv1"}


def numbered_picture(number: int) -> np.ndarray:
    """96x64: six black or white blocks spell the number; below, noise makes the frame weigh."""
    noise = np.random.default_rng(number).integers(0, 255, (4 * BLOCK, BITS * BLOCK, 1))
    image = np.repeat(noise.astype(np.uint8), 3, axis=2)
    for bit in range(BITS):
        image[:BLOCK, bit * BLOCK : (bit + 1) * BLOCK] = 255 * (number >> bit & 1)
    return image


def number_in(image_rgb: np.ndarray) -> int:
    half = BLOCK // 2
    return sum(int(image_rgb[half, bit * BLOCK + half, 1] > 128) << bit for bit in range(BITS))


@pytest.fixture
def read_number() -> Callable[[np.ndarray], int]:
    return number_in


@pytest.fixture
def make_video(tmp_path: Path) -> VideoMaker:
    """``make_video("a.mp4", times_ms=range(0, 400, 40))`` writes a file and returns its path."""

    def make(
        name: str,
        times_ms: Iterable[int] = range(0, 1200, 40),
        pictures: Sequence[np.ndarray] | None = None,
        codec: str = "libx264",
        pix_fmt: str = "yuv420p",
        codec_options: dict[str, str] | None = None,
        container_options: dict[str, str] | None = None,
        title: str = "",
        pixel_ratio: Fraction | None = None,
    ) -> Path:
        path = tmp_path / name
        times = list(times_ms)
        images = pictures or [numbered_picture(number) for number in range(len(times))]
        with av.open(str(path), "w", options=container_options or {}) as container:
            if title:
                container.metadata["title"] = title
            stream = container.add_stream(codec, rate=25)
            stream.height, stream.width = images[0].shape[:2]
            stream.pix_fmt = pix_fmt
            stream.options = codec_options or {}
            if pixel_ratio is not None:
                stream.codec_context.sample_aspect_ratio = pixel_ratio
            # These count in frames; the others take any time base.
            in_frames = codec in COUNT_IN_FRAMES or path.suffix in (".avi", ".h264", ".hevc")
            unit = Fraction(1, 25) if in_frames else MILLISECOND
            stream.codec_context.time_base = unit
            for time_ms, image in zip(times, images, strict=True):
                frame = av.VideoFrame.from_ndarray(image, format="rgb24")
                frame.pts, frame.time_base = int(time_ms * MILLISECOND / unit), unit
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path

    return make
