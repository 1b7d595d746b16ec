"""Photos of every kind against the pixels they were made from."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from mien.errors import InputError
from mien.media import SourceKind, open_source

RED, GREEN, BLUE, GREY = (220, 30, 40), (30, 200, 60), (30, 60, 210), (128, 128, 128)


@pytest.fixture
def scene() -> np.ndarray:
    """40 high, 60 wide, four colours: no symmetry to hide behind."""
    image = np.zeros((40, 60, 3), dtype=np.uint8)
    image[:20, :30], image[:20, 30:], image[20:, :30], image[20:, 30:] = RED, GREEN, BLUE, GREY
    return image


def read(path: Path) -> np.ndarray:
    with open_source(path) as source:
        frames = list(source)
        assert source.kind is SourceKind.PHOTO
        assert source.frames_expected == 1
        assert source.name == path.stem
    assert len(frames) == 1
    assert frames[0].index == 0
    assert frames[0].time_secs == 0
    return frames[0].image_rgb


def save(image: Image.Image, path: Path, **options: object) -> Path:
    image.save(path, **options)
    return path


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "webp", "ppm", "jp2", "tga"])
def test_lossless_colour(tmp_path, scene, suffix):
    options = {"lossless": True} if suffix == "webp" else {}
    path = save(Image.fromarray(scene), tmp_path / f"a.{suffix}", **options)
    np.testing.assert_array_equal(read(path), scene)


def test_jpeg(tmp_path, scene):
    path = save(Image.fromarray(scene), tmp_path / "a.jpg", quality=95, subsampling=0)
    np.testing.assert_allclose(read(path).astype(int), scene, atol=12)


# For each EXIF value, how the upright scene must have been stored: EXIF 2.3, tag 0x0112.
STORED = {
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: upright[::-1, ::-1],
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.transpose(1, 0, 2),
    6: lambda upright: np.rot90(upright, 1),  # shown turned 90 degrees clockwise
    7: lambda upright: upright[::-1, ::-1].transpose(1, 0, 2),
    8: lambda upright: np.rot90(upright, -1),
}


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "webp"])
@pytest.mark.parametrize("orientation", STORED)
def test_exif_rotation(tmp_path, scene, orientation, suffix):
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(STORED[orientation](scene)))
    lossy = {"jpg": {"quality": 95, "subsampling": 0}, "webp": {"lossless": True}}
    path = save(stored, tmp_path / f"a.{suffix}", exif=exif, **lossy.get(suffix, {}))
    shown = read(path)
    assert shown.shape == scene.shape
    np.testing.assert_allclose(shown.astype(int), scene, atol=12)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bit_grey_by_another_library(tmp_path, suffix):
    ramp = np.tile(np.linspace(0, 65535, 64).astype(np.uint16), (32, 1))
    path = tmp_path / f"a.{suffix}"
    assert cv2.imwrite(str(path), ramp)
    shown = read(path)
    np.testing.assert_allclose(shown[..., 0], ramp / 257, atol=1)
    assert (shown[..., 0] == shown[..., 2]).all()


def test_sixteen_bit_colour_by_another_library(tmp_path, scene):
    path = tmp_path / "a.png"
    assert cv2.imwrite(str(path), scene[..., ::-1].astype(np.uint16) * 257)
    np.testing.assert_array_equal(read(path), scene)


@pytest.mark.parametrize("largest", [1.0, 255.0])
def test_float_grey(tmp_path, largest):
    ramp = np.tile(np.linspace(0, largest, 64, dtype=np.float32), (32, 1))
    shown = read(save(Image.fromarray(ramp), tmp_path / "a.tif"))
    np.testing.assert_allclose(shown[..., 1], ramp / largest * 255, atol=0.51)


def test_cmyk_jpeg(tmp_path, scene):
    path = save(Image.fromarray(scene).convert("CMYK"), tmp_path / "a.jpg", quality=95)
    shown = read(path)
    np.testing.assert_allclose(shown.astype(int)[10, 10], RED, atol=12)
    np.testing.assert_allclose(shown.astype(int)[30, 45], GREY, atol=12)


def test_grey_one_bit_and_palette(tmp_path, scene):
    grey = Image.fromarray(scene).convert("L")
    shown = read(save(grey, tmp_path / "grey.png"))
    np.testing.assert_array_equal(shown[..., 1], np.asarray(grey))
    checks = Image.fromarray((np.indices((20, 20)).sum(0) % 2 * 255).astype(np.uint8)).convert("1")
    assert set(np.unique(read(save(checks, tmp_path / "bit.png")))) == {0, 255}
    assert read(save(checks, tmp_path / "bit.png"))[0, 1].tolist() == [255, 255, 255]
    palette = Image.fromarray(scene).quantize(4)
    np.testing.assert_allclose(read(save(palette, tmp_path / "p.png")).astype(int), scene, atol=3)


def test_what_is_transparent_is_white(tmp_path, scene):
    alpha = np.full((40, 60, 1), 255, dtype=np.uint8)
    alpha[:20] = 0
    alpha[20:, 30:] = 128
    see_through = Image.fromarray(np.concatenate([scene, alpha], axis=2))
    shown = read(save(see_through, tmp_path / "a.png"))
    assert (shown[:20] == 255).all()
    assert tuple(shown[30, 10]) == BLUE
    np.testing.assert_allclose(shown[30, 45], 0.5 * 128 + 0.5 * 255, atol=1)
    keyed = Image.fromarray(scene).quantize(4)
    index = keyed.getpixel((0, 0))
    shown = read(save(keyed, tmp_path / "keyed.png", transparency=index))
    assert tuple(shown[0, 0]) == (255, 255, 255)
    np.testing.assert_allclose(shown[30, 10].astype(int), BLUE, atol=3)


def test_a_still_gif_is_a_photo(tmp_path, scene):
    shown = read(save(Image.fromarray(scene), tmp_path / "a.gif"))
    np.testing.assert_allclose(shown.astype(int), scene, atol=3)


def test_a_photo_is_known_by_its_bytes(tmp_path, scene):
    buffer = io.BytesIO()
    Image.fromarray(scene).save(buffer, format="PNG")
    for name in ("photo.mp4", "photo", "photo.jpg"):
        (tmp_path / name).write_bytes(buffer.getvalue())
        np.testing.assert_array_equal(read(tmp_path / name), scene)


@pytest.mark.parametrize("size", [(1, 1), (15, 400), (400, 15)])
def test_too_small(tmp_path, size):
    path = save(Image.new("RGB", size), tmp_path / "a.png")
    with pytest.raises(InputError, match=f"16x16 px, got {size[0]}x{size[1]}"):
        open_source(path)


def test_sixteen_pixels_are_enough(tmp_path):
    assert read(save(Image.new("RGB", (16, 16)), tmp_path / "a.png")).shape == (16, 16, 3)


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp", "bmp"])
@pytest.mark.parametrize("left", [0.05, 0.5, 0.9])
def test_a_cut_photo_is_one_clear_line(tmp_path, suffix, left):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    path = save(Image.fromarray(noise), tmp_path / f"a.{suffix}")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * left)])
    with pytest.raises(InputError) as caught:
        open_source(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_bomb_is_refused(tmp_path):
    header = save(Image.new("1", (16, 16)), tmp_path / "a.bmp")
    data = bytearray(header.read_bytes())
    data[18:26] = (100_000).to_bytes(4, "little") * 2
    header.write_bytes(data)
    with pytest.raises(InputError, match="too large"):
        open_source(header)


def test_text_named_jpg(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_text("not a picture")
    with pytest.raises(InputError, match="JPEG or PNG"):
        open_source(path)
