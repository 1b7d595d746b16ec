"""``mien live``: a window on a webcam, file or stream, with what mien sees."""

from __future__ import annotations

import dataclasses
import json
import re
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from mien.cli.networks import DetectorOption, MarkupOption, ModelOption, ThreadsOption
from mien.cli.streams import (
    FaceOption,
    OscOption,
    VmcOption,
    VrmOption,
    open_streams,
    parse_targets,
)
from mien.errors import ConfigError
from mien.expression import Details
from mien.files import write_atomically
from mien.live import LiveOptions, Window, open_live, require_window, run_live
from mien.live.recorder import Recorder
from mien.media.source import camera_number
from mien.pipeline import TrackerParts
from mien.runtime import DEFAULT_MODEL
from mien.tracking import TrackerSettings

__all__ = ["live"]


def live(
    where: Annotated[
        str,
        typer.Argument(
            metavar="0|VIDEO|URL", help="The number of a webcam, a video, or a stream's address."
        ),
    ] = "0",
    out: Annotated[
        Path, typer.Option(help="Folder for recordings (key r); made when one begins.")
    ] = Path("recordings"),
    model: ModelOption = DEFAULT_MODEL,
    markup: MarkupOption = 68,
    max_faces: Annotated[
        int, typer.Option(min=1, help="Faces followed at once.")
    ] = TrackerSettings.max_faces,
    detector: DetectorOption = "centerface",
    threads: ThreadsOption = None,
    size: Annotated[
        str | None,
        typer.Option(
            metavar="WIDTHxHEIGHT",
            help="Size to ask a webcam for; pictures of other sources are shrunk to fit in it.",
        ),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(
            min=1, max=1000, help="Frames a second to ask a webcam for, or to play a video at."
        ),
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option(min=0.1, help="End after so many seconds; a video is repeated until then."),
    ] = None,
    mirror: Annotated[
        bool | None,
        typer.Option(help="Mirror the picture; if neither is given, a webcam is mirrored."),
    ] = None,
    record: Annotated[bool, typer.Option("--record", help="Record from the first frame.")] = False,
    window: Annotated[
        bool, typer.Option(help="Without a window it only measures the latency.")
    ] = True,
    osc: OscOption = None,
    vmc: VmcOption = None,
    vrm_shapes: VrmOption = False,
    face: FaceOption = None,
    focal: Annotated[
        float | None, typer.Option(metavar="PX", help="Focal length of the camera, px.")
    ] = None,
    fov: Annotated[
        float | None,
        typer.Option(
            metavar="DEGREES",
            help="The camera's field of view from corner to corner, in place of --focal; 63 if "
            "neither is given.",
        ),
    ] = None,
    json_file: Annotated[
        Path | None,
        typer.Option("--json", help="Also write latency, rate and dropped frames to this file."),
    ] = None,
) -> None:
    """Look at a webcam, video or stream with points, pose and openings drawn, frame by frame.

    The newest frame wins: what comes while one is tracked is dropped and counted, so that the
    picture never lags. Keys: r record, m mirror, h hide the points, c recalibrate (forget all faces
    and look anew), q quit.
    """
    asked = _size_of(size)
    targets = parse_targets(osc, vmc, face, vrm_shapes=vrm_shapes)
    if not targets and (focal is not None or fov is not None):
        raise ConfigError(
            "--focal and --fov say where --osc and --vmc place the head; neither is given"
        )
    details = Details(True, bool(targets), focal, fov)
    if window:
        require_window()
    source = open_live(where, size=asked, rate=rate, again=seconds is not None)
    settings = TrackerSettings(max_faces=max_faces)
    parts = TrackerParts.open(
        model, points=markup, detector=detector, settings=settings, threads=threads
    )
    pair = parts.pair
    is_webcam = camera_number(where) is not None
    recorder = Recorder(out, "live", pair.markup, source.rate)
    options = LiveOptions(seconds, is_webcam if mirror is None else mirror, record, details)
    try:
        with source, open_streams(targets, face) as streams:
            result = run_live(
                source,
                parts.tracker(),
                pair.markup,
                recorder,
                Window() if window else None,
                options,
                streams,
            )
    finally:
        for table in recorder.tables:
            typer.echo(f"recorded {table} and its overlay")
    typer.echo(
        f"{result.frames_tracked} of {result.frames_arrived} frames in {result.seconds:.1f} s, "
        f"{result.fps:.1f} frames/s, {result.frames_dropped} dropped; latency "
        f"{result.latency_ms_median:.1f} ms (median), {result.latency_ms_p95:.1f} ms (95 %)"
    )
    if json_file is not None:
        about: dict[str, object] = {"command": _command(), "source": Path(where).name}
        about |= {"model": pair.name, "rate": source.rate, "window": window}
        text = json.dumps(about | dataclasses.asdict(result), indent=2)
        write_atomically(json_file, (text + "\n").encode())


def _size_of(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    found = re.fullmatch(r"(\d{2,5})[xX](\d{2,5})", text)
    if not found:
        raise ConfigError(f"--size is WIDTHxHEIGHT, as 640x480, not {text!r}")
    return int(found[1]), int(found[2])


def _command() -> str:
    """As it was given, without the folders of this machine."""
    words = [
        Path(word).name if "/" in word and "://" not in word else word for word in sys.argv[1:]
    ]
    return shlex.join(["mien", *words])
