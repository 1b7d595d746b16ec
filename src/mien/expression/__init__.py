"""Blendshapes by ARKit's names from the landmarks in 3D, the neutral learned on the way.

::

    expressions = FaceExpressions()
    for frame, faces in mien.track("clip.mp4"):
        for face in expressions.update(faces, frame.time_secs):
            print(face.expression["jawOpen"])
"""

from mien.expression.details import DetailReader, Details
from mien.expression.reader import ExpressionReader, FaceExpressions
from mien.expression.settings import ExpressionSettings
from mien.expression.shapes import ABSENT, ARKIT, SHAPES

__all__ = [
    "ABSENT",
    "ARKIT",
    "SHAPES",
    "DetailReader",
    "Details",
    "ExpressionReader",
    "ExpressionSettings",
    "FaceExpressions",
]
