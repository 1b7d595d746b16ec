"""``--osc``, ``--vmc`` and ``--face``: a face sent to another program while it is tracked."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli.said import say
from mien.errors import ConfigError

if TYPE_CHECKING:
    from mien.avatar.streams import FaceStream, StreamTarget

__all__ = ["FaceOption", "OscOption", "VmcOption", "VrmOption", "open_streams", "parse_targets"]

_PANEL = "Results"
OscOption = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT",
        help="Send pose, head and blendshapes there as OSC messages (/mien/...) at each frame.",
        rich_help_panel=_PANEL,
    ),
]
VmcOption = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT",
        help="Send them there in the VMC protocol, for avatars; programs listen at port 39539.",
        rich_help_panel=_PANEL,
    ),
]
VrmOption = Annotated[
    bool,
    typer.Option(
        "--vrm-shapes",
        help="With --vmc: the shapes that every VRM avatar has (blinks, A, U, O, Joy), not the 52 "
        "of ARKit.",
        rich_help_panel=_PANEL,
    ),
]
FaceOption = Annotated[
    int | None,
    typer.Option(
        min=0,
        metavar="NUMBER",
        help="The track_id to send by --osc and --vmc; the largest face if not given.",
        rich_help_panel=_PANEL,
    ),
]


def parse_targets(
    osc: str | None, vmc: str | None, face: int | None, *, vrm_shapes: bool = False
) -> list[StreamTarget]:
    """Where to send to; nothing is loaded if nothing is.

    Raises:
        ConfigError: not HOST:PORT, an unknown host, python-osc is missing, or ``--face`` or
            ``--vrm-shapes`` alone.
    """
    if vrm_shapes and vmc is None:
        raise ConfigError("--vrm-shapes says what --vmc sends; it is not given")
    places = (("osc", osc), ("vrm" if vrm_shapes else "vmc", vmc))
    asked = [(name, text) for name, text in places if text is not None]
    if not asked:
        if face is not None:
            raise ConfigError("--face says which face --osc or --vmc sends; neither is given")
        return []
    from mien.avatar.streams import StreamTarget

    return [StreamTarget.parse(name, text) for name, text in asked]


@contextlib.contextmanager
def open_streams(targets: Sequence[StreamTarget], face: int | None) -> Iterator[list[FaceStream]]:
    """Streams, closed at the end; what could not be sent is said then."""
    if not targets:
        yield []
        return
    from mien.avatar.streams import FaceStream

    with contextlib.ExitStack() as closing:
        streams = [closing.enter_context(FaceStream(target, face)) for target in targets]
        yield streams
    for stream in streams:
        if stream.dropped:
            where = f"{stream.target.protocol} {stream.target.host}:{stream.target.port}"
            say(f"{where}: {stream.dropped} frames were not sent in time")
