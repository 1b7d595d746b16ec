"""The life of a face, as figure 6 of the paper (3.4): detection, model 1, then model 2.

States of a face, in plain words:

* *found*: the detector reports a box that overlaps no living face. Model 1 looks at it, then
  model 2 at the crop aligned by model 1's points, in the same frame; where that look is doubtful,
  both look again from other rolls (``mien.alignment``), at a place of the picture at most once in
  ``start_anew_secs``. Below ``confirm_score`` in either model it is forgotten; otherwise it lives,
  with its old number if it lies near a face lost less than ``remember_secs`` ago, else with the
  next one.
* *living*: each frame model 2 looks where the last landmarks were, moved ahead by their motion,
  and where that frame is doubtful, again from two other starts (``mien.tracking.recheck``).
  A frame with a score of ``keep_score`` or more is good.
* *weak*: a living face whose last frames were below ``keep_score``, until the next good one. While
  it is weak the detector looks too, and a better alignment it finds replaces the weak one under the
  same number. Weak for more than ``weak_secs`` the face ends.
* *lost*: a face ends when it was weak for too long, at once below ``end_score``, when most of it
  has left the picture, when its points slid onto another living face, at a scene cut, or when it
  looks like somebody else from one frame to the next. Across a cut places mean nothing: only its
  appearance gives a face its number back. What is known of it is kept for ``recall_secs``, then
  forgotten for good.
  Numbers are never used twice.

The detector looks in every frame while no face lives, every ``search_secs`` while some do (in a
third of that where the picture changes away from them, every ``anxious_search_secs`` while one is
weak or lost), and not at all while ``max_faces`` live well. It looks by time, not by frames: one
frame a second is searched whole, and 240 a second no oftener than 30 (``least_search_secs``).
"""

from __future__ import annotations

import contextlib
import math
import reprlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import SupportsFloat

import numpy as np
from jaxtyping import Float

from mien.alignment import CarefulPredictor, LandmarkPredictor, align, judge_of
from mien.errors import ConfigError, InputError
from mien.geometry import Similarity, crop_from_detection
from mien.media import as_picture
from mien.tracking.appearance import load_appearance
from mien.tracking.association import match_boxes, may_be_same_face, same_face
from mien.tracking.held import held_faces
from mien.tracking.looks import CutWatch, LookReader
from mien.tracking.memory import Memory
from mien.tracking.recheck import Recheck
from mien.tracking.recognition import found_face, keep_looks, less_alike, replaced_faces
from mien.tracking.region import Place, is_readable, next_crop
from mien.tracking.scenes import SceneWatch
from mien.tracking.search_turns import SearchTurns
from mien.tracking.second_looks import SecondLooks
from mien.tracking.settings import SmoothingSettings, TrackerSettings
from mien.tracking.small_search import with_small_faces
from mien.tracking.steps import Clock
from mien.tracking.track import Track
from mien.tracking.turned_search import find_at_any_roll
from mien.types import Detection, Face, FaceFinder, Frame, Prediction

__all__ = ["Tracker"]

_CLEAR_TROUBLE = 0.1
"""Of two tracks on one face that which was in less trouble stays, if the difference is clear."""


