"""Photos as phones, scanners and other programs leave them."""

from __future__ import annotations

import builtins
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mien.errors import InputError
from mien.media import SourceKind, as_picture, open_source
from tifffiles import add_directory, tiff


def read(path: Path) -> np.ndarray:
    with open_source(path) as source:
        assert source.kind is SourceKind.PHOTO
        (frame,) = source
    return frame.image_rgb


@pytest.fixture
def noise() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (40, 48, 4), dtype=np.uint8)


def photo(size: tuple[int, int] = (160, 120)) -> Image.Image:
    small = np.random.default_rng(1).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)


DTYPES = {"8": np.uint8, "16": np.uint16, "32": np.uint32, "float": np.float32}


def stored(values: np.ndarray, bits: str) -> np.ndarray:
    if bits == "float":
        return (values / 255).astype(np.float32)
    dtype = DTYPES[bits]
    return values.astype(dtype) * dtype(np.iinfo(dtype).max // 255)


@pytest.mark.parametrize("end", ["<", ">"])
@pytest.mark.parametrize("deflate", [False, True])
@pytest.mark.parametrize("bits", ["8", "16", "float"])
@pytest.mark.parametrize("planar", [1, 2])
def test_tiff_colour(tmp_path, noise, bits, planar, end, deflate):
    if bits == "float" and planar == 1:
        pytest.skip("interleaved floats have their own test")
    path = tmp_path / "a.tif"
    rgb = noise[..., :3]
    path.write_bytes(tiff(stored(rgb, bits), 2, planar=planar, end=end, deflate=deflate))
    np.testing.assert_array_equal(read(path), rgb)


@pytest.mark.parametrize("end", ["<", ">"])
@pytest.mark.parametrize("deflate", [False, True])
@pytest.mark.parametrize("bits", ["8", "16", "32", "float"])
@pytest.mark.parametrize("photometric", [0, 1])
def test_tiff_grey(tmp_path, noise, bits, photometric, end, deflate):
    path = tmp_path / "a.tif"
    grey = noise[..., :1]
    values = 255 - grey if photometric == 0 else grey
    path.write_bytes(tiff(stored(values, bits), photometric, end=end, deflate=deflate))
    np.testing.assert_array_equal(read(path), np.repeat(grey, 3, axis=2))


@pytest.mark.parametrize("end", ["<", ">"])
@pytest.mark.parametrize("bits", ["8", "16", "32"])
@pytest.mark.parametrize(("photometric", "planar"), [(0, 1), (1, 1), (2, 1), (2, 2)])
def test_a_tiff_with_offsets_of_64_bits(tmp_path, noise, photometric, planar, bits, end):
    """BigTIFF: one picture, then the same three times as a film."""
    shown = noise[..., :3] if photometric == 2 else np.repeat(noise[..., :1], 3, axis=2)
    values = 255 - shown if photometric == 0 else shown
    values = stored(values if photometric == 2 else values[..., :1], bits)
    path = tmp_path / "a.tif"
    path.write_bytes(tiff(values, photometric, planar=planar, end=end, big=True))
    np.testing.assert_array_equal(read(path), shown)
    path.write_bytes(tiff(values, photometric, planar=planar, end=end, big=True, pages=3))
    with open_source(path) as source:
        assert source.kind is SourceKind.VIDEO
        frames = list(source)
    assert len(frames) == 3
    for frame in frames:
        np.testing.assert_array_equal(frame.image_rgb, shown)


@pytest.mark.parametrize("photometric", [0, 1])
def test_a_tiff_of_twelve_bits(tmp_path, noise, photometric):
    """Two samples in three bytes."""
    grey = noise[..., 0]
    values = grey.astype(np.uint16) << 4 | grey >> 4
    values = 4095 - values if photometric == 0 else values
    first, second = values[:, ::2], values[:, 1::2]
    packed = np.stack([first >> 4, (first & 15) << 4 | second >> 8, second & 255], axis=2)
    rows = packed.astype(np.uint8).reshape(40, 72, 1)
    path = tmp_path / "a.tif"
    path.write_bytes(tiff(rows, photometric, tags={256: (4, [48]), 258: (3, [12])}))
    np.testing.assert_array_equal(read(path)[..., 0], grey)


@pytest.mark.parametrize(
    ("dtype", "white"),
    [
        *((np.uint32, 255), (np.uint32, 65535), (np.uint32, 2**32 - 1)),
        *((np.int8, 127), (np.int16, 32767), (np.int32, 65535), (np.int32, 2**31 - 1)),
        *((np.float32, 1.0), (np.float32, 255.0), (np.float32, 65535.0)),
    ],
)
def test_white_is_what_the_numbers_say(tmp_path, noise, dtype, white):
    """Wide numbers hold fewer bits as well: nothing is clipped to white, nothing falls to black."""
    grey = noise[..., :1].copy()
    grey[0, 0] = 255
    values = np.rint(grey / 255 * white) if white > 1 else grey / 255
    path = tmp_path / "a.tif"
    path.write_bytes(tiff(values.astype(dtype), 1))
    np.testing.assert_allclose(read(path)[..., :1], grey, atol=1)


@pytest.mark.parametrize("end", ["<", ">"])
@pytest.mark.parametrize("planar", [1, 2])
@pytest.mark.parametrize("photometric", [1, 2])
def test_tiff_with_alpha_of_sixteen_bits(tmp_path, noise, photometric, planar, end):
    count = 2 if photometric == 1 else 4
    values = noise[..., :count].copy()
    values[:20, :, -1] = 255
    values[20:, :, -1] = 0
    path = tmp_path / "a.tif"
    path.write_bytes(tiff(stored(values, "16"), photometric, planar=planar, end=end))
    shown = read(path)
    opaque = np.repeat(values[:20, :, :1], 3, axis=2) if count == 2 else values[:20, :, :3]
    np.testing.assert_array_equal(shown[:20], opaque)
    assert (shown[20:] == 255).all()


def test_a_wide_tiff_is_turned_as_it_says(tmp_path, noise):
    path = tmp_path / "a.tif"
    path.write_bytes(tiff(stored(noise[..., :1], "16"), 1, tags={274: (3, [6])}))
    np.testing.assert_array_equal(read(path)[..., 0], np.rot90(noise[..., 0], -1))
    path.write_bytes(tiff(stored(255 - noise[..., :1], "16"), 0, tags={274: (3, [6])}))
    np.testing.assert_array_equal(read(path)[..., 0], np.rot90(noise[..., 0], -1))


@pytest.mark.parametrize("photometric", [2, 32803, 34892])
@pytest.mark.parametrize("name", ["a.dng", "a.tif"])
def test_a_preview_is_never_taken_for_the_photo(tmp_path, noise, photometric, name):
    """A small first page, and a larger picture in a SubIFD, as raw files have them."""
    data = bytearray(tiff(noise[..., :3], 2))
    large = {256: (4, [96]), 257: (4, [80]), 258: (3, [8]), 259: (3, [1]), 262: (3, [photometric])}
    below = add_directory(data, "<", large)
    small = {256: (4, [48]), 257: (4, [40]), 258: (3, [8, 8, 8]), 259: (3, [1]), 262: (3, [2])}
    strips = {254: (4, [1]), 273: (4, [8]), 277: (3, [3]), 278: (4, [40]), 279: (4, [5760])}
    add_directory(data, "<", small | strips | {330: (4, [below])})
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(InputError, match="raw file"):
        open_source(path)


@pytest.mark.parametrize(
    "head",
    [
        b"FUJIFILMCCD-RAW 0201",
        b"IIRO\x08\0\0\0",
        b"IIU\0\x18\0\0\0",
        b"FOVb\0\0\2\0",
        b"II*\0\x10\0\0\0CR\2\0",
        b"\0\0\0\x18ftypcrx \0\0\0\1crx isom",
    ],
)
def test_raw_files_are_refused_by_their_bytes(tmp_path, head):
    path = tmp_path / "photo"
    path.write_bytes(head + bytes(500))
    with pytest.raises(InputError, match="raw file"):
        open_source(path)


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("lost", [1, 2])
def test_a_jpeg_that_lacks_only_its_end_mark(tmp_path, progressive, lost):
    path = tmp_path / "a.jpg"
    photo().save(path, progressive=progressive, quality=92)
    whole = read(path)
    data = path.read_bytes()
    path.write_bytes(data[:-lost])
    np.testing.assert_array_equal(read(path), whole)
    path.write_bytes(data[:-2] + bytes(100))  # a recovery tool's padding
    np.testing.assert_array_equal(read(path), whole)


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("left", [0.3, 0.6, 0.9, 0.98])
def test_a_jpeg_that_lacks_pixels_is_refused(tmp_path, progressive, left):
    path = tmp_path / "a.jpg"
    photo().save(path, progressive=progressive, quality=92)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * left)])
    with pytest.raises(InputError, match="cut off or damaged"):
        open_source(path)


