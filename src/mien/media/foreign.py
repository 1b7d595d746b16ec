"""Photos beyond Pillow: HEIF with an extra, and cameras' raw files, which are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PIL import Image

from mien.errors import InputError
from mien.media.source import ByteFile

__all__ = ["RAW_SUFFIXES", "is_heif", "is_raw", "open_heif", "raw_refused"]

RAW_SUFFIXES: Final = (
    *(".dng", ".cr2", ".cr3", ".crw", ".nef", ".nrw", ".arw", ".srf", ".sr2", ".orf", ".rw2"),
    *(".raf", ".pef", ".srw", ".x3f", ".mrw", ".3fr", ".fff", ".iiq", ".kdc", ".dcr", ".erf"),
    *(".mef", ".mos", ".rwl", ".raw"),
)
_RAW_HEADS: Final = (
    *(b"FUJIFILMCCD-RAW", b"FOVb", b"\0MRM", b"IIRO", b"IIRS", b"MMOR", b"IIU\0"),
    *(b"II\x1a\0\0\0HEAPCCDR",),
)
_HEIF_BRANDS: Final = {b"heic", b"heix", b"heim", b"heis", b"mif1", b"mif2"}
_AVIF_BRANDS: Final = {b"avif", b"avis"}


def is_heif(head: bytes) -> bool:
    """Whether this starts a HEIF photo, as phones save them, and no AVIF (ISO 23008-12, 10)."""
    if head[4:8] != b"ftyp":
        return False
    brands = {head[8:12]} | {head[at : at + 4] for at in range(16, len(head) - 3, 4)}
    return head[8:12] in _HEIF_BRANDS and not brands & _AVIF_BRANDS


def is_raw(head: bytes) -> bool:
    """Whether the first 16 bytes are a raw format's own; raw files in TIFF look like any TIFF."""
    canon = head[:4] == b"II*\0" and head[8:10] == b"CR"
    return canon or head[4:12] == b"ftypcrx " or head.startswith(_RAW_HEADS)


def raw_refused(named: str | Path) -> InputError:
    return InputError(
        f"{named}: a camera's raw file, of which only the small preview could be read; develop it "
        "to JPEG, TIFF or PNG"
    )


def open_heif(file: ByteFile, named: str | Path) -> Image.Image:
    """The main picture, turned upright by its own marks.

    Raises:
        InputError: the extra is not installed, or the file is damaged.
    """
    try:
        import pillow_heif
    except ImportError as error:
        raise InputError(
            f"{named}: a HEIC photo; install the extra for it (pip install 'mien[heif]', which is "
            "pillow-heif), or save it as JPEG"
        ) from error
    try:
        image: Image.Image = pillow_heif.open_heif(file, convert_hdr_to_8bit=True).to_pillow()
    except (OSError, ValueError, RuntimeError, EOFError, SyntaxError) as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"{named}: the HEIC photo is cut off or damaged ({reason}); copy it again"
        ) from error
    # The turn was made by the file's own mark, and its EXIF block says it once more.
    image.getexif().clear()
    image.info.pop("exif", None)
    return image
