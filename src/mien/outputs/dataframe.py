"""What was tracked as a pandas table, without a file between."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from mien.errors import ConfigError, expect
from mien.expression import Details
from mien.outputs.rows import columns, rows
from mien.types import Face, Frame

if TYPE_CHECKING:
    import pandas

__all__ = ["to_dataframe"]


def to_dataframe(tracked: Iterable[tuple[Frame, list[Face]]]) -> pandas.DataFrame:
    """A row a face and frame, with the columns of the CSV behind ``clip``, the frame's source.

    ::

        table = mien.to_dataframe(mien.track("clip.mp4"))

    Blendshapes and the head in space are columns where ``mien.track`` was asked for them. A frame
    without a face has one row whose ``track_id`` (nullable ``Int64``) is missing.

    Raises:
        ConfigError: pandas is not installed, or nothing that can be gone through was given.
        ValueError: faces of different numbers of points.
    """
    expect(tracked, (Iterable,), "tracked", "what mien.track gives, or a list of such pairs")
    try:
        import pandas
    except ImportError as missing:
        raise ConfigError("to_dataframe needs pandas: pip install pandas") from missing
    kept = list(_without_pictures(tracked))
    points = next((len(f.landmarks.points_image) for _, faces in kept for f in faces), 68)
    seen = [face for _, faces in kept for face in faces]
    details = Details(
        blendshapes=any(face.expression is not None for face in seen),
        metric=any(face.head_matrix is not None for face in seen),
    )
    lines = [
        [frame.source, *row] for frame, faces in kept for row in rows(frame, faces, points, details)
    ]
    names = ["clip", *columns(points, details)]
    kinds = dict.fromkeys(names[2:], "float64") | {"frame": "int64", "track_id": "Int64"}
    return pandas.DataFrame(lines, columns=names).astype(kinds)


def _without_pictures(
    tracked: Iterable[tuple[Frame, list[Face]]],
) -> Iterable[tuple[Frame, list[Face]]]:
    """A clip's pictures would fill the memory, and the table has none of them."""
    for frame, faces in tracked:
        pixel = frame.image_rgb[:1, :1].copy()
        yield Frame(pixel, frame.index, frame.time_secs, frame.source), faces
