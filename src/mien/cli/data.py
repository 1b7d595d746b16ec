"""``mien data``: from photos of faces to sets of faces at every pose."""

from __future__ import annotations

import dataclasses
import shlex
import sys
import time
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer

from mien.errors import ConfigError
from mien.faces3d.anchors import load_anchors, save_anchors
from mien.faces3d.fits import fit_photos, fit_sources, load_fits, save_fits
from mien.faces3d.labels import best_labels
from mien.faces3d.morphable import load_head
from mien.faces3d.photos import load_photos
from mien.faces3d.recipe import Recipe, make_entries
from mien.faces3d.report import measure_fits, worst_fits
from mien.faces3d.settle import settle_anchors
from mien.faces3d.shards import SetWriter
from mien.faces3d.sheets import draw_sheet, sheet_of_set, write_sheet

__all__ = ["data_app"]

data_app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Prepare and look at training data.",
)

_FACES = "faces.npz, or the folder that holds it and the photos."
_ANCHORS = "Where mark-ups sit on another head than ICT's (mien data anchors)."
_REPORT_EVERY = 500


@data_app.command("fit")
def fit(
    faces: Annotated[Path, typer.Argument(help=_FACES)],
    model: Annotated[Path, typer.Option(help="The morphable head, ict_face_model.npz.")],
    out: Annotated[Path, typer.Option(help="File of fits to write (.npz).")],
    sheet: Annotated[Path | None, typer.Option(help="Picture of the worst fits to write.")] = None,
    anchors: Annotated[Path | None, typer.Option(help=_ANCHORS)] = None,
) -> None:
    """Fit a head to every face: pose, identity, expression."""
    head, photos = load_head(model), load_photos(faces)
    points = load_anchors(head, anchors)
    start = time.monotonic()
    fits = fit_photos(head, photos, points)
    save_fits(out, fits, photos, model)
    seconds = time.monotonic() - start
    labels = best_labels(head, fits, photos, points)
    typer.echo(f"{len(photos)} faces fitted in {seconds:.0f} s to {out}")
    typer.echo(f"{int((~labels.usable).sum())} left out of sets: teachers disagree or fit is poor")
    for row in measure_fits(head, fits, photos, points):
        typer.echo(
            f"{row.source} {row.split}: {row.faces} faces, median NME to manual inner points "
            f"{row.inner_nme:.4f}, jaw to teacher {row.jaw_nme:.4f}"
        )
    if sheet is not None:
        write_sheet(sheet, draw_sheet(worst_fits(fits, photos, labels, 100), columns=10, side=200))
        typer.echo(f"the worst fits are in {sheet}: look at them")


@data_app.command("profile")
def profile(
    fits: Annotated[Path, typer.Argument(help="What mien data fit wrote.")],
    out: Annotated[Path, typer.Option(help="Folder of the set; shards already there stay.")],
    pictures: Annotated[int, typer.Option(min=1, help="How many pictures to make.")] = 6000,
    split: Annotated[str, typer.Option(help="Photos of which split to use.")] = "train",
    seed: Annotated[int, typer.Option(help="Seed of every random choice.")] = 0,
    yaw: Annotated[
        tuple[float, float], typer.Option(help="Least and greatest yaw, degrees, either side.")
    ] = (30.0, 90.0),
    eyes_shut: Annotated[float, typer.Option(min=0, max=1, help="Share of shut eyes.")] = 0.1,
    mouth_open: Annotated[float, typer.Option(min=0, max=1, help="Share of open mouths.")] = 0.1,
    brows: Annotated[float, typer.Option(min=0, max=1, help="Share of moved brows.")] = 0.05,
    relit: Annotated[float, typer.Option(min=0, max=1, help="Share of new light.")] = 0.3,
    faces: Annotated[Path | None, typer.Option(help=f"{_FACES} [default: as fitted]")] = None,
    model: Annotated[Path | None, typer.Option(help="Head model [default: as fitted].")] = None,
    anchors: Annotated[Path | None, typer.Option(help=_ANCHORS)] = None,
) -> None:
    """Turn photos to a larger yaw, with exact 3D labels."""
    if not 0 <= yaw[0] <= yaw[1] <= 90:
        raise ConfigError(f"--yaw takes two angles from 0 to 90, the smaller first, not {yaw}")
    # One thread: OpenCV's own threads cost more than they gain on pictures this small.
    cv2.setNumThreads(1)
    fitted_faces, fitted_model = fit_sources(fits)
    photos = load_photos(faces or fitted_faces)
    head, table = load_head(model or fitted_model), load_fits(fits, photos)
    points = load_anchors(head, anchors)
    recipe = Recipe(
        pictures=pictures,
        split=split,
        min_yaw_deg=yaw[0],
        max_yaw_deg=yaw[1],
        eyes_shut=eyes_shut,
        mouth_open=mouth_open,
        brows=brows,
        relit=relit,
    )
    writer, start = SetWriter(out, split), time.monotonic()
    rng = np.random.default_rng(seed)
    for entry in make_entries(recipe, head, photos, table, points, rng):
        writer.add(entry)
        if writer.pictures % _REPORT_EVERY == 0:
            rate = writer.pictures / (time.monotonic() - start)
            typer.echo(f"{writer.pictures} of {pictures} pictures, {rate:.1f} a second")
    writer.close(shlex.join(sys.argv), seed, dataclasses.asdict(recipe))
    typer.echo(f"{writer.pictures} pictures in {out}; look at them: mien data sheet {out}")


@data_app.command("sheet")
def sheet(
    folder: Annotated[Path, typer.Argument(help="Folder of a set (shard-*.npz).")],
    out: Annotated[Path, typer.Option(help="Picture to write (.png, .jpg).")],
    pictures: Annotated[int, typer.Option(min=1, help="How many.")] = 35,
    seed: Annotated[int, typer.Option(help="Which ones.")] = 0,
    points: Annotated[bool, typer.Option(help="Draw the labels; hidden points are red.")] = True,
) -> None:
    """Draw random pictures of a set with their labels."""
    write_sheet(out, sheet_of_set(folder, pictures, np.random.default_rng(seed), points))
    typer.echo(f"{pictures} pictures of {folder} in {out}")


@data_app.command("anchors")
def settle(
    faces: Annotated[Path, typer.Argument(help=_FACES)],
    model: Annotated[Path, typer.Option(help="The morphable head.")],
    out: Annotated[Path, typer.Option(help="File of anchors to write (.npz).")],
    seed: Annotated[int, typer.Option(help="Which 800 train faces are used.")] = 1,
) -> None:
    """Find where mark-ups sit on a head model (how the shipped ict_anchors.npz was made)."""
    head = load_head(model)
    found = settle_anchors(head, load_photos(faces), np.random.default_rng(seed))
    save_anchors(out, found, head)
    typer.echo(f"anchors of {model} in {out}")
