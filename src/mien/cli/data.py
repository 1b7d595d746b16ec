"""``mien data``: from photos of faces to sets of faces at every pose.

Each verb imports what it runs on, which needs SciPy: help is there without.
"""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from mien.cli.data_annotate import annotate
from mien.cli.data_finder import finder
from mien.cli.data_make import AnchorsFile, FitsFile, Split, profile, video

__all__ = ["data_app"]

data_app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Prepare and look at training data.",
)
data_app.command("annotate")(annotate)
data_app.command("finder")(finder)
data_app.command("profile")(profile)
data_app.command("video")(video)

_FACES = "faces.npz, or the folder that holds it and the photos."
_ANCHORS = "Where mark-ups sit on another head than ICT's (mien data anchors)."


class Camera(StrEnum):
    """Cameras that a fit can assume."""

    WEAK = "weak"
    PERSPECTIVE = "perspective"


@data_app.command("fit")
def fit(
    faces: Annotated[Path, typer.Argument(help=_FACES)],
    out: Annotated[Path, typer.Option(help="File of fits to write (.npz).")],
    model: Annotated[
        Path | None, typer.Option(help="Another head (mien data head); default: the shipped one.")
    ] = None,
    sheet: Annotated[Path | None, typer.Option(help="Picture of the worst fits to write.")] = None,
    anchors: Annotated[Path | None, typer.Option(help=_ANCHORS)] = None,
    camera: Annotated[
        Camera,
        typer.Option(help="weak: far away; perspective: its distance is found for every face."),
    ] = Camera.WEAK,
    outline: Annotated[
        bool, typer.Option(help="Read clicked jaws as outlines that slide over the cheek.")
    ] = True,
) -> None:
    """Fit a head to every face: pose, identity, expression."""
    from mien.datasets.ours.pack import read_pack
    from mien.synthesis.fit.anchors import load_anchors
    from mien.synthesis.fit.fits import fit_photos, save_fits
    from mien.synthesis.fit.labels import best_labels
    from mien.synthesis.fit.quality import measure_fits
    from mien.synthesis.head.morphable import load_head
    from mien.synthesis.make.contact_sheets import draw_sheet, worst_fits, write_sheet

    shape, photos = load_head(model), read_pack(faces)
    points = load_anchors(shape, anchors)
    start = time.monotonic()
    fits = fit_photos(shape, photos, points, camera is Camera.PERSPECTIVE, outline)
    save_fits(out, fits, photos, model)
    seconds = time.monotonic() - start
    labels = best_labels(shape, fits, photos, points)
    typer.echo(f"{len(photos)} faces fitted in {seconds:.0f} s to {out}")
    typer.echo(f"{int((~labels.usable).sum())} left out of sets: teachers disagree or fit is poor")
    for row in measure_fits(shape, fits, photos, points):
        typer.echo(
            f"{row.source} {row.split}: {row.faces} faces, median NME to manual inner points "
            f"{row.inner_nme:.4f}, jaw to teacher {row.jaw_nme:.4f}, outline to clicked "
            f"{row.outline_nme:.4f}"
        )
    if camera is Camera.PERSPECTIVE:
        quarters = np.percentile(fits.distance_cm, [25, 50, 75])
        typer.echo(
            "quartiles of the camera's distance, cm: " + " ".join(f"{q:.0f}" for q in quarters)
        )
    if sheet is not None:
        write_sheet(sheet, draw_sheet(worst_fits(fits, photos, labels, 100), columns=10, side=200))
        typer.echo(f"the worst fits are in {sheet}: look at them")


@data_app.command("sheet")
def sheet(
    folder: Annotated[Path, typer.Argument(help="Folder of a set (shard-*.npz).")],
    out: Annotated[Path, typer.Option(help="Picture to write (.png, .jpg).")],
    pictures: Annotated[int, typer.Option(min=1, help="How many pictures to draw.")] = 35,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the choice of pictures.")] = 0,
    points: Annotated[bool, typer.Option(help="Draw the labels; hidden points are red.")] = True,
) -> None:
    """Draw random pictures of a set with their labels."""
    from mien.synthesis.make.contact_sheets import sheet_of_set, write_sheet

    write_sheet(out, sheet_of_set(folder, pictures, np.random.default_rng(seed), points))
    typer.echo(f"pictures of {folder} in {out}")


