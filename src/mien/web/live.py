"""The browser's webcam: a picture in, its faces out, one tracker for each connection."""

from __future__ import annotations

import asyncio
import time

from fastapi import WebSocket, WebSocketDisconnect

from mien.errors import InputError
from mien.expression import FaceExpressions
from mien.tracking import Tracker
from mien.web.messages import face_message, picture_of
from mien.web.visitors import Visitors

__all__ = ["FULL", "follow_camera"]

FULL, IDLE, BAD_PICTURE = 4001, 4002, 4003
"""Close codes of the WebSocket."""


async def follow_camera(socket: WebSocket, visitors: Visitors) -> None:
    """Answer each picture with its faces until the page leaves.

    The page sends the next picture when it has the answer to the last: none queue up here.
    """
    await socket.accept()
    with visitors.place() as has_place:
        if not has_place:
            await socket.close(FULL, visitors.full)
            return
        tracker = visitors.parts.tracker()
        expressions = FaceExpressions()
        loop = asyncio.get_running_loop()
        index = 0
        while True:
            try:
                message = await asyncio.wait_for(socket.receive_bytes(), visitors.limits.idle_secs)
                answer = await loop.run_in_executor(
                    visitors.threads, _answer, tracker, expressions, message, index
                )
                await socket.send_text(answer)
            except TimeoutError:
                await socket.close(IDLE, "no picture came for a while")
                return
            except (InputError, KeyError) as error:
                await socket.close(BAD_PICTURE, str(error)[:120])
                return
            except WebSocketDisconnect:
                return
            index += 1


def _answer(tracker: Tracker, expressions: FaceExpressions, message: bytes, index: int) -> str:
    start_secs = time.perf_counter()
    frame = picture_of(message, index)
    faces = expressions.update(tracker.update(frame), frame.time_secs)
    took_ms = 1000 * (time.perf_counter() - start_secs)
    return face_message(frame, faces, ("server_ms", round(took_ms, 2)))
