"""``mien serve``: the page for the browser, on this machine alone."""

from __future__ import annotations

import importlib.util
import secrets
import tempfile
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from mien.cli.networks import DetectorOption, MarkupOption, ModelOption, ThreadsOption
from mien.errors import ConfigError
from mien.pipeline import TrackerParts
from mien.runtime import DEFAULT_MODEL

__all__ = ["serve"]


def serve(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of 127.0.0.1; 0 takes any that is free.")
    ] = 8420,
    model: ModelOption = DEFAULT_MODEL,
    markup: MarkupOption = 68,
    detector: DetectorOption = "centerface",
    threads: ThreadsOption = None,
    visitors: Annotated[
        int, typer.Option(min=1, max=64, help="Webcams and videos followed at once.")
    ] = 4,
    upload_mb: Annotated[int, typer.Option(min=1, help="Largest video, MB.")] = 500,
    video_minutes: Annotated[
        float,
        typer.Option(
            min=0.01,
            help="Longest part of a video that is followed, minutes; the page says where it was "
            "cut.",
        ),
    ] = 10.0,
    open_page: Annotated[
        bool, typer.Option("--open", help="Open the page in the default browser.")
    ] = False,
) -> None:
    """Serve a page that follows faces: from the browser's webcam, or a video dropped on it.

    Nothing leaves this machine: the page can only be opened on it, at the address that is printed.
    Ctrl-C ends it.
    """
    missing = [
        name for name in ("fastapi", "uvicorn", "websockets", "scipy") if not _is_there(name)
    ]
    if missing:
        raise ConfigError(f"mien serve needs {', '.join(missing)}: pip install 'mien[web]'")
    from mien.web.app import make_app
    from mien.web.server import run_server
    from mien.web.visitors import Limits

    limits = Limits(visitors, upload_mb, video_minutes)
    parts = TrackerParts.open(model, points=markup, detector=detector, threads=threads)
    token = secrets.token_urlsafe(24)

    def tell(taken: int) -> None:
        address = f"http://127.0.0.1:{taken}/{token}/"
        typer.echo(f"open {address}   (Ctrl-C ends)")
        if open_page:
            webbrowser.open(address)

    with tempfile.TemporaryDirectory(prefix="mien-serve-") as folder:
        run_server(make_app(parts, Path(folder), token, limits), port, tell)


def _is_there(name: str) -> bool:
    return importlib.util.find_spec(name) is not None
