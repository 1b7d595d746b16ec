"""What a face does, measured from its points or from the table: pure numpy."""

from mien.measures.blinks import EYES_HIDDEN_DEG, Blink, eyes_seen, find_blinks
from mien.measures.face import FACE_MEASURES, measure_face
from mien.measures.speed import SPEEDS, HeadAt, HeadSpeed

__all__ = [
    "EYES_HIDDEN_DEG",
    "FACE_MEASURES",
    "SPEEDS",
    "Blink",
    "HeadAt",
    "HeadSpeed",
    "eyes_seen",
    "find_blinks",
    "measure_face",
]