def test_two_hundred_megapixels(tmp_path):
    path = tmp_path / "a.jpg"
    Image.new("L", (16320, 12240), 90).save(path, quality=10)
    shown = read(path)
    assert shown.shape == (12240, 16320, 3)
    assert np.abs(shown[-1, -1].astype(int) - 90).max() < 8


def test_more_than_four_hundred_megapixels_are_one_sentence(tmp_path, noise):
    """Of files, whoever decodes them, and of what is handed over."""
    (tmp_path / "a.pgm").write_bytes(b"P5 30000 30000 255\n" + bytes(100))
    sides = {256: (4, [30000]), 257: (4, [30000])}
    wide = tiff(stored(noise[..., :1], "16"), 0, tags=sides)  # not by Pillow
    (tmp_path / "a.tif").write_bytes(wide)
    for name in ("a.pgm", "a.tif"):
        with pytest.raises(InputError, match=r"too large a picture \(30000x30000, at most 400 "):
            open_source(tmp_path / name)
    huge = np.broadcast_to(np.uint8(0), (30000, 30000, 3))
    for picture in (huge, huge[..., 0]):
        with pytest.raises(InputError, match="an array: too large"):
            as_picture(picture)
    with pytest.raises(InputError, match="Pillow's: too large"):
        as_picture(Image.new("1", (20_001, 20_000)))


