"""A small reader of BVH: joints with offsets and channels, and where they stand in a frame."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np


@dataclass
class Joint:
    name: str
    offset: np.ndarray = field(default_factory=lambda: np.zeros(3))
    channels: list[str] = field(default_factory=list)
    children: list[Joint] = field(default_factory=list)


@dataclass
class Bvh:
    root: Joint
    frame_secs: float
    rows: np.ndarray

    def joints(self) -> list[Joint]:
        found, waiting = [], [self.root]
        while waiting:
            joint = waiting.pop(0)
            found.append(joint)
            waiting = joint.children + waiting
        return found

    def transforms(self, row: int) -> dict[str, np.ndarray]:
        """Each joint's 4x4 matrix in the world."""
        values, found = list(self.rows[row]), {}

        def place(joint: Joint, parent: np.ndarray) -> None:
            local = np.eye(4)
            local[:3, 3] = joint.offset
            for channel in joint.channels:
                step, value = np.eye(4), values.pop(0)
                axis = "XYZ".index(channel[0])
                if channel.endswith("position"):
                    step[axis, 3] = value
                else:
                    a, b = [(1, 2), (2, 0), (0, 1)][axis]
                    cos, sin = np.cos(np.radians(value)), np.sin(np.radians(value))
                    step[a, a] = step[b, b] = cos
                    step[a, b], step[b, a] = -sin, sin
                local = local @ step
            found[joint.name] = parent @ local
            for child in joint.children:
                place(child, found[joint.name])

        place(self.root, np.eye(4))
        assert not values
        return found


def read_bvh(text: str) -> Bvh:
    words = re.findall(r"\S+", text)
    assert words.pop(0) == "HIERARCHY"
    assert words.pop(0) == "ROOT"
    root = _joint(words, words.pop(0))
    assert words[:2] == ["MOTION", "Frames:"]
    count = int(words[2])
    assert words[3:5] == ["Frame", "Time:"]
    numbers = np.array(words[6:], float)
    return Bvh(root, float(words[5]), numbers.reshape(count, -1))


def _joint(words: list[str], name: str) -> Joint:
    joint = Joint(name)
    assert words.pop(0) == "{"
    while (word := words.pop(0)) != "}":
        if word == "OFFSET":
            joint.offset = np.array([float(words.pop(0)) for _ in range(3)])
        elif word == "CHANNELS":
            joint.channels = [words.pop(0) for _ in range(int(words.pop(0)))]
        elif word == "JOINT":
            joint.children.append(_joint(words, words.pop(0)))
        else:
            assert word == "End", word
            words.pop(0)
            joint.children.append(_joint(words, f"{name} end"))
    return joint
