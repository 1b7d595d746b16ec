"""A tracker's memory as plain arrays, so that a long video can go on after a break.

The state is written out by walking the objects that make it up; only the classes named here are
let in, and nothing is pickled. Networks, detector and settings are not part of it: the tracker that
takes a state must have been made with the same ones.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from mien.errors import InputError
from mien.tracking import (
    looks,
    memory,
    region,
    scenes,
    search_turns,
    second_looks,
    settings,
    smoothing,
    steps,
    track,
)
from mien.tracking.tracker import Tracker
from mien.types import Box, HeadPose, Landmarks, Prediction

__all__ = ["restore_tracker", "tracker_state"]

_PARTS: Final = (
    "_finder",
    "_first",
    "_following",
    "_judge",
    "_settings",
    "_smoothing",
    "_careful",
    "_recheck",
    "_busy",
    "_make_cuts",
    "_looks",
)
"""What a tracker is made of, not what it remembers."""
_MODULES: Final = (
    *(looks, memory, region, scenes, search_turns, second_looks, settings, smoothing, steps, track),
)
_CLASSES: Final = {
    one.__name__: one
    for one in (
        *(Box, HeadPose, Landmarks, Prediction),
        *(
            value
            for module in _MODULES
            for value in vars(module).values()
            if isinstance(value, type) and value.__module__ == module.__name__
        ),
    )
}
_GRAPH: Final = "graph"


@functools.cache
def _version() -> str:
    """The digest of the code whose objects are saved: one field more or less is another version,
    whatever number mien goes by."""
    code = "".join(inspect.getsource(module) for module in _MODULES)
    return hashlib.sha256(code.encode("utf-8")).hexdigest()


def tracker_state(tracker: Tracker) -> dict[str, np.ndarray]:
    """Everything the tracker remembers between two frames, exactly.

    Raises:
        TypeError: it remembers something that this module does not know.
    """
    arrays: dict[str, np.ndarray] = {}
    memory = {name: value for name, value in vars(tracker).items() if name not in _PARTS}
    graph = json.dumps(_told({"version": _version(), "memory": memory}, arrays))
    return {**arrays, _GRAPH: np.frombuffer(graph.encode("utf-8"), np.uint8)}


def restore_tracker(tracker: Tracker, state: Mapping[str, np.ndarray]) -> None:
    """Make a tracker of the same parts and settings go on where the other one stood.

    Raises:
        InputError: the state is of another mien, or damaged.
    """
    try:
        graph = json.loads(bytes(state[_GRAPH]).decode("utf-8"))
        saved = _made(graph, state)
        version, memory = saved["version"], saved["memory"]
    except (KeyError, ValueError, TypeError) as error:
        raise InputError(f"the tracker's saved state cannot be read ({error})") from error
    expected = {name for name in vars(tracker) if name not in _PARTS}
    if version != _version() or set(memory) != expected:
        raise InputError("the tracker's saved state is of another version of mien")
    vars(tracker).update(memory)


def _told(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """As JSON: what is no number, text or list is an object with one key, its kind."""
    if value is None or type(value) in _PLAIN:
        return value
    if isinstance(value, (np.ndarray, np.generic)):
        name = f"array{len(arrays)}"
        arrays[name] = np.array(value)
        return {"array": [name, isinstance(value, np.generic)]}
    if isinstance(value, list):
        return [_told(item, arrays) for item in value]
    for kind in (tuple, set):
        if type(value) is kind:
            return {kind.__name__: [_told(item, arrays) for item in value]}
    if isinstance(value, dict):
        return {"dict": [[_told(k, arrays), _told(v, arrays)] for k, v in value.items()]}
    if _CLASSES.get(type(value).__name__) is type(value):
        fields = {name: _told(field, arrays) for name, field in vars(value).items()}
        return {"object": [type(value).__name__, fields]}
    raise TypeError(f"a tracker's state cannot hold {type(value).__name__}: name it in {__name__}")


_PLAIN: Final = (bool, int, float, str)


def _made(told: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    if isinstance(told, list):
        return [_made(item, arrays) for item in told]
    if not isinstance(told, dict):
        return told
    ((kind, inner),) = told.items()
    if kind == "array":
        name, is_scalar = inner
        return arrays[name][()] if is_scalar else np.array(arrays[name])
    if kind == "tuple":
        return tuple(_made(item, arrays) for item in inner)
    if kind == "set":
        return {_made(item, arrays) for item in inner}
    if kind == "dict":
        return {_made(key, arrays): _made(value, arrays) for key, value in inner}
    name, fields = inner
    made: Any = object.__new__(_CLASSES[name])
    # Frozen dataclasses too: the values were checked when they were first made.
    vars(made).update({field: _made(value, arrays) for field, value in fields.items()})
    return made
