"""Videos dropped on the page: stored in a folder of ours, followed, kept as a table."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from fastapi import Request, WebSocket, WebSocketDisconnect
from starlette.requests import ClientDisconnect

from mien.errors import ConfigError, InputError, MienError
from mien.expression import Details
from mien.media import Source, SourceKind, open_source
from mien.outputs import Sink, open_table
from mien.outputs.take_files import TakeFiles, take_paths
from mien.pipeline import Tally, track_source
from mien.types import Face, Frame
from mien.web.live import FULL
from mien.web.messages import face_message, preview_of
from mien.web.visitors import Visitors

__all__ = ["UploadError", "Videos"]

_MOST_PIXELS = 4096 * 2304
_PREVIEW_EVERY_SECS = 0.15
_SEND_SECS = 30.0
_TABLES_A_PLACE = 4
_READ = Details(blendshapes=True)
_GLB = "glb"
_HEADS = 8
"""Faces of a video whose heads are kept, 2 MB each: those seen longest."""


class UploadError(Exception):
    """An upload that is refused, and its HTTP status."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Videos:
    """What visitors brought. The oldest goes when more than four for each place are there."""

    def __init__(self, folder: Path, visitors: Visitors) -> None:
        self._folder = folder
        self._visitors = visitors
        self._known: list[str] = []
        self._uploading = 0

    async def store(self, request: Request) -> str:
        """Write the body to a file; its name, which cannot be guessed.

        Raises:
            UploadError: too large, too many at once, or broken off: nothing is then left.
        """
        limits = self._visitors.limits
        said = request.headers.get("content-length", "")
        if said.isdigit() and int(said) > limits.upload_bytes:
            raise UploadError(413, self._too_large)
        if self._uploading >= limits.visitors:
            raise UploadError(503, self._visitors.full)
        self._uploading += 1
        name = secrets.token_urlsafe(16)
        path = self._video(name)
        try:
            await self._write(request, path)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        finally:
            self._uploading -= 1
        self._known.append(name)
        for old in self._known[: -_TABLES_A_PLACE * limits.visitors]:
            self._forget(old)
        return name

    async def _write(self, request: Request, path: Path) -> None:
        written = 0
        try:
            with path.open("xb") as file:
                async for piece in request.stream():
                    written += len(piece)
                    if written > self._visitors.limits.upload_bytes:
                        raise UploadError(413, self._too_large)
                    file.write(piece)
        except ClientDisconnect as error:
            raise UploadError(400, "the upload broke off") from error
        except OSError as error:
            raise UploadError(507, f"the video cannot be stored ({error.strerror})") from error
        if not written:
            raise UploadError(400, "the file is empty (0 bytes)")

    async def follow(self, socket: WebSocket, name: str) -> None:
        """Track a stored video, telling the page every frame; the video is deleted afterwards."""
        await socket.accept()
        if name not in self._known or not self._video(name).is_file():
            await _tell(socket, {"error": "this video is not here any more; drop it again"})
            return
        with self._visitors.place() as has_place:
            if not has_place:
                await socket.close(FULL, self._visitors.full)
                return
            loop = asyncio.get_running_loop()
            try:
                end = await loop.run_in_executor(
                    self._visitors.threads, self._track, name, socket, loop
                )
                await _tell(socket, end)
            except WebSocketDisconnect:
                self._forget(name)
            finally:
                self._video(name).unlink(missing_ok=True)

    def table(self, name: str) -> Path | None:
        """The table of a video that was followed."""
        path = self._table(name)
        return path if name in self._known and path.is_file() else None

    def _track(
        self, name: str, socket: WebSocket, loop: asyncio.AbstractEventLoop
    ) -> dict[str, object]:
        """In a thread: the pipeline of ``mien track``, with the page as one more sink."""
        parts, tally = self._visitors.parts, Tally()
        note = ""
        try:
            with open_source(self._video(name)) as source:
                bounded = _Bounded(source, 60 * self._visitors.limits.video_minutes)
                page = _PageSink(socket, loop, source.frames_expected)
                table = open_table(self._table(name), len(parts.pair.markup), _READ)
                heads = self._open_heads(name, source.rate)
                details = TakeFiles.details_of(_READ) if heads else _READ
                track_source(bounded, parts, [table, page, *heads], tally, details=details)
                left_out = sum(each.left_out for each in heads)
                few = f"the head is there for the {_HEADS} faces seen longest" if left_out else ""
                note = "; ".join(filter(None, (bounded.note, few)))
        except MienError as error:
            note = str(error).replace(str(self._video(name)), "the video").replace(name, "video")
        done = {
            "frames": tally.frames_decoded,
            "with_face": tally.frames_with_face,
            "heads": self._heads(name),
        }
        note = "; ".join(filter(None, (note, tally.note_on_limit(parts.settings.max_faces))))
        if not tally.frames_decoded:
            return {"error": note or "the video holds no frame"}
        return {"done": {**done, "fps": round(tally.fps, 1), "note": note}}

    def _video(self, name: str) -> Path:
        return self._folder / f"{name}.video"

    def _table(self, name: str) -> Path:
        return self._folder / f"{name}.csv"

    def head(self, name: str, track_id: int) -> Path | None:
        """The animated head of one face of a video that was followed."""
        path = self._folder / f"{name}.face-{track_id}.{_GLB}"
        return path if name in self._known and path.is_file() else None

    def _heads(self, name: str) -> list[int]:
        paths = take_paths(self._folder, name, _GLB)
        return sorted(int(path.name.split("-")[-1].split(".")[0]) for path in paths)

    def _open_heads(self, name: str, rate: float) -> list[TakeFiles]:
        """None where the package that writes glb files is not installed."""
        try:
            from mien.avatar.glb import encode_glb
        except ConfigError:
            return []
        return [TakeFiles(self._folder, name, _GLB, rate, encode_glb, _READ, most=_HEADS)]

    def _forget(self, name: str) -> None:
        self._known = [one for one in self._known if one != name]
        for path in take_paths(self._folder, name, _GLB):
            path.unlink(missing_ok=True)
        self._video(name).unlink(missing_ok=True)
        self._table(name).unlink(missing_ok=True)

    @property
    def _too_large(self) -> str:
        return f"the video is larger than {self._visitors.limits.upload_mb} MB, which is the most"


