"""Try every number of the data engine that decides how a picture looks at half and at double.

    python benchmarks/engine_numbers.py fits.npz

Pictures of val photos are made anew with one number changed at a time: turned to 60 degrees, bare,
with glasses, with a mask, with an opened and relit mouth, whatever the number belongs to. Kept for
each: how far the pixels move from the pictures as they are (grey levels: the mean over the head,
and the most but for one pixel in a thousand of the picture), and for what paints skin, hair and
backdrop how well a head turned to 45 degrees and back looks like its photo again (mean grey levels,
`round_trip.py`). What moves nothing at half and at double (`IDLE`) is also set to nought and
to a million times itself: where nothing moves then either, it has no place.
"""

from __future__ import annotations

import argparse
import importlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np

from mien.geometry.pose import rotation_from_angles
from mien.synthesis.fit.residual_warp import FittedPhoto
from mien.synthesis.make.session import SessionFiles, SynthesisSession, open_session
from mien.synthesis.render.expression import ExpressionEditor
from mien.synthesis.render.face_mask import draw_mask
from mien.synthesis.render.glasses import draw_glasses
from mien.synthesis.render.turning import HeadTurner, Turn
from mien.types import HeadPose
from provenance import command
from round_trip import make_round_trip

RESULT = Path(__file__).parent / "results" / "engine_numbers.json"
PARTS = {
    "render.glasses": "glasses",
    "render.face_mask": "mask",
    "render.worn_mesh": "glasses",
    "render.compositing": "glasses",
    "render.mouth": "mouth",
    "render.expression": "mouth",
    "render.painting": "bare",
    "render.inpainting": "bare",
    "render.background": "bare",
    "render.turning": "bare",
    "head.regions": "bare",
}
"""Modules of `mien.synthesis`, and what their numbers show on."""
ROUND_TRIPS = ("render.painting", "render.inpainting", "render.background", "head.regions")
COUNTS = {"_ROWS", "_COLUMNS", "_TILE", "_COARSE", "_FINE", "_SAMPLES", "_LEAST_SAMPLES"}
"""Of vertices and pixels: they decide how fine a picture is computed, not how it looks."""
IDLE = 3.0
"""Grey levels: a picture all of whose pixels but one in a thousand move by less looks the same."""


@dataclass(frozen=True)
class Number:
    """One number of a module: the name, and the place in its tuple."""

    module: ModuleType
    name: str
    index: int | None

    @property
    def value(self) -> float:
        whole = getattr(self.module, self.name)
        return float(whole if self.index is None else whole[self.index])

    @contextmanager
    def times(self, factor: float) -> Iterator[None]:
        """The module with the number so many times as large."""
        whole = getattr(self.module, self.name)
        if self.index is None:
            changed: Any = whole * factor
        else:
            parts = list(whole)
            parts[self.index] *= factor
            changed = tuple(parts)
        setattr(self.module, self.name, changed)
        try:
            yield
        finally:
            setattr(self.module, self.name, whole)


def numbers_of(module: ModuleType) -> Iterator[Number]:
    """Those of its constants that are numbers or pairs and the like of them, but for nought."""
    for name, value in vars(module).items():
        if not (name.startswith("_") and name.isupper()) or name in COUNTS:
            continue
        parts = list(value) if isinstance(value, tuple) else [value]
        if not all(isinstance(part, int | float) for part in parts):
            continue
        for index, part in enumerate(parts):
            if part:
                yield Number(module, name, index if isinstance(value, tuple) else None)


class Engine:
    """Pictures of some photos, each kind from its own seed."""

    def __init__(self, session: SynthesisSession, photos: list[FittedPhoto]) -> None:
        self._session, self.photos = session, photos

    def pictures(self, kind: str) -> list[tuple[np.ndarray, np.ndarray]]:
        """Images and masks of the head, made by the numbers as they are now."""
        turner = self._turner()
        editor = ExpressionEditor(self._session.head, self._session.anchors)
        made = []
        for number, photo in enumerate(self.photos):
            turn = self._turn(kind, photo, editor, np.random.default_rng(number))
            turned = turner.turn(photo, turn)
            made.append((turned.image.astype(np.float32), turned.mask))
        return made

    def round_trip(self) -> float:
        """How far heads turned away and back differ from their photos, mean grey levels."""
        turner, missed = self._turner(), []
        for photo in self.photos:
            trip = make_round_trip(turner, photo, 45)
            points = trip.points_image[:, :2].astype(np.float32)
            face = np.zeros(trip.start.shape[:2], np.uint8)
            cv2.fillConvexPoly(face, cv2.convexHull(points).round().astype(np.int32), 1)
            away = np.abs(trip.start.astype(np.float32) - trip.back)
            missed.append(float(away[face > 0].mean()))
        return float(np.mean(missed))

    def _turner(self) -> HeadTurner:
        return HeadTurner(self._session.head, self._session.anchors)

    def _turn(
        self, kind: str, photo: FittedPhoto, editor: ExpressionEditor, rng: np.random.Generator
    ) -> Turn:
        side = 1 if photo.rotation[0, 2] <= 0 else -1
        rotation = rotation_from_angles(HeadPose(60.0 * side, 0, 0)).astype(np.float32)
        if kind == "glasses":
            return Turn(rotation, worn=draw_glasses(rng))
        if kind == "mask":
            return Turn(rotation, worn=draw_mask(rng))
        if kind == "mouth":
            change = editor.shut_eyes(photo.vertices_cm, (1.0, 1.0))
            change = change + editor.open_mouth(photo.expression, rng) + editor.raise_brows(rng)
            return Turn(rotation, expression_change=change.astype(np.float32), eyes_shut=1.0)
        lamp = np.array([0.3, -0.2, -0.3], np.float32) if rng.random() < 0.5 else np.zeros(3)
        return Turn(rotation, light=lamp.astype(np.float32))


