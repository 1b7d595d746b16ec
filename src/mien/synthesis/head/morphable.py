"""A morphable head: pose, identity and expression in, vertices and landmarks out.

The file is an ``.npz`` with these arrays (V vertices, F triangles, I identities, E expressions):

======================  =============  ========================================================
``mean``                (V, 3)         cm; x to the person's left, y up, z forward
``identity``            (I, V, 3)      offsets of one standard deviation each
``expression``          (E, V, 3)      offsets at full strength
``identity_int8``       (I, 3, V)      in their place, offsets in steps of ``identity_step`` (I,);
                                       so may be ``expression_int8`` and ``expression_step``
``expression_names``    (E,)           ARKit names: ``eyeBlink_L``, ``jawOpen``, ...
``triangles``           (F, 3)         vertex indices
``landmarks68``         (68,)          vertex of every iBUG point
``jaw_right``, ``jaw_left``, ``chin``  a jaw line: right ear to chin, the chin, chin to left ear
``region_names``        (N,)           must hold ``face`` and ``head_neck``
``region_ranges``       (N, 2)         half-open vertex ranges, ``face`` starting at 0 and
                                       ``head_neck`` following it
======================  =============  ========================================================

Only the skin (face, head and neck) is kept; eyes and mouth are closed by patches, so that the
surface has no holes but the one below the neck. ``ict_head.npz``, which ships with mien, is ICT
FaceKit light (MIT, ``ICT_LICENSE.txt``) with 60 identities; `facekit` makes such files of it.
"""

from __future__ import annotations

import zipfile
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from mien.errors import DataError, reason_of

__all__ = ["MorphableHead", "load_head"]

_ARRAYS = [
    "mean",
    "expression_names",
    "triangles",
    "landmarks68",
    "jaw_right",
    "jaw_left",
    "chin",
    "region_names",
    "region_ranges",
]
_MODES = ("identity", "expression")
# Model frame (y up, z forward) to ours (y down, z away): a proper half turn about x.
_EYEBALL_CM = 0.35
"""How far an eyeball stands in front of the plane of its lids."""
_FLIP = np.array([1, -1, -1], np.float32)


@dataclass(frozen=True)
class MorphableHead:
    """A linear head in centimetres: x to the person's left, y down, z backwards.

    Unturned it faces the camera, so a rotation of it is a rotation of the image frame.
    """

    mean: Float[np.ndarray, "vertices 3"]
    identity: Float[np.ndarray, "identities vertices 3"]
    expression: Float[np.ndarray, "expressions vertices 3"]
    expression_names: tuple[str, ...]
    triangles: Int[np.ndarray, "triangles 3"]
    landmarks68: Int[np.ndarray, " 68"]
    jaw33: Int[np.ndarray, " 33"]
    """The 84-point jaw, image-left ear to image-right ear: every second vertex of the jaw line."""
    face_vertices: int
    """Vertices below this index are the face, the next ones head and neck, then the patches."""
    patches: Int[np.ndarray, " 3"]
    """Centres of the patches that close the eye at the image's left, the other eye, the mouth."""

    def vertices(
        self,
        identity: Float[np.ndarray, " identities"],
        expression: Float[np.ndarray, " expressions"],
    ) -> Float[np.ndarray, "vertices 3"]:
        """The head's vertices in cm; fewer identities than the model has mean zero for the rest."""
        count = len(identity)
        shape = self.mean + np.tensordot(identity.astype(np.float32), self.identity[:count], 1)
        return shape + np.tensordot(expression.astype(np.float32), self.expression, 1)

    def expression_index(self, name: str) -> int:
        """Where an ARKit expression stands; ``DataError`` when the model has it not."""
        if name not in self.expression_names:
            raise DataError(
                f"this head has no expression {name}; it has {', '.join(self.expression_names)}"
            )
        return self.expression_names.index(name)


