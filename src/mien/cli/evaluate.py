"""``mien evaluate``: a model measured on a labelled data set, by the protocols of paper 4.1."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Callable, Sequence
from enum import StrEnum
from importlib import metadata
from itertools import chain
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from jaxtyping import Float
from rich.console import Console
from rich.progress import Progress

from mien.cli.evaluate_clips import evaluate_clips
from mien.cli.evaluate_tables import measured_tables
from mien.cli.measured_model import MeasuredModel
from mien.datasets.ours.pack import read_face_pack
from mien.datasets.ours.shards import read_turned
from mien.datasets.photo import LabelledPhoto
from mien.datasets.public.aflw2000 import read_aflw2000
from mien.datasets.public.menpo3d import read_menpo3d
from mien.datasets.public.pts import read_pts
from mien.datasets.public.w300lp import read_w300lp
from mien.errors import ConfigError, DataError, OutputError
from mien.evaluation.plots import (
    require_matplotlib,
    write_ced,
    write_reliability,
    write_yaw_scatter,
)
from mien.evaluation.predictions import Predictions, predict
from mien.evaluation.presence import corner_view, misplaced_crop
from mien.evaluation.protocols import FaceLandmarker, Init, Mirrored, locate
from mien.evaluation.report import Provenance, evaluate_predictions, moved_to, write_json
from mien.evaluation.synthetic import Probes, TurnedScore, score_turned
from mien.evaluation.worst_faces import write_worst
from mien.geometry.convention import Convention
from mien.markup import load_markup
from mien.pipeline import find_faces, make_tracker
from mien.runtime import DEFAULT_MODEL, LandmarkerPair, load_landmarkers, open_detector
from mien.tracking import TrackerSettings
from mien.types import Prediction

__all__ = ["Format", "evaluate"]

_ALL_FACES = TrackerSettings(max_faces=64)
"""The labelled face of a group photo may be a small one, and big ones enter first."""


class Format(StrEnum):
    """Layouts of labelled data that can be measured on."""

    AFLW2000 = "aflw2000"
    PTS = "pts"
    FACES = "faces"
    W300LP = "w300lp"
    MENPO3D = "menpo3d"
    TURNED = "turned"
    CLIPS = "clips"


def evaluate(
    data_format: Annotated[
        Format,
        typer.Argument(
            metavar="FORMAT",
            help="aflw2000: imageNNNNN.jpg + .mat; pts: photos + iBUG .pts; faces: our face pack; "
            "w300lp: 300W-LP; menpo3d: photos of Menpo 3D; turned: a set of mien data profile; "
            "clips: videos of mien data video, followed by the tracker.",
        ),
    ],
    root: Annotated[Path, typer.Argument(help="Folder of the data set.")],
    json_file: Annotated[
        Path,
        typer.Option("--json", help="Result file; the predictions go beside it, as .npz."),
    ],
    init: Annotated[
        Init,
        typer.Option(
            help="Where the crop comes from: the true landmarks, their box, or the photo alone; "
            "clips are always followed by themselves."
        ),
    ] = Init.ORACLE,
    plots: Annotated[
        Path | None, typer.Option(help="Folder for curves and a sheet of the worst faces.")
    ] = None,
    model: Annotated[
        str, typer.Option(help="Shipped model, or the path of a weight file.")
    ] = DEFAULT_MODEL,
    split: Annotated[str, typer.Option(help="Split of the face pack.")] = "test",
    source: Annotated[
        list[str] | None,
        typer.Option(help="Only this source of the face pack; may be given again."),
    ] = None,
    detector: Annotated[
        str,
        typer.Option(
            help="centerface, centerface:LONG_SIDE, yunet:MODEL_FILE or boxes:FILE.csv; "
            "read with --init detector and for clips."
        ),
    ] = "centerface",
    mirror: Annotated[
        bool, typer.Option("--mirror", help="Average with what is seen in the mirrored photo.")
    ] = False,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads for the network; default: all cores.")
    ] = None,
) -> None:
    """Measure a model's landmarks on labelled photos, or its tracker on labelled clips."""
    if plots is not None:
        require_matplotlib()
    sources = source or []
    if sources and data_format is not Format.FACES:
        raise ConfigError(f"--source chooses within the face pack: {data_format} has no sources")
    if data_format is Format.CLIPS:
        if mirror or plots is not None:
            raise ConfigError("clips have neither --mirror nor --plots: leave them out")
        _make_folders(json_file, None)
        pair = load_landmarkers(model, points=68, threads=threads)
        words = ["mien", "evaluate", "clips", root.resolve().name, "--model", Path(model).name]
        words += ["--detector", detector]
        provenance = _provenance(pair, words, data_format, "video", mirror=False)
        evaluate_clips(root, make_tracker(pair, open_detector(detector)), provenance, json_file)
        return
    turned = read_turned(root) if data_format is Format.TURNED else ()
    photos = (
        [face.photo for face in turned]
        if turned
        else _read_photos(data_format, root, split, sources)
    )
    _make_folders(json_file, plots)
    pair = load_landmarkers(model, points=68, threads=threads)
    shape = load_markup(68)
    tracker = make_tracker(pair, open_detector(detector), _ALL_FACES)
    landmarker: FaceLandmarker = MeasuredModel(
        pair,
        lambda image_rgb: [
            Prediction(face.landmarks, face.score) for face in find_faces(tracker, image_rgb)
        ],
    )
    if mirror:
        landmarker = Mirrored(landmarker, np.array(shape.mirror))
    words = ["mien", "evaluate", data_format.value, root.resolve().name, "--init", init.value]
    words += ["--model", Path(model).name]
    if data_format is Format.FACES:
        words += ["--split", split, *chain.from_iterable(("--source", name) for name in sources)]
    if init is Init.DETECTOR:
        words += ["--detector", detector]
    words += ["--mirror"] if mirror else []
    provenance = _provenance(pair, words, data_format, init.value, mirror=mirror)
    console = Console(stderr=True)

    def see(what: str, look: Callable[[LabelledPhoto], Prediction | None]) -> Predictions:
        file = json_file.with_name(f"{json_file.stem}.{what}.npz")
        return _predict(photos, look, file, provenance, console)

    predictions = see(
        "predictions",
        lambda photo: locate(landmarker, photo, photo.read_rgb(), init, shape.mean_shape),
    )
    evaluation = evaluate_predictions(photos, predictions, provenance)
    if turned:
        probes = None
        if init is Init.ORACLE:
            probes = Probes(
                no_face=see("no_face", lambda photo: _see_corner(landmarker, photo)),
                misplaced=see(
                    "misplaced", lambda photo: _see_astray(landmarker, photo, shape.mean_shape)
                ),
            )
        radius = pair.following.card.confidence_radius

        def measure(of: Predictions) -> TurnedScore:
            return score_turned(turned, of, probes, shape.mean_shape, radius)

        moved = evaluation.moved
        if moved is not None:
            points = moved_to(predictions, provenance.convention, moved.convention)
            moved = dataclasses.replace(moved, turned=measure(points))
        evaluation = dataclasses.replace(evaluation, turned=measure(predictions), moved=moved)
    write_json(evaluation, json_file)
    if plots is not None:
        write_ced(evaluation, plots / "ced.png")
        write_yaw_scatter(evaluation, plots / "nme_against_yaw.png")
        write_worst(photos, predictions, evaluation.main, plots / "worst.png")
        write_reliability(evaluation, plots / "reliability.png")
    for table in measured_tables(evaluation):
        Console().print(table)


