"""``mien data finder``: faces, scenes and photos to the set that a face finder learns from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mien.errors import ConfigError, InputError
from mien.pipeline import left_out_of
from mien.runtime import open_detector

__all__ = ["finder"]


def finder(
    out: Annotated[Path, typer.Argument(help="Folder of the set to make.")],
    faces: Annotated[
        Path | None, typer.Option(help="A face pack: its train and val faces.")
    ] = None,
    profiles: Annotated[Path | None, typer.Option(help="Folder of clicked CFP profiles.")] = None,
    scenes: Annotated[
        Path | None, typer.Option(help="Folder of photos with boxes.json, every face marked.")
    ] = None,
    photos: Annotated[
        list[Path] | None,
        typer.Option(help="Folder of photos of which nothing is known; repeatable."),
    ] = None,
    empty: Annotated[Path | None, typer.Option(help="Folder of photos without a face.")] = None,
    teacher: Annotated[
        str,
        typer.Option(help="Detector that marks the faces that nobody marked; as for mien track."),
    ] = "centerface:480",
) -> None:
    """Gather what a face finder learns from, for mien train configs/finder.toml."""
    try:
        from mien.training.finder.prepare import FinderSources, picture_files, prepare_finder_set
    except ModuleNotFoundError as error:
        raise ConfigError(f"this needs {error.name}: pip install 'mien[train]'") from error
    for folder in (faces, profiles, scenes, empty, *(photos or [])):
        if folder is not None and not folder.exists():
            raise InputError(f"{folder}: no such folder")
    sources = FinderSources(faces, profiles, scenes, tuple(photos or ()), empty)
    count, marked = prepare_finder_set(sources, out, open_detector(teacher), _tell)
    typer.echo(
        f"{count} picture{'s' * (count != 1)} with {marked} face{'s' * (marked != 1)} in {out}; "
        f"next: mien train configs/finder.toml --data {out}"
    )
    for folder in (*(photos or []), *([empty] if empty is not None else [])):
        if line := left_out_of(folder, picture_files(folder)).line(kind="neither JPEG nor PNG"):
            typer.echo(f"{folder}: {line}")


def _tell(done: int, of: int) -> None:
    if done % 500 == 0:
        typer.echo(f"{done} of {of} pictures")