def load_head(path: Path | None = None, identities: int = 60) -> MorphableHead:
    """Read a head model; by default the one that ships with mien.

    Raises:
        DataError: the file is not laid out as this module says.
    """
    arrays = _read(path, identities)
    ranges = dict(zip(arrays["region_names"].tolist(), arrays["region_ranges"], strict=True))
    if "face" not in ranges or "head_neck" not in ranges:
        raise DataError(f"a head model names the regions face and head_neck; {path} does not")
    skin = int(ranges["head_neck"][1])
    triangles = arrays["triangles"]
    triangles = triangles[(triangles < skin).all(axis=1)].astype(np.int64)
    loops = _hole_loops(triangles, arrays["mean"])
    fans = [_fan(loop, skin + number) for number, loop in enumerate(loops)]

    def closed(values: Float[np.ndarray, "... 3"]) -> Float[np.ndarray, "... 3"]:
        values = values[..., :skin, :].astype(np.float32) * _FLIP
        centres = [values[..., loop, :].mean(axis=-2, keepdims=True) for loop in loops]
        return np.concatenate([values, *centres], axis=-2)

    mean = closed(arrays["mean"])
    mean[skin : skin + 2, 2] -= _EYEBALL_CM
    jaw = np.concatenate([arrays["jaw_right"], [arrays["chin"]], arrays["jaw_left"]])
    return MorphableHead(
        mean=mean,
        identity=closed(arrays["identity"]),
        expression=closed(arrays["expression"]),
        expression_names=tuple(str(name) for name in arrays["expression_names"]),
        triangles=np.concatenate([triangles, *fans]),
        landmarks68=arrays["landmarks68"].astype(np.int64),
        jaw33=_every_other(jaw.astype(np.int64), 33),
        face_vertices=int(ranges["face"][1]),
        patches=np.arange(skin, skin + len(loops)),
    )


def _read(path: Path | None, identities: int) -> dict[str, np.ndarray]:
    shipped = resources.files("mien.synthesis.head").joinpath("ict_head.npz")
    try:
        with (path or shipped).open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            missing = [name for name in _ARRAYS if name not in file]
            missing += [name for name in _MODES if not {name, f"{name}_int8"} & set(file)]
            if missing:
                raise DataError(f"a head model holds {', '.join(missing)}; {path} does not")
            arrays = {name: file[name] for name in _ARRAYS}
            for name, count in zip(_MODES, (identities, None), strict=True):
                arrays[name] = _offsets(file, name)[:count]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(
            f"expected a head model (.npz), but {path} cannot be read: {reason_of(error)}"
        ) from error
    return arrays


def _offsets(file: Mapping[str, np.ndarray], name: str) -> Float[np.ndarray, "modes vertices 3"]:
    if name in file:
        return file[name]
    steps = file[f"{name}_int8"].astype(np.float32) * file[f"{name}_step"][:, None, None]
    return np.ascontiguousarray(steps.transpose(0, 2, 1))


def _every_other(line: Int[np.ndarray, " line"], count: int) -> Int[np.ndarray, " count"]:
    places = np.round(np.linspace(0, len(line) - 1, count)).astype(int)
    return np.asarray(line[places], np.int64)


def _hole_loops(
    triangles: Int[np.ndarray, "triangles 3"], mean: Float[np.ndarray, "vertices 3"]
) -> list[Int[np.ndarray, " loop"]]:
    """The rims of eyes and mouth in order around each hole: right eye, left eye, mouth."""
    directed = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    directed_set = {(int(a), int(b)) for a, b in directed}
    following = defaultdict(list)
    for a, b in directed_set:
        if (b, a) not in directed_set:
            following[a].append(b)
    loops = []
    while following:
        start = next(iter(following))
        loop = [start]
        while following.get(loop[-1]):
            step = following[loop[-1]].pop()
            if step == start:
                break
            loop.append(step)
        for vertex in loop:
            following.pop(vertex, None)
        loops.append(np.array(loop))
    if len(loops) != 4:
        raise DataError(f"a head model's skin has holes at eyes, mouth and neck, not {len(loops)}")
    # From the neck upwards (y is still up here); the neck stays open.
    _, mouth, *eyes = sorted(loops, key=lambda loop: float(mean[loop, 1].mean()))
    return [*sorted(eyes, key=lambda loop: float(mean[loop, 0].mean())), mouth]


def _fan(loop: Int[np.ndarray, " loop"], centre: int) -> Int[np.ndarray, "loop 3"]:
    """Triangles from a rim to a centre, wound like the skin around the hole."""
    rim = np.stack([np.roll(loop, -1), loop], axis=1)
    return np.concatenate([rim, np.full((len(loop), 1), centre)], axis=1)
