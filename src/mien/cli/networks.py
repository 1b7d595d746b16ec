"""Options that say which networks look, and on what, where a window or a page follows faces."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["MODEL_HELP", "DetectorOption", "MarkupOption", "ModelOption", "ThreadsOption"]

MODEL_HELP = (
    "A model of 'mien models', or a weight file. NAME:openvino runs it in OpenVINO "
    "(the extra 'openvino')."
)
ModelOption = Annotated[str, typer.Option(metavar="NAME|PATH", help=MODEL_HELP)]
MarkupOption = Annotated[int, typer.Option(help="Number of landmarks, 68 or 84.")]
DetectorOption = Annotated[str, typer.Option(help="Face detector, as for mien track.")]
ThreadsOption = Annotated[
    int | None, typer.Option(min=1, help="Threads for the networks; all cores if not given.")
]
