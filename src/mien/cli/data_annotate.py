"""``mien data annotate``: a folder of photos to a table of faces, by our own network."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from mien.datasets.ours.pack_writer import PackWriter
from mien.errors import InputError, MienError
from mien.geometry.convention import Convention, in_convention
from mien.media import SourceKind, list_inputs, open_source
from mien.pipeline import ALL_FACES, TrackerParts, left_out_of
from mien.runtime import DEFAULT_MODEL
from mien.tracking import TrackerSettings

__all__ = ["annotate"]


def annotate(
    folder: Annotated[Path, typer.Argument(help="Photos; folders within are not searched.")],
    out: Annotated[Path, typer.Option(help="Folder of the pack to make: faces.npz and faces/.")],
    model: Annotated[str, typer.Option(help="A model of mien models, or a weight file.")] = (
        DEFAULT_MODEL
    ),
    detector: Annotated[
        str, typer.Option(help="As for mien track; frames of boxes: are places in the folder.")
    ] = "centerface",
    least_size: Annotated[
        float, typer.Option(min=0, help="Faces smaller than this, px, are left out.")
    ] = 60.0,
    val: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the photos kept for validation.")
    ] = 0.1,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads for the network.")] = None,
) -> None:
    """Find faces and their first points in a folder of photos, for mien data fit."""
    inputs = list_inputs(folder)
    left_out = left_out_of(folder, {Path(photo.where) for photo in inputs})
    settings = TrackerSettings(max_faces=ALL_FACES)
    parts = TrackerParts.open(model, detector=detector, settings=settings, threads=threads)
    pair, tracker = parts.pair, parts.tracker()
    card = pair.following.card
    own, teacher = Convention(card.convention), f"{pair.name} of mien ({card.licence})"
    writer, small, skipped = PackWriter(out, val, teacher), 0, 0
    for number, photo in enumerate(inputs, start=1):
        try:
            with open_source(photo.where) as source:
                if source.kind is not SourceKind.PHOTO:
                    raise InputError(f"{photo.where}: not a photo")
                frame = next(iter(source))
        except MienError as error:
            skipped += 1
            typer.echo(f"skipped: {error}", err=True)
            continue
        # A photo's frame is its place in the folder, by which boxes: of a file know it.
        tracker.reset()
        for face in tracker.update(dataclasses.replace(frame, index=number - 1)):
            if (face.box.width * face.box.height) ** 0.5 < least_size:
                small += 1
                continue
            # Fits read these points as clicked ones.
            points = in_convention(face.landmarks.points_image, own, Convention.CLICKED)
            landmarks = dataclasses.replace(face.landmarks, points_image=points)
            writer.add(Path(photo.where).name, frame.image_rgb, landmarks)
        if number % 100 == 0:
            typer.echo(f"{number} of {len(inputs)} files, {len(writer)} faces")
    writer.close()
    if line := left_out.line("name them one by one"):
        typer.echo(line)
    typer.echo(
        f"{len(writer)} faces of {len(inputs) - skipped} photos in {out}; {small} too small; "
        f"{skipped} files skipped; next: mien data fit {out} --out fits.npz"
    )