def test_heic_with_the_extra_and_a_line_that_names_it_without(tmp_path, monkeypatch):
    heif = pytest.importorskip("pillow_heif")
    upright = photo()
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "a.heic"
    heif.from_pillow(upright).save(path, quality=95)
    np.testing.assert_allclose(read(path).astype(int), np.asarray(upright), atol=24)
    turned = upright.transpose(Image.Transpose.ROTATE_90)  # to be shown 90 degrees clockwise
    heif.from_pillow(turned).save(path, quality=95, exif=exif.tobytes())
    np.testing.assert_allclose(read(path).astype(int), np.asarray(upright), atol=24)

    real = builtins.__import__

    def without(name: str, *rest: object, **more: object) -> object:
        if name == "pillow_heif":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match=r"pip install 'mien\[heif\]'"):
        open_source(path)


def test_icons(tmp_path):
    path = tmp_path / "a.ico"
    photo((64, 64)).save(path, sizes=[(16, 16), (64, 64)])
    np.testing.assert_array_equal(read(path), np.asarray(photo((64, 64))))


def test_nothing_foreign_is_said(tmp_path):
    """Pillow warns of cut EXIF blocks, libtiff of unknown tags: the user hears neither."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a maker with a long name" * 4
    photo().save(tmp_path / "whole.jpg", exif=exif)
    data = (tmp_path / "whole.jpg").read_bytes()
    at = data.index(b"Exif\0\0")
    short = b"\xff\xe1" + (2 + 40).to_bytes(2, "big") + data[at : at + 40]
    end = at - 2 + int.from_bytes(data[at - 2 : at], "big")
    (tmp_path / "short.jpg").write_bytes(data[: at - 4] + short + data[end:])
    noise = np.random.default_rng(0).integers(0, 256, (40, 48, 1), dtype=np.uint8)
    odd = {60000: (3, [1, 2, 3]), 34665: (4, [99999])}
    (tmp_path / "odd.tif").write_bytes(tiff(noise, 1, deflate=True, tags=odd))
    code = (
        "import sys, warnings; warnings.simplefilter('always')\n"
        "from mien.media import open_source\n"
        "for path in sys.argv[1:]: print(next(iter(open_source(path))).image_rgb.shape)"
    )
    words = [str(tmp_path / name) for name in ("short.jpg", "odd.tif")]
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 2


def test_bytes_of_pillow_are_turned_alike(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    photo().save(buffer, "PNG", exif=exif)
    (tmp_path / "a.png").write_bytes(buffer.getvalue())
    from_file = read(tmp_path / "a.png")
    assert from_file.shape == (160, 120, 3)
    np.testing.assert_array_equal(as_picture(Image.open(tmp_path / "a.png")), from_file)


@pytest.mark.parametrize("mode", ["La", "LA", "RGBa", "I", "F", "HSV", "PA", "RGBX"])
def test_pictures_of_pillow_of_every_mode(mode):
    image = photo().convert({"La": "LA", "RGBa": "RGBA", "PA": "P"}.get(mode, mode)).convert(mode)
    read_as = as_picture(image).astype(int)
    wanted = (
        photo() if mode in ("HSV", "RGBa", "RGBX", "PA") else photo().convert("L").convert("RGB")
    )
    assert np.abs(read_as - np.asarray(wanted)).mean() < (20 if mode == "PA" else 2)


def test_a_picture_of_pillow_that_cannot_be_read_is_one_sentence(tmp_path):
    buffer = io.BytesIO()
    photo().save(buffer, "JPEG")
    with pytest.raises(InputError, match="cut off or damaged"):
        as_picture(Image.open(io.BytesIO(buffer.getvalue()[:1500])))
    (tmp_path / "a.jpg").write_bytes(buffer.getvalue())
    with (tmp_path / "a.jpg").open("rb") as file:
        shut = Image.open(file)
    with pytest.raises(InputError, match="seek of closed file"):
        as_picture(shut)


def test_a_matrix_is_a_grey_picture():
    grey = np.asarray(photo().convert("L"))
    with pytest.warns(PendingDeprecationWarning):
        matrix = np.asmatrix(grey)
    np.testing.assert_array_equal(as_picture(matrix), np.repeat(grey[..., None], 3, axis=2))


@pytest.mark.parametrize("name", ["a.pdf", "a.docx", "a.gpr", "a"])
def test_a_picture_inside_something_else_is_no_video(tmp_path, name):
    buffer = io.BytesIO()
    photo().save(buffer, "JPEG")
    path = tmp_path / name
    path.write_bytes(b"%PDF-1.7\nstream\n" + 2 * buffer.getvalue() + b"\nendstream\n" * 200)
    with pytest.raises(InputError, match="JPEG pictures in it"):
        open_source(path)
