"""ICT FaceKit's public files to the head model that `morphable` reads.

The folder ``FaceXModel`` of the FaceKit (R. Li et al., "Learning formation of physically-based face
attributes", CVPR 2020; MIT licence) holds ``generic_neutral_mesh.obj``, an ``identityNNN.obj`` for
every mode of identity at one standard deviation, and an ``.obj`` for every ARKit expression at full
strength, all with the same vertices. Only the skin is taken: face, head and neck.

Vertices of the landmarks are those that the FaceKit's README lists. The files' first edition
ordered its vertices otherwise; it is refused.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from mien.errors import DataError, reason_of
from mien.files import write_npz

__all__ = ["HeadArrays", "compact", "read_facekit", "write_head"]

HeadArrays = dict[str, np.ndarray]
"""The arrays of a head file, by name: `morphable` lists them."""

_FACE, _SKIN = 9409, 11248
"""Ends of the vertices of the face, and of head and neck behind it."""
_LANDMARKS68 = (
    "1225 1888 1052 367 1719 1722 2199 1447 966 3661 4390 3927 3924 2608 3272 4088 3443 268 493 "
    "1914 2044 1401 3615 4240 4114 2734 2509 978 4527 4942 4857 1140 2075 1147 4269 3360 1507 1542 "
    "1537 1528 1518 1511 3742 3751 3756 3721 3725 3732 5708 5695 2081 0 4275 6200 6213 6346 6461 "
    "5518 5957 5841 5702 5711 5533 6216 6207 6470 5517 5966"
)
_JAW_RIGHT = "1280 1278 1275 1272 1248 12 820 1834 1902 243 844 781 1673 2199 801 1447 800"
_JAW_LEFT = "3041 3661 3042 4390 3880 3022 3085 2484 4102 4036 3061 2253 3466 3490 3493 3496 3498"
_CHIN = 966
_MIRRORED_CM = 0.1
"""How near the mean head's landmarks come to their mirror partners, in the right vertex order."""


def read_facekit(folder: Path, identities: int = 100) -> HeadArrays:
    """Read a FaceKit folder, or the ``FaceXModel`` in it.

    Raises:
        DataError: files are missing, cut, or of an edition with another order of vertices.
    """
    inner = folder / "FaceXModel"
    folder = inner if inner.is_dir() else folder
    neutral = folder / "generic_neutral_mesh.obj"
    if not neutral.is_file():
        raise DataError(f"{folder} holds no {neutral.name}: give the folder of ICT FaceKit")
    mean, triangles = _read_vertices(neutral), _read_triangles(neutral)
    landmarks = np.array(_LANDMARKS68.split(), np.int64)
    _check_order(neutral, mean[landmarks])
    modes = sorted(folder.glob("identity[0-9][0-9][0-9].obj"))[:identities]
    names = sorted(
        file.stem
        for file in folder.glob("*.obj")
        if not file.stem.startswith("identity") and file != neutral
    )
    if not modes or not names:
        raise DataError(f"{folder} holds no identity000.obj or no expression: copy it again")
    identity = [_read_vertices(file) - mean for file in modes]
    expression = [_read_vertices(folder / f"{name}.obj") - mean for name in names]
    return {
        "mean": mean,
        "identity": np.stack(identity).astype(np.float16),
        "expression": np.stack(expression).astype(np.float16),
        "expression_names": np.array(names),
        "triangles": triangles,
        "landmarks68": landmarks,
        "jaw_right": np.array(_JAW_RIGHT.split(), np.int64),
        "chin": np.array(_CHIN),
        "jaw_left": np.array(_JAW_LEFT.split(), np.int64),
        "region_names": np.array(["face", "head_neck"]),
        "region_ranges": np.array([[0, _FACE], [_FACE, _SKIN]]),
    }


def compact(arrays: HeadArrays) -> HeadArrays:
    """The same head a sixth as large: offsets in 127 steps, at most 0.15 mm off."""
    small = {name: values for name, values in arrays.items() if name not in _MODES}
    small["triangles"] = arrays["triangles"].astype(np.uint16)
    for name in _MODES:
        values = arrays[name].astype(np.float32)
        step = np.abs(values).max(axis=(1, 2)) / 127
        # Axis by axis the bytes of a file that is packed resemble each other more.
        planes = np.round(values / step[:, None, None]).transpose(0, 2, 1)
        small[f"{name}_int8"], small[f"{name}_step"] = planes.astype(np.int8), step
    return small


_MODES = ("identity", "expression")


def write_head(path: Path, arrays: HeadArrays) -> None:
    """Write a head file.

    Raises:
        OutputError: it cannot be written.
    """
    write_npz(path, arrays, compressed=True)


def _read_vertices(file: Path) -> Float[np.ndarray, "vertices 3"]:
    """The skin's vertices, cm."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
        rows = [line.split()[1:4] for line in lines if line.startswith("v ")][:_SKIN]
        vertices = np.array(rows, np.float32)
    except (OSError, ValueError) as error:
        raise DataError(
            f"{file} cannot be read ({reason_of(error)}): copy ICT FaceKit again"
        ) from error
    if vertices.shape != (_SKIN, 3):
        raise DataError(f"{file} has {len(vertices)} vertices of at least {_SKIN}: copy it again")
    return vertices


def _read_triangles(file: Path) -> Int[np.ndarray, "triangles 3"]:
    """Faces of the skin; those of four corners and more are cut into triangles."""
    found: list[tuple[int, int, int]] = []
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.startswith("f "):
            corners = [int(corner.split("/")[0]) - 1 for corner in line.split()[1:]]
            if max(corners) < _SKIN:
                found += [(corners[0], *pair) for pair in itertools.pairwise(corners[1:])]
    if not found:
        raise DataError(f"{file} has no faces: copy it again")
    return np.array(found, np.int32)


def _check_order(file: Path, landmarks: Float[np.ndarray, "68 3"]) -> None:
    mirror = [*range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1)]
    across = np.abs(landmarks[: len(mirror)] * [-1, 1, 1] - landmarks[mirror]).max()
    if not across < _MIRRORED_CM:
        raise DataError(
            f"{file} orders its vertices otherwise than the FaceKit's README has its landmarks "
            f"(they miss their mirror partners by {across:.1f} cm): take a later edition"
        )