@data_app.command("turns")
def turns(
    fits: FitsFile,
    out: Annotated[Path, typer.Option(help="Picture to write (.png, .jpg).")],
    photos: Annotated[int, typer.Option(min=1, help="How many pictures to draw.")] = 12,
    split: Split = "val",
    seed: Annotated[int, typer.Option(min=0, help="Seed of the choice of pictures.")] = 0,
    anchors: AnchorsFile = None,
) -> None:
    """Draw some photos turned to yaw 0, 30, 60 and 90, to see what turning makes of them."""
    from mien.synthesis.make.contact_sheets import sheet_of_turns, write_sheet
    from mien.synthesis.make.session import SessionFiles, open_session

    session = open_session(SessionFiles(fits, anchors=anchors))
    write_sheet(out, sheet_of_turns(session, split, photos, np.random.default_rng(seed)))
    typer.echo(f"photos of {split} at yaw 0, 30, 60, 90 in {out}")


@data_app.command("head")
def head(
    facekit: Annotated[Path, typer.Argument(help="Folder of ICT FaceKit, as published.")],
    out: Annotated[Path, typer.Option(help="Head model to write (.npz), for --model.")],
    identities: Annotated[int, typer.Option(min=1, help="Modes of identity to keep.")] = 100,
    small: Annotated[
        bool, typer.Option("--small", help="A sixth as large, at most 0.15 mm off.")
    ] = False,
) -> None:
    """Make a head model of ICT FaceKit's files; mien ships with one of 60 identities."""
    from mien.synthesis.head.facekit import compact, read_facekit, write_head

    arrays = read_facekit(facekit, identities)
    write_head(out, compact(arrays) if small else arrays)
    typer.echo(
        f"{len(arrays['identity'])} identities and {len(arrays['expression'])} expressions in {out}"
    )


@data_app.command("mesh")
def mesh(
    faces: Annotated[list[Path], typer.Argument(help="Packs whose faces have a mesh, joined.")],
    out: Annotated[Path, typer.Option(help="Folder of the pack to make: faces.npz, anchors.npz.")],
    source: Annotated[
        list[str] | None, typer.Option(help="Only faces of this source; may be given again.")
    ] = None,
    model: Annotated[
        Path | None, typer.Option(help="Another head (mien data head); default: the shipped one.")
    ] = None,
) -> None:
    """Make a pack whose only teacher is MediaPipe's mesh, for weights free for any use."""
    from mien.datasets.ours.pack import read_pack
    from mien.synthesis.fit.mesh_pack import write_mesh_pack
    from mien.synthesis.head.morphable import load_head

    made = write_mesh_pack([read_pack(pack) for pack in faces], source or [], out, load_head(model))
    apart = np.median(made.disagreement)
    typer.echo(
        f"{len(made)} faces in {out}, median distance of mesh and head {apart:.4f} of the face; "
        f"{int((~made.teachers_agree).sum())} too far apart to learn from; "
        f"next: mien data fit {out} --anchors {out / 'anchors.npz'} --out fits.npz"
    )


@data_app.command("anchors")
def anchors(
    faces: Annotated[Path, typer.Argument(help=_FACES)],
    model: Annotated[Path, typer.Option(help="The morphable head.")],
    out: Annotated[Path, typer.Option(help="File of anchors to write (.npz).")],
    seed: Annotated[int, typer.Option(min=0, help="Seed of the choice of 800 train faces.")] = 1,
) -> None:
    """Find where mark-ups sit on a head model (how the shipped ict_anchors.npz was made)."""
    from mien.datasets.ours.pack import read_pack
    from mien.synthesis.fit.anchor_calibration import calibrate_anchors
    from mien.synthesis.fit.anchors import save_anchors
    from mien.synthesis.head.morphable import load_head

    shape = load_head(model)
    found = calibrate_anchors(shape, read_pack(faces), np.random.default_rng(seed))
    save_anchors(out, found, shape)
    typer.echo(f"anchors of {model} in {out}")
