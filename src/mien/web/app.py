"""The application: the page and its files, the webcam's socket, videos and their tables."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from importlib import resources
from pathlib import Path

from fastapi import FastAPI, Request, Response, WebSocket
from fastapi.responses import FileResponse, JSONResponse
from starlette.types import ASGIApp

from mien.pipeline import TrackerParts
from mien.web.guard import Guard
from mien.web.live import follow_camera
from mien.web.messages import markup_message
from mien.web.videos import UploadError, Videos
from mien.web.visitors import Limits, Visitors

__all__ = ["make_app"]

_ASSETS = {
    "": ("page.html", "text/html; charset=utf-8"),
    "style.css": ("style.css", "text/css; charset=utf-8"),
    "app.js": ("app.js", "text/javascript; charset=utf-8"),
    "avatar.js": ("avatar.js", "text/javascript; charset=utf-8"),
    "curves.js": ("curves.js", "text/javascript; charset=utf-8"),
    "drawing.js": ("drawing.js", "text/javascript; charset=utf-8"),
    "glb.js": ("glb.js", "text/javascript; charset=utf-8"),
    "sources.js": ("sources.js", "text/javascript; charset=utf-8"),
}


def make_app(parts: TrackerParts, folder: Path, token: str, limits: Limits) -> ASGIApp:
    """An application whose addresses begin with ``/token/``; it writes in ``folder`` alone."""
    visitors = Visitors(parts, limits)

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        visitors.leave()

    # No pages of documentation: theirs would be fetched from elsewhere.
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    videos = Videos(folder, visitors)
    about = markup_message(parts.pair.markup) | {
        "model": parts.pair.name,
        "upload_mb": limits.upload_mb,
        "video_minutes": limits.video_minutes,
    }

    @app.get("/about.json")
    def tell_about() -> dict[str, object]:
        return about

    @app.post("/videos")
    async def take_video(request: Request) -> JSONResponse:
        try:
            return JSONResponse({"video": await videos.store(request)})
        except UploadError as error:
            return JSONResponse({"error": str(error)}, error.status)

    @app.get("/videos/{name}/table.csv")
    def give_table(name: str) -> Response:
        path = videos.table(name)
        if path is None:
            return JSONResponse({"error": "this table is not here any more"}, 404)
        return FileResponse(path, media_type="text/csv; charset=utf-8")

    @app.get("/videos/{name}/face-{track_id}.glb")
    def give_head(name: str, track_id: int) -> Response:
        path = videos.head(name, track_id)
        if path is None:
            return JSONResponse({"error": "this head is not here any more"}, 404)
        return FileResponse(path, media_type="model/gltf-binary")

    @app.websocket("/live")
    async def live(socket: WebSocket) -> None:
        await follow_camera(socket, visitors)

    @app.websocket("/videos/{name}")
    async def video(socket: WebSocket, name: str) -> None:
        await videos.follow(socket, name)

    @app.get("/{asset:path}")
    def give_asset(asset: str) -> Response:
        if asset not in _ASSETS:
            return JSONResponse({"error": "there is no such page"}, 404)
        file, kind = _ASSETS[asset]
        content = resources.files("mien.web").joinpath("assets", file).read_bytes()
        return Response(content, media_type=kind)

    return Guard(app, token)
