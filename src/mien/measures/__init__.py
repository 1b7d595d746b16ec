"""What a face does, measured from its points or from the table: pure numpy.

One frame: :func:`measure_face`. Over time: :func:`find_blinks`, :func:`find_nods`,
:func:`find_shakes`, :func:`speaks`, :func:`faces_camera`. A clip's rows to sums: :func:`summarise`.
"""

from mien.measures.blinks import EYES_HIDDEN_DEG, Blink, eyes_seen, find_blinks
from mien.measures.face import FACE_MEASURES, measure_face
from mien.measures.head import AT_CAMERA_DEG, Gesture, faces_camera, find_nods, find_shakes
from mien.measures.mouth import Stretch, mouth_motion, speaks, stretches
from mien.measures.speed import SPEEDS, HeadAt, HeadSpeed
from mien.measures.summary import (
    ClipSummary,
    Event,
    PersonSummary,
    mean_eye_opening,
    summarise,
)
from mien.measures.track import ClipRows, PersonRows

__all__ = [
    "AT_CAMERA_DEG",
    "EYES_HIDDEN_DEG",
    "FACE_MEASURES",
    "SPEEDS",
    "Blink",
    "ClipRows",
    "ClipSummary",
    "Event",
    "Gesture",
    "HeadAt",
    "HeadSpeed",
    "PersonRows",
    "PersonSummary",
    "Stretch",
    "eyes_seen",
    "faces_camera",
    "find_blinks",
    "find_nods",
    "find_shakes",
    "mean_eye_opening",
    "measure_face",
    "mouth_motion",
    "speaks",
    "stretches",
    "summarise",
]
