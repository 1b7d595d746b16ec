"""A take as glTF 2.0: the head that ships with mien, its blendshapes, and an animation of them.

Metres, y up, facing +z; the origin is the camera, which is in the file too. Importing this module
needs pygltflib.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from mien.avatar.head_mesh import HeadMesh, load_head_mesh
from mien.errors import ConfigError
from mien.expression import SHAPES
from mien.outputs.take import Clip, Take
from mien.version import __version__

try:
    import pygltflib as gltf
except ImportError as missing:
    raise ConfigError("glb files need pygltflib: pip install 'mien[avatar]'") from missing

__all__ = ["encode_glb"]

_COLOURS = {
    "skin": (0.80, 0.62, 0.54),
    "eyes": (0.92, 0.92, 0.90),
    "mouth": (0.22, 0.07, 0.07),
}


def encode_glb(clip: Clip, take: Take) -> bytes:
    """The whole file; about 2 MB of head and 200 bytes a frame."""
    model, data = _head_model(clip)
    pack = _Pack(model, bytearray(data))
    times = np.array(clip.times_secs, np.float32)[take.frames]
    secs = pack.add(times[:, None], "SCALAR", bounds=True)
    samplers = [
        ("weights", take.strengths.reshape(-1, 1), "SCALAR"),
        ("rotation", take.quaternion, "VEC4"),
        ("translation", take.position_m, "VEC3"),
    ]
    animation = gltf.Animation(name=f"face {take.track_id}")
    for path, values, kind in samplers:
        output = pack.add(values, kind)
        animation.samplers.append(gltf.AnimationSampler(input=secs, output=output))
        target = gltf.AnimationChannelTarget(node=0, path=path)
        animation.channels.append(
            gltf.AnimationChannel(sampler=len(animation.channels), target=target)
        )
    model.animations = [animation]
    node = model.nodes[0]
    node.rotation, node.translation = take.quaternion[0].tolist(), take.position_m[0].tolist()
    model.meshes[0].weights = take.strengths[0].tolist()
    return pack.glb()


def _head_model(clip: Clip) -> tuple[gltf.GLTF2, bytes]:
    """Everything but the animation; parsed anew, as each file changes it."""
    text, data = _head_file()
    model = gltf.GLTF2.gltf_from_json(text)
    width, height = clip.size
    yfov = 2 * math.atan(height / 2 / clip.focal_px)
    camera = gltf.Perspective(yfov=yfov, znear=0.01, aspectRatio=width / height)
    model.cameras = [gltf.Camera(type="perspective", perspective=camera, name="camera")]
    return model, data


@functools.cache
def _head_file() -> tuple[str, bytes]:
    mesh = load_head_mesh()
    model = gltf.GLTF2(
        asset=gltf.Asset(version="2.0", generator=f"mien {__version__}"),
        scene=0,
        scenes=[gltf.Scene(nodes=[0, 1])],
        nodes=[gltf.Node(name="Head", mesh=0), gltf.Node(name="Camera", camera=0)],
    )
    pack = _Pack(model, bytearray())
    attributes = gltf.Attributes(
        POSITION=pack.add(mesh.points_m, "VEC3", bounds=True, target=gltf.ARRAY_BUFFER),
        NORMAL=pack.add(mesh.normals, "VEC3", target=gltf.ARRAY_BUFFER),
    )
    targets = [{"POSITION": pack.add_sparse(moves)} for moves in mesh.shapes_m]
    primitives = []
    for part, triangles in mesh.triangles.items():
        colour = [*_COLOURS[part], 1.0]
        shine = gltf.PbrMetallicRoughness(
            baseColorFactor=colour, metallicFactor=0.0, roughnessFactor=0.65
        )
        model.materials.append(gltf.Material(name=part, pbrMetallicRoughness=shine))
        corners = pack.add(
            triangles.reshape(-1, 1).astype(np.uint16), "SCALAR", target=gltf.ELEMENT_ARRAY_BUFFER
        )
        primitives.append(
            gltf.Primitive(
                attributes=attributes,
                indices=corners,
                material=len(model.materials) - 1,
                targets=targets,
            )
        )
    model.meshes = [
        gltf.Mesh(
            name="Head",
            primitives=primitives,
            weights=[0.0] * len(SHAPES),
            extras={"targetNames": list(SHAPES), "license": HeadMesh.LICENCE},
        )
    ]
    return model.to_json(), bytes(pack.data)


@dataclass
class _Pack:
    """Arrays to the one buffer of a file, each with its view and accessor."""

    model: gltf.GLTF2
    data: bytearray

    def add(
        self,
        values: np.ndarray,
        kind: str,
        *,
        bounds: bool = False,
        target: int | None = None,
    ) -> int:
        """The number of the accessor of these rows."""
        if values.dtype != np.uint16:
            values = values.astype(np.float32)
        accessor = gltf.Accessor(
            bufferView=self._view(values, target),
            componentType=gltf.UNSIGNED_SHORT if values.dtype == np.uint16 else gltf.FLOAT,
            count=len(values),
            type=kind,
        )
        if bounds:
            accessor.min, accessor.max = values.min(axis=0).tolist(), values.max(axis=0).tolist()
        self.model.accessors.append(accessor)
        return len(self.model.accessors) - 1

    def add_sparse(self, moves: Float[np.ndarray, "vertices 3"]) -> int:
        """The same for rows that are mostly zero."""
        moved = np.flatnonzero(np.abs(moves).max(axis=1) > 0)
        values = moves[moved].astype(np.float32)
        accessor = gltf.Accessor(
            componentType=gltf.FLOAT,
            count=len(moves),
            type="VEC3",
            min=np.minimum(values.min(axis=0), 0).tolist(),
            max=np.maximum(values.max(axis=0), 0).tolist(),
            sparse=gltf.Sparse(
                count=len(moved),
                indices=gltf.AccessorSparseIndices(
                    bufferView=self._view(moved.astype(np.uint16), None),
                    componentType=gltf.UNSIGNED_SHORT,
                ),
                values=gltf.AccessorSparseValues(bufferView=self._view(values, None)),
            ),
        )
        self.model.accessors.append(accessor)
        return len(self.model.accessors) - 1

    def _view(self, values: np.ndarray, target: int | None) -> int:
        self.data += bytes(-len(self.data) % 4)
        view = gltf.BufferView(
            buffer=0, byteOffset=len(self.data), byteLength=values.nbytes, target=target
        )
        self.data += values.tobytes()
        self.model.bufferViews.append(view)
        return len(self.model.bufferViews) - 1

    def glb(self) -> bytes:
        self.model.buffers = [gltf.Buffer(byteLength=len(self.data))]
        self.model.set_binary_blob(bytes(self.data))
        parts = self.model.save_to_bytes()
        return b"".join(parts)
