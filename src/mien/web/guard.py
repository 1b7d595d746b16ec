"""Who may come in: this machine's own browser, from this page, with the token of the address.

A page of another site can make a browser send requests to loopback, and a name of another site can
be made to point there (DNS rebinding). Both are told by the Host and Origin that the browser sends;
programs of other users of this machine do not know the token.
"""

from __future__ import annotations

import hmac

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Guard"]


class Guard:
    """Wraps an application: its routes lie below ``/TOKEN/``, and all else is refused."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        origin = headers.get("origin")
        if not self._is_ours(host, scope) or (origin is not None and origin != f"http://{host}"):
            await _refuse(scope, receive, send, 403, "only this machine's own page may ask")
            return
        given, slash, rest = scope["path"].removeprefix("/").partition("/")
        if not slash or not hmac.compare_digest(given.encode(), self._token.encode()):
            await _refuse(scope, receive, send, 404, "open the address that mien serve printed")
            return
        inner = dict(scope, path="/" + rest, raw_path=("/" + rest).encode())
        await self._app(inner, receive, _with_headers(send, host))

    @staticmethod
    def _is_ours(host: str, scope: Scope) -> bool:
        server = scope.get("server")
        port = server[1] if server else None
        return host in (f"127.0.0.1:{port}", f"localhost:{port}")


def _with_headers(send: Send, host: str) -> Send:
    policy = (
        f"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' ws://{host}; "
        "img-src 'self' blob: data:; media-src blob:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
    added = [
        (b"content-security-policy", policy.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
        (b"cache-control", b"no-store"),
        (b"cross-origin-resource-policy", b"same-origin"),
    ]

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *added]}
        await send(message)

    return send_with_headers


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, why: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": why})
        return
    await PlainTextResponse(f"{why}\n", status)(scope, receive, send)