def _provenance(
    pair: LandmarkerPair, words: Sequence[str], data_format: Format, init: str, *, mirror: bool
) -> Provenance:
    return Provenance(
        command=shlex.join(words),
        data_format=data_format.value,
        init=init,
        mirror=mirror,
        model=pair.name,
        convention=Convention(pair.following.card.convention),
        detection_sha256=pair.first.card.sha256,
        tracking_sha256=pair.following.card.sha256,
        version=metadata.version("mien"),
    )


def _read_photos(
    data_format: Format, root: Path, split: str, sources: Sequence[str]
) -> Sequence[LabelledPhoto]:
    if not root.is_dir():
        raise DataError(f"{root} is no folder: give the folder of the data set")
    if data_format is Format.AFLW2000:
        return read_aflw2000(root)
    if data_format is Format.PTS:
        return read_pts(root)
    if data_format is Format.W300LP:
        return read_w300lp(root)
    if data_format is Format.MENPO3D:
        return tuple(photo.to_68() for photo in read_menpo3d(root))
    return read_face_pack(root, split=split, sources=sources)


def _make_folders(json_file: Path, plots: Path | None) -> None:
    """Before an hour of predicting, not after it."""
    for folder in (json_file.parent, *([] if plots is None else [plots])):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"{folder} cannot be made a folder ({error.strerror}): name another place"
            ) from error


def _see_corner(landmarker: FaceLandmarker, photo: LabelledPhoto) -> Prediction | None:
    view = corner_view(photo, photo.read_rgb(), landmarker.side)
    return None if view is None else landmarker.align_crop(view.image_rgb, view.image_from_crop)


def _see_astray(
    landmarker: FaceLandmarker, photo: LabelledPhoto, mean_shape: Float[np.ndarray, "68 3"]
) -> Prediction:
    crop = misplaced_crop(photo, mean_shape, landmarker.side)
    return landmarker.align_crop(photo.read_rgb(), crop)


def _predict(
    photos: Sequence[LabelledPhoto],
    locate_face: Callable[[LabelledPhoto], Prediction | None],
    file: Path,
    provenance: Provenance,
    console: Console,
) -> Predictions:
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("predicting", total=len(photos))
        return predict(
            photos,
            locate_face,
            file,
            run=repr(provenance),
            on_face=lambda done: progress.update(task, completed=done),
        )
