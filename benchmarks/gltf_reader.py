"""A small reader of binary glTF: struct, json and numpy, with sparse accessors and animations."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation, Slerp

_TYPES = {5123: np.uint16, 5125: np.uint32, 5126: np.float32}
_WIDTHS = {"SCALAR": 1, "VEC3": 3, "VEC4": 4}


class GlbFile:
    """A file with one animated mesh."""

    def __init__(self, path: Path) -> None:
        data = path.read_bytes()
        magic, version, length = struct.unpack_from("<4sII", data)
        assert (magic, version, length) == (b"glTF", 2, len(data))
        chunks, at = [], 12
        while at < length:
            size, kind = struct.unpack_from("<I4s", data, at)
            chunks.append((kind, data[at + 8 : at + 8 + size]))
            at += 8 + size
        assert [kind for kind, _ in chunks] == [b"JSON", b"BIN\0"]
        self.tree, self._data = json.loads(chunks[0][1]), chunks[1][1]
        (mesh,) = self.tree["meshes"]
        self.names: list[str] = mesh["extras"]["targetNames"]
        self.primitives = mesh["primitives"]

    def array(self, number: int) -> np.ndarray:
        accessor = self.tree["accessors"][number]
        width = _WIDTHS[accessor["type"]]
        shape = (accessor["count"], width)
        if "bufferView" in accessor:
            values = self._view(accessor["bufferView"], accessor["componentType"]).reshape(shape)
        else:
            values = np.zeros(shape, _TYPES[accessor["componentType"]])
        if "sparse" in accessor:
            sparse = accessor["sparse"]
            places = self._view(sparse["indices"]["bufferView"], sparse["indices"]["componentType"])
            assert (np.diff(places.astype(int)) > 0).all()
            moved = self._view(sparse["values"]["bufferView"], accessor["componentType"])
            values[places] = moved.reshape(sparse["count"], width)
        if "min" in accessor:
            np.testing.assert_allclose(values.min(axis=0), accessor["min"], atol=1e-7)
            np.testing.assert_allclose(values.max(axis=0), accessor["max"], atol=1e-7)
        return values

    def _view(self, number: int, component: int) -> np.ndarray:
        view = self.tree["bufferViews"][number]
        start = view["byteOffset"]
        assert start % 4 == 0
        return np.frombuffer(
            self._data[start : start + view["byteLength"]], _TYPES[component]
        ).copy()

    def triangles(self) -> np.ndarray:
        return np.concatenate(
            [self.array(one["indices"]).reshape(-1, 3) for one in self.primitives]
        )

    def times(self) -> np.ndarray:
        (animation,) = self.tree["animations"]
        return self.array(animation["samplers"][0]["input"])[:, 0]

    def weights(self, time_secs: float) -> np.ndarray:
        return self._at("weights", time_secs)

    def place(self, time_secs: float) -> np.ndarray:
        """Where the head's middle stands, metres."""
        return self._at("translation", time_secs)

    def _at(self, path: str, time_secs: float) -> np.ndarray:
        (animation,) = self.tree["animations"]
        channel = next(one for one in animation["channels"] if one["target"]["path"] == path)
        sampler = animation["samplers"][channel["sampler"]]
        times = self.array(sampler["input"])[:, 0].astype(float)
        values = self.array(sampler["output"]).reshape(len(times), -1).astype(float)
        time_secs = float(np.clip(time_secs, times[0], times[-1]))
        if path == "rotation":
            return Slerp(times, Rotation.from_quat(values))(time_secs).as_matrix()
        return np.array([np.interp(time_secs, times, column) for column in values.T])

    def vertices(self, time_secs: float) -> np.ndarray:
        """Where the mesh stands in the world, metres."""
        first = self.primitives[0]
        points = self.array(first["attributes"]["POSITION"]).astype(float)
        for target, weight in zip(first["targets"], self.weights(time_secs), strict=True):
            points += weight * self.array(target["POSITION"])
        return points @ self._at("rotation", time_secs).T + self._at("translation", time_secs)