class _PageSink(Sink):
    """Each frame's faces as a message; now and then a small picture too. The page's pace counts."""

    def __init__(
        self, socket: WebSocket, loop: asyncio.AbstractEventLoop, expected: int | None
    ) -> None:
        self._socket, self._loop, self._expected = socket, loop, expected
        self._next_preview_secs = 0.0

    def write(self, frame: Frame, faces: Sequence[Face]) -> None:
        message = face_message(frame, faces, ("expected", self._expected))
        preview = None
        if time.monotonic() >= self._next_preview_secs:
            preview = preview_of(frame.image_rgb)
            self._next_preview_secs = time.monotonic() + _PREVIEW_EVERY_SECS
        sending = asyncio.run_coroutine_threadsafe(self._send(message, preview), self._loop)
        sending.result(_SEND_SECS)

    async def _send(self, message: str, preview: bytes | None) -> None:
        await self._socket.send_text(message)
        if preview is not None:
            await self._socket.send_bytes(preview)

    def close(self) -> None:
        """Nothing to finish: the end is told by who called."""


class _Bounded:
    """A source that stops after so many seconds, and refuses pictures too large for the memory."""

    def __init__(self, source: Source, most_secs: float) -> None:
        self._source, self._most_secs = source, most_secs
        self.note = ""

    @property
    def name(self) -> str:
        return self._source.name

    @property
    def kind(self) -> SourceKind:
        return self._source.kind

    @property
    def frames_expected(self) -> int | None:
        return self._source.frames_expected

    @property
    def rate(self) -> float:
        return self._source.rate

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """The source is closed by who opened it."""

    def __iter__(self) -> Iterator[Frame]:
        for frame in self._source:
            height, width = frame.image_rgb.shape[:2]
            if height * width > _MOST_PIXELS:
                raise InputError(
                    f"expected a picture of at most 4096x2304 px, got {width}x{height}; "
                    "use mien track for it"
                )
            if frame.time_secs > self._most_secs:
                minutes = f"{self._most_secs / 60:g}"
                self.note = f"only the first {minutes} minutes were followed, which is the most"
                return
            yield frame


async def _tell(socket: WebSocket, message: dict[str, object]) -> None:
    await socket.send_text(json.dumps(message))
    await socket.close()