def moved(
    now: list[tuple[np.ndarray, np.ndarray]], before: list[tuple[np.ndarray, np.ndarray]]
) -> dict[str, float]:
    """Mean over the heads, and the most that a picture's pixels but one in a thousand move by."""
    away = [np.abs(a - b).max(axis=2) for (a, _), (b, _) in zip(now, before, strict=True)]
    means = [float(one[mask].mean()) for one, (_, mask) in zip(away, before, strict=True)]
    most = max(float(np.percentile(one, 99.9)) for one in away)
    return {"mean": round(float(np.mean(means)), 3), "most": round(most, 1)}


def measure(
    engine: Engine, parts: list[str], only: list[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each number with what half and double of it change; ``only`` those of some names."""
    as_is = engine.round_trip()
    for part in parts:
        module = importlib.import_module(f"mien.synthesis.{part}")
        before = engine.pictures(PARTS[part])
        for number in list(numbers_of(module)):
            place = "" if number.index is None else f"[{number.index}]"
            if only and number.name not in only:
                continue
            found: dict[str, Any] = {"value": number.value, "photos": len(engine.photos)}
            trips = {}
            for word, factor in (("half", 0.5), ("double", 2.0)):
                with number.times(factor):
                    try:
                        found[word] = moved(engine.pictures(PARTS[part]), before)
                        if part in ROUND_TRIPS and found[word]["most"] >= IDLE:
                            trips[word] = round(engine.round_trip(), 3)
                    except Exception as error:  # a number without which nothing can be made
                        found[word] = {"breaks": type(error).__name__}
            if is_idle(found):  # is it of use at all?
                for word, factor in (("nought", 0.0), ("million", 1e6)):
                    with number.times(factor):
                        found[word] = moved(engine.pictures(PARTS[part]), before)
            if trips:
                found["round_trip"] = {"as it is": round(as_is, 3)} | trips
            yield f"{part}.{number.name}{place}", found


def is_idle(one: dict[str, Any]) -> bool:
    """Whether the pictures stay as they are at half and at double."""
    return all(one[word].get("most", IDLE) < IDLE for word in ("half", "double"))


def is_of_no_use(one: dict[str, Any]) -> bool:
    """Whether they stay even where what the number bounds is never, and always, the case."""
    return is_idle(one) and all(one[word]["most"] < IDLE for word in ("nought", "million"))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("fits", type=Path)
    parser.add_argument("--photos", type=int, default=4)
    parser.add_argument("--parts", nargs="*", default=list(PARTS), choices=list(PARTS))
    parser.add_argument("--only", nargs="*", default=[], help="names of numbers, as _FOLD")
    parser.add_argument("--out", type=Path, default=RESULT)
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    session = open_session(SessionFiles(asked.fits))
    usable = np.flatnonzero(session.usable("val"))
    rows = np.random.default_rng(0).permutation(usable)[: asked.photos]
    engine = Engine(session, [session.warp.photo(int(row)) for row in rows])
    told = json.loads(asked.out.read_text()) if asked.out.exists() else {"numbers": {}}
    numbers: dict[str, Any] = told["numbers"]
    for name, found in measure(engine, asked.parts, asked.only):
        numbers[name] = found
        print(name, found, flush=True)
        result = {
            "command": command(),
            "tried": len(numbers),
            "idle": sorted(name for name, one in numbers.items() if is_idle(one)),
            "of_no_use": sorted(name for name, one in numbers.items() if is_of_no_use(one)),
            "numbers": dict(sorted(numbers.items())),
        }
        asked.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
