"""The server on loopback: it says where it is when it is there, and ends with Ctrl-C."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp

from mien.errors import ConfigError

__all__ = ["run_server"]

_HOST = "127.0.0.1"
_LARGEST_PICTURE = 4_000_000
"""Bytes of one message of the webcam's socket."""
_WAIT_SECS = 0.01


def run_server(app: ASGIApp, port: int, on_ready: Callable[[int], None]) -> None:
    """Serve until a signal; ``on_ready`` gets the port, which 0 leaves to the system.

    Raises:
        ConfigError: the port is taken or not allowed.
    """
    asyncio.run(_serve(app, port, on_ready))


async def _serve(app: ASGIApp, port: int, on_ready: Callable[[int], None]) -> None:
    loop = asyncio.get_running_loop()
    try:
        bound = await loop.create_server(asyncio.Protocol, _HOST, port, start_serving=False)
    except OSError as error:
        raise ConfigError(
            f"port {port} of {_HOST} cannot be had ({error.strerror or error}); "
            "name another with --port, or 0 for any that is free"
        ) from error
    sockets = [one.dup() for one in bound.sockets]
    bound.close()
    config = uvicorn.Config(
        app,
        log_level="error",
        access_log=False,
        lifespan="on",
        server_header=False,
        ws_max_size=_LARGEST_PICTURE,
        ws_max_queue=2,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    serving = asyncio.ensure_future(server.serve(sockets))
    while not server.started and not serving.done():
        await asyncio.sleep(_WAIT_SECS)
    if server.started:
        on_ready(sockets[0].getsockname()[1])
    await serving
