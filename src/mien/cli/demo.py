"""``mien demo``: the bundled clip, whose exact landmarks are known, tracked and measured."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from jaxtyping import Float

from mien.cli.choices import TableFormat
from mien.cli.networks import MODEL_HELP
from mien.errors import InputError, OutputError
from mien.evaluation.metrics import nme
from mien.geometry.convention import Convention, in_convention
from mien.media import Input
from mien.outputs import Sink
from mien.pipeline import TrackerParts
from mien.runtime import DEFAULT_MODEL
from mien.study import Outcome, Outputs, track_input
from mien.types import Box, Face, Frame

__all__ = ["demo"]


def demo(
    out: Annotated[Path, typer.Option(help="Folder for the results; made if it is missing.")],
    model: Annotated[str, typer.Option(metavar="NAME|PATH", help=MODEL_HELP)] = DEFAULT_MODEL,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads for the networks; all cores if not given.")
    ] = None,
) -> None:
    """Track the bundled clip; print how well and how fast.

    The clip is a public-domain photo (NASA), moved by mien's own code, so that the true landmarks
    of every frame are known.
    """
    folder = _demo_folder()
    clip = folder / "clip.mp4"
    outputs = Outputs(out, TableFormat.CSV, overlay=True, timeline=False)
    outputs.make_folder()
    parts = TrackerParts.open(model, threads=threads)
    measure = _Against(
        _read_truth(folder / "landmarks.npz", Convention(parts.pair.following.card.convention))
    )
    outputs.refuse_foreign(["demo"])
    outcome = Outcome()
    tally = outcome.tally
    track_input(Input(str(clip), "demo"), parts, outputs, outcome, more_sinks=[measure])
    typer.echo(f"frames   {tally.frames_decoded}, of which missed: {measure.missed}")
    if measure.errors:
        mean = float(np.mean(measure.errors))
        typer.echo(f"NME      {mean:.4f} of the face size, mean over the frames with the face")
    typer.echo(f"speed    {tally.fps:.1f} frames/s, from the file to the drawn video")
    if outcome.failures:
        raise OutputError("; ".join(outcome.failures))
    typer.echo(f"overlay  {outputs.overlay_path('demo', is_photo=False)}")


class _Against(Sink):
    """A sink that measures the face nearest to the truth in each frame (eq. 5)."""

    def __init__(self, truth: Float[np.ndarray, "frames 68 3"]) -> None:
        self._truth = truth
        self.errors: list[float] = []
        self.missed = 0

    def write(self, frame: Frame, faces: Sequence[Face]) -> None:
        if frame.index >= len(self._truth):
            return
        truth = self._truth[frame.index]
        box = Box.around(truth)
        near = [face for face in faces if face.box.iou(box) > 0]
        if not near:
            self.missed += 1
            return
        best = max(near, key=lambda face: face.box.iou(box))
        self.errors.append(nme(best.landmarks.points_image, truth))

    def close(self) -> None:
        """Nothing to finish."""


def _demo_folder() -> Path:
    return Path(str(resources.files("mien"))) / "demo"


def _read_truth(path: Path, convention: Convention) -> Float[np.ndarray, "frames 68 3"]:
    """The exact landmarks, which are clicked ones, where a model of that convention has them."""
    try:
        with np.load(path) as data:
            clicked = np.asarray(data["points_image"], dtype=np.float64)
    except (OSError, KeyError, ValueError):
        raise InputError(
            f"the bundled clip is missing from this installation ({path}): install mien anew"
        ) from None
    return np.stack([in_convention(face, Convention.CLICKED, convention) for face in clicked])