class Tracker:
    """Follows the faces of one video, frame after frame."""

    def __init__(
        self,
        finder: FaceFinder,
        first: LandmarkPredictor,
        following: LandmarkPredictor,
        settings: TrackerSettings | None = None,
        *,
        cuts: Callable[[], CutWatch] = SceneWatch,
        looks: LookReader | None = None,
    ) -> None:
        """Join the parts: ``first`` is model 1, ``following`` model 2; they may be the same.

        Args:
            cuts: makes the detector of scene cuts, one for each video.
            looks: computes appearance signatures of faces; mien's own network if not given.
        """
        self._finder = finder
        self._first = first
        self._following = following
        self._settings = settings or TrackerSettings()
        smoothing = self._settings.smoothing
        self._smoothing = smoothing if isinstance(smoothing, SmoothingSettings) else None
        self._judge = judge_of(following)
        self._careful = CarefulPredictor(following) if self._settings.careful else None
        self._recheck = Recheck(first, self._careful or following, self._settings)
        self._make_cuts = cuts
        self._looks = (looks or load_appearance()) if self._settings.looks else None
        self._busy = threading.Lock()
        self.reset()

    @property
    def settings(self) -> TrackerSettings:
        """Those it was made with."""
        return self._settings

    @property
    def mean_shape(self) -> Float[np.ndarray, "points 3"]:
        """The mean head of its points."""
        return self._following.mean_shape

    def fresh(self, settings: TrackerSettings | None = None) -> Tracker:
        """A tracker of the same parts and settings (or others) without any state: one for each
        video or thread. The parts are shared, and serve any number of threads."""
        return Tracker(
            self._finder,
            self._first,
            self._following,
            settings or self._settings,
            cuts=self._make_cuts,
            looks=self._looks,
        )

    def for_photo(self) -> Tracker:
        """The same, for one picture that nothing follows: see :meth:`TrackerSettings.for_photo`."""
        return self.fresh(self._settings.for_photo())

    def reset(self) -> None:
        """Forget everything, numbers too: the next frame begins another video."""
        self._clock = Clock()
        self._tracks: list[Track] = []
        self._second_looks = SecondLooks(self._settings.start_anew_secs)
        self._memory = Memory()
        self._cuts = self._make_cuts()
        self._next_id = 0
        self._next_index = 0
        self._turns = SearchTurns()

    def update(self, frame: Frame | object, time_secs: float | object = None) -> list[Face]:
        """The faces of the next frame, by number; empty where there is none.

        ``frame`` is a ``Frame``, or a picture as :func:`mien.media.as_picture` takes it (array,
        Pillow's, path) with its ``time_secs``; pictures without a time count 25 a second.

        Raises:
            InputError: not a picture, or an empty one; or the time is no number.
            ConfigError: another thread is inside: frames of two threads have no order.
        """
        if not self._busy.acquire(blocking=False):
            raise ConfigError(
                "this tracker is at work in another thread: give each thread its own "
                "(tracker.fresh() costs nothing), or use find_faces for separate images"
            )
        try:
            return self._update(
                frame if isinstance(frame, Frame) else self._framed(frame, time_secs)
            )
        finally:
            self._busy.release()

    def _update(self, frame: Frame) -> list[Face]:
        self._next_index = frame.index + 1
        step_secs = self._clock.tick(frame.time_secs)
        self._memory.forget(self._clock.now_secs, self._settings)
        living = len(self._tracks)
        is_cut = self._looks is not None and self._cuts.is_cut(frame.image_rgb)
        if is_cut:
            self._cut(self._tracks)
            self._memory.cut()
        self._follow(frame, step_secs)
        if self._looks is not None:
            replaced = replaced_faces(self._looks, frame, self._tracks)
            self._cut(replaced)
            self._enter(frame, [track.seen for track in replaced])
        self._merge(frame)
        if is_cut or self._must_search(frame, just_lost=len(self._tracks) < living):
            self._search(frame)
            self._turns.searched(frame, self._clock.now_secs, self._tracks)
        if self._looks is not None:
            now_secs, every_secs = self._clock.now_secs, self._settings.look_secs
            keep_looks(self._looks, frame, self._tracks, now_secs, every_secs)
        for track in self._tracks:
            track.remember_place(self._clock.now_secs)
        self._tracks.sort(key=lambda track: track.track_id)
        mean_shape = self._following.mean_shape
        faces = [track.face(mean_shape, step_secs) for track in self._tracks]
        if self._judge is not None:
            size = frame.image_rgb.shape[1], frame.image_rgb.shape[0]
            faces = [replace(face, landmarks=self._judge(face.landmarks, size)) for face in faces]
        lost, now_secs = self._memory.lost, self._clock.now_secs
        faces += held_faces(lost, self._tracks, frame, now_secs, self._settings, mean_shape)
        return sorted(faces, key=lambda face: face.track_id)

    def _framed(self, picture: object, time_secs: object) -> Frame:
        index = self._next_index
        secs = index / 25 if time_secs is None else _seconds(time_secs)
        return Frame(as_picture(picture), index, secs)

    def _follow(self, frame: Frame, step_secs: float) -> None:
        """Model 2 on every living face; those that do not stand end."""
        places = [
            next_crop(
                track.points_image,
                track.place,
                self._following.mean_shape,
                self._following.side,
                self._settings.lead * step_secs,
            )
            for track in self._tracks
        ]
        now_secs = self._clock.now_secs
        seen_all = self._predict(self._careful or self._following, frame, places)
        looked = self._recheck.best(frame, self._tracks, seen_all, step_secs, now_secs)
        for track, look in zip(tuple(self._tracks), looked, strict=True):
            if look.seen.score < self._settings.end_score or not is_readable(look.seen, frame):
                self._end(track)
                continue
            track.see(look.seen, step_secs, now_secs, self._settings.keep_score)
            track.agreement = look.agreement
            track.rechecked_secs = now_secs if look.is_new else track.rechecked_secs
            weak_since = now_secs if track.weak_since is None else track.weak_since
            if now_secs - weak_since > self._settings.weak_secs:
                self._end(track)

    def _merge(self, frame: Frame) -> None:
        """Two tracks on one face: the one that knows another face ends, else the one that slid
        there, else the younger."""
        for one in sorted(self._tracks, key=lambda track: track.track_id):
            for other in sorted(self._tracks, key=lambda track: track.track_id):
                both_live = one in self._tracks and other in self._tracks
                if not both_live or other.track_id <= one.track_id:
                    continue
                if not may_be_same_face(one.place, other.place):
                    continue
                if same_face(one.points_image, other.points_image):
                    slid = one.trouble > other.trouble + _CLEAR_TROUBLE
                    ends = self._looks and less_alike(self._looks, frame, one, other)
                    self._end(ends or (one if slid else other))

    def _must_search(self, frame: Frame, *, just_lost: bool) -> bool:
        return self._turns.is_due(
            frame,
            self._clock.now_secs,
            self._tracks,
            self._settings,
            just_lost=just_lost,
            expects=self._memory.is_fresh,
        )

    def _search(self, frame: Frame) -> None:
        """Look at the whole frame: align weak faces anew, and let new ones in."""
        search = find_at_any_roll if self._settings.any_roll else self._find
        found = search(self._finder, frame)
        pairs = match_boxes([face.box for face in found], [track.box for track in self._tracks])
        track_of = {row: self._tracks[col] for row, col in pairs}
        weak = [(i, track) for i, track in track_of.items() if track.weak_since is not None]
        free = self._settings.max_faces - len(self._tracks)
        new = sorted(
            (i for i in range(len(found)) if i not in track_of),
            key=lambda i: -found[i].box.width * found[i].box.height,
        )[:free]
        seen_all = self._confirm(frame, [found[i] for i in [i for i, _ in weak] + new])
        for (_, track), seen in zip(weak, seen_all, strict=False):
            if seen is not None and seen.score > track.seen.score:
                track.seen = seen
                track.place = Place.of(seen.landmarks.points_image)
                track.weak_since, track.agreement = None, 1.0
        self._enter(frame, [seen for seen in seen_all[len(weak) :] if seen is not None])

    def _find(self, finder: FaceFinder, frame: Frame) -> list[Detection]:
        """What the detector finds in a frame of a film; now and then, small faces too."""
        found = list(finder.find(frame))
        known = [face.box for face in found] + [track.box for track in self._tracks]
        if self._turns.may_look_closer(frame, self._clock.now_secs, known, self._settings):
            found = with_small_faces(finder, frame, found)
        return found

    def _confirm(self, frame: Frame, found: Sequence[Detection]) -> list[Prediction | None]:
        """Model 1, aligned anew, model 2, and again where in doubt; ``None`` where is no face."""
        return align(
            self._first,
            self._following,
            frame.image_rgb,
            [crop_from_detection(face, self._first.side) for face in found],
            lambda seen: _passes(seen, self._settings.confirm_score, frame),
            self._settings.starts,
            self._second_looks.grant([face.box for face in found], self._clock.now_secs),
            self._careful,
        )

    def _enter(self, frame: Frame, seen_all: Sequence[Prediction]) -> None:
        """Start a track for each face that no track lies on, under its old number if it has one."""
        fresh: list[Prediction] = []
        for seen in seen_all:
            points = seen.landmarks.points_image
            taken = [track.points_image for track in self._tracks]
            taken += [other.landmarks.points_image for other in fresh]
            if not any(same_face(points, other) for other in taken):
                fresh.append(seen)
        now_secs, smoothing = self._clock.now_secs, self._smoothing
        found = [found_face(self._looks, frame, seen, self._tracks) for seen in fresh]
        old_of = self._memory.recall(found, now_secs, self._settings)
        for i, (seen, here) in enumerate(zip(fresh, found, strict=True)):
            if i in old_of:
                old = old_of[i]
                place = here.place
                if old.same_shot:
                    points, age_secs = seen.landmarks.points_image, now_secs - old.seen_secs
                    place = old.place.moved_to(points, age_secs)
                track = Track(old.track_id, seen, place, smoothing, old.looks)
            else:
                track = Track(self._next_id, seen, here.place, smoothing)
                self._next_id += 1
            track.looks.glance = here.glance
            track.looks.keep(here.signature, now_secs)
            self._tracks.append(track)

    def _cut(self, tracks: Sequence[Track]) -> None:
        """These faces' shot is over: they are lost, and places mean nothing any more."""
        if not tracks:
            return
        for track in tuple(tracks):
            self._end(track)
        self._memory.cut()

    def _end(self, track: Track) -> None:
        self._tracks.remove(track)
        self._memory.lost.append(track.lost())

    @staticmethod
    def _predict(
        model: LandmarkPredictor, frame: Frame, places: Sequence[Similarity]
    ) -> Sequence[Prediction]:
        return model.predict(frame.image_rgb, places) if places else []


def _seconds(time_secs: object) -> float:
    if isinstance(time_secs, SupportsFloat):
        with contextlib.suppress(TypeError):  # an array of several
            if math.isfinite(secs := float(time_secs)):
                return secs
    raise InputError(f"expected the picture's time in seconds, got {reprlib.repr(time_secs)}")


def _passes(seen: Prediction, least_score: float, frame: Frame) -> bool:
    return seen.score >= least_score and is_readable(seen, frame)
