"""docs/inputs.md: its table of videos and photos is what the reader does with files made here.

    MIEN_WRITE_PAGE=1 pytest tests/media/test_inputs_page.py

writes the table anew.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image, features

from mien.errors import InputError
from mien.media import open_source

PAGE = Path(__file__).parents[2] / "docs" / "inputs.md"
BEGIN, END = "<!-- read:begin -->", "<!-- read:end -->"

VIDEOS = [
    ("MP4", "a.mp4", "H.264", "libx264", "yuv420p"),
    ("MP4", "b.mp4", "HEVC", "libx265", "yuv420p"),
    ("MP4", "d.mp4", "MPEG-4 part 2", "mpeg4", "yuv420p"),
    ("QuickTime", "a.mov", "H.264", "libx264", "yuv420p"),
    ("QuickTime", "b.mov", "ProRes", "prores_ks", "yuv422p10le"),
    ("Matroska", "a.mkv", "H.264", "libx264", "yuv420p"),
    ("Matroska", "b.mkv", "FFV1", "ffv1", "yuv420p"),
    ("WebM", "a.webm", "VP8", "libvpx", "yuv420p"),
    ("WebM", "b.webm", "VP9", "libvpx-vp9", "yuv420p"),
    ("AVI", "a.avi", "MPEG-4 part 2", "mpeg4", "yuv420p"),
    ("AVI", "b.avi", "H.264", "libx264", "yuv420p"),
    ("AVI", "c.avi", "MJPEG", "mjpeg", "yuvj420p"),
    ("MPEG-TS", "a.ts", "H.264", "libx264", "yuv420p"),
    ("MPEG-PS", "a.mpg", "MPEG-2", "mpeg2video", "yuv420p"),
    ("Flash", "a.flv", "H.264", "libx264", "yuv420p"),
    ("Windows Media", "a.wmv", "WMV 2", "wmv2", "yuv420p"),
    ("GIF", "a.gif", "GIF", "gif", "gray"),
    ("raw H.264", "a.h264", "H.264", "libx264", "yuv420p"),
    ("raw HEVC", "a.hevc", "HEVC", "libx265", "yuv420p"),
]
RAW = [("raw H.264", "r.h264", "libx264"), ("raw HEVC", "r.hevc", "libx265")]
RAW_RATES = (12, 50)
PHOTOS = [
    ("JPEG", "a.jpg"),
    ("PNG", "a.png"),
    ("TIFF", "a.tif"),
    ("WebP", "a.webp"),
    ("AVIF", "a.avif"),
    ("BMP", "a.bmp"),
    ("GIF", "a.gif"),
    ("JPEG 2000", "a.jp2"),
    ("TGA", "a.tga"),
    ("PPM", "a.ppm"),
    ("ICO", "a.ico"),
]
MOVING = [("WebP", "m.webp"), ("PNG", "m.png"), ("AVIF", "m.avif"), ("TIFF", "m.tif")]


def told(path: Path) -> str:
    """What the reader makes of a file."""
    try:
        with open_source(path) as source:
            frames = list(source)
    except InputError as error:
        return "refused: " + str(error).removeprefix(f"{path}: ")
    if source.kind.value == "photo":
        return "a photo"
    times = [frame.time_secs for frame in frames]
    return f"{len(frames)} frames, {round((len(times) - 1) / (times[-1] - times[0]))} a second"


def size_of(photo: Path) -> str:
    with open_source(photo) as source:
        (frame,) = source
    height, width = frame.image_rgb.shape[:2]
    return f" of {width}x{height} px"


def raw_stream(path: Path, encoder: str, rate: int) -> Path:
    """Ten frames without a container; the rate stands in the stream's own header."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(encoder, rate=rate)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.options = {"x265-params": "log-level=none"} if encoder == "libx265" else {}
        noise = np.random.default_rng(0).integers(0, 255, (10, 48, 64, 3), dtype=np.uint8)
        for picture in noise:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def heic_rows(folder: Path, picture: Image.Image) -> list[str]:
    """With the extra, and as on a machine without it."""
    heif = pytest.importorskip("pillow_heif")
    path = folder / "a.heic"
    heif.from_pillow(picture).save(path)
    rows = [f"| HEIC (`.heic`), with `mien[heif]` | one picture | {told(path)} |"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "pillow_heif", None)
        rows.append(f"| HEIC (`.heic`), without it | one picture | {told(path)} |")
    return rows


def table(folder: Path, make_video) -> str:
    lines = ["| file | inside | what the reader gives |", "| --- | --- | --- |"]
    for form, name, codec, encoder, pix_fmt in VIDEOS:
        quiet = {"x265-params": "log-level=none"} if encoder == "libx265" else {}
        path = make_video(
            name, codec=encoder, pix_fmt=pix_fmt, times_ms=range(0, 400, 40), codec_options=quiet
        )
        lines.append(f"| {form} (`{path.suffix}`) | {codec}, 10 frames | {told(path)} |")
    for form, name, encoder in RAW:
        for rate in RAW_RATES:
            path = raw_stream(folder / name, encoder, rate)
            inside = f"10 frames, {rate} a second in its header"
            lines.append(f"| {form} (`{path.suffix}`) | {inside} | {told(path)} |")
    noise = np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    scenes = [Image.fromarray(np.roll(noise, number, axis=1)) for number in range(4)]
    for form, name in PHOTOS:
        scenes[0].save(folder / name)
        lines.append(f"| {form} (`{Path(name).suffix}`) | one picture | {told(folder / name)} |")
    icon = folder / "sizes.ico"
    scenes[0].resize((64, 64)).save(icon, sizes=[(16, 16), (32, 32), (64, 64)])
    lines.append(f"| ICO (`.ico`) | pictures of 16, 32 and 64 px | {told(icon)}{size_of(icon)} |")
    lines += heic_rows(folder, scenes[0])
    for form, name in MOVING:
        scenes[0].save(folder / name, save_all=True, append_images=scenes[1:], duration=80)
        inside = "4 pages" if form == "TIFF" else "4 frames of 80 ms"
        lines.append(f"| {form} (`{Path(name).suffix}`) | {inside} | {told(folder / name)} |")
    return "\n".join(lines)


def test_the_page_says_what_the_reader_does(tmp_path, make_video):
    if not features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    made = f"{BEGIN}\n{table(tmp_path, make_video)}\n{END}"
    page = PAGE.read_text(encoding="utf-8")
    written = re.sub(f"{BEGIN}.*{END}", lambda _: made, page, flags=re.DOTALL)
    if os.environ.get("MIEN_WRITE_PAGE"):
        PAGE.write_text(written, encoding="utf-8")
    assert written == page or os.environ.get("MIEN_WRITE_PAGE")
    refused = [line for line in made.splitlines() if "refused" in line]
    assert ["without it" in line for line in refused] == [True]
