"""One face at a time to another program, by OSC over UDP: mien's own messages, or VMC's.

Messages are made and sent in a thread: whoever receives late, or not at all, slows nobody.
Importing this module needs python-osc.
"""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from mien.avatar.osc_messages import Message, osc_messages, vmc_messages, vrm_messages
from mien.errors import ConfigError
from mien.outputs import Sink
from mien.types import Face, Frame

try:
    from pythonosc.osc_bundle import OscBundle
    from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
    from pythonosc.osc_message_builder import OscMessageBuilder
    from pythonosc.udp_client import UDPClient
except ImportError as missing:
    raise ConfigError("--osc and --vmc need python-osc: pip install 'mien[avatar]'") from missing

__all__ = ["FaceStream", "StreamTarget"]

_WAITING = 32
"""Frames that may wait to be sent; beyond, the oldest is dropped and counted."""
_PACKET_BYTES = 1400
"""Of a bundle: what a network passes on in one piece."""
_LARGER = 1.5
"""By how much another face's area must exceed that of the one followed to be taken instead."""
_PROTOCOLS: dict[str, Callable[[Frame, Face | None, int], list[Message]]] = {
    "osc": osc_messages,
    "vmc": vmc_messages,
    "vrm": vrm_messages,
}


@dataclass(frozen=True)
class StreamTarget:
    """Where to, and in which protocol."""

    protocol: str
    """``osc``, ``vmc``, or ``vrm``: VMC with the shapes that every VRM avatar has."""
    host: str
    port: int

    @classmethod
    def parse(cls, protocol: str, text: str) -> StreamTarget:
        """``HOST:PORT``; a host of colons stands in brackets, ``[::1]:9000``.

        Raises:
            ConfigError: something else, or a host that is not known.
        """
        found = re.fullmatch(r"(?:\[([0-9a-fA-F:.]+)\]|([^\s:\[\]]+)):(\d{1,5})", text)
        if not found or not 0 < int(found[3]) < 65536:
            raise ConfigError(
                f"--{_option(protocol)} is HOST:PORT, as 127.0.0.1:39539, not {text!r}"
            )
        host = found[1] or found[2]
        # Receivers listen at the address of old, and "localhost" may mean the new one.
        target = cls(protocol, "127.0.0.1" if host == "localhost" else host, int(found[3]))
        target.open().close()
        return target

    def open(self) -> UDPClient:
        """A socket that never blocks.

        Raises:
            ConfigError: the host is not known.
        """
        try:
            return UDPClient(self.host, self.port)
        except OSError as error:
            raise ConfigError(
                f"--{_option(self.protocol)}: {self.host} is not an address that this machine knows"
            ) from error


class FaceStream(Sink):
    """Sends each frame's face, where it was seen; the largest, or the one of a number."""

    def __init__(self, target: StreamTarget, face: int | None = None) -> None:
        self.target = target
        self.dropped = 0
        """Frames that could not be sent in time."""
        self._face, self._followed = face, face
        self._messages = _PROTOCOLS[target.protocol]
        self._client = target.open()
        self._waiting: deque[tuple[Frame, Face | None, int]] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._send, name="mien-osc", daemon=True)
        self._thread.start()

    def write(self, frame: Frame, faces: Sequence[Face]) -> None:
        faces = [face for face in faces if face.is_seen]  # a guess moves nobody's head
        face = self._choose(faces)
        with self._changed:
            if self._closing:
                return
            if len(self._waiting) == _WAITING:
                self._waiting.popleft()
                self.dropped += 1
            # Without its picture, which would fill the memory.
            bare = Frame(frame.image_rgb[:1, :1], frame.index, frame.time_secs)
            self._waiting.append((bare, face, len(faces)))
            self._changed.notify()

    def close(self) -> None:
        """Send what waits, and end."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()
        self._client.close()

    def _choose(self, faces: Sequence[Face]) -> Face | None:
        if self._face is not None:
            return next((face for face in faces if face.track_id == self._face), None)
        largest = max(faces, key=_area, default=None)
        followed = next((face for face in faces if face.track_id == self._followed), None)
        if largest is None:
            return None
        if followed is None or _area(largest) > _LARGER * _area(followed):
            followed = largest
        self._followed = followed.track_id
        return followed

    def _send(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closing)
                if not self._waiting:
                    return
                frame, face, count = self._waiting.popleft()
            try:
                for bundle in _bundles(self._messages(frame, face, count)):
                    self._client.send(bundle)
            except OSError:  # nobody there, or a buffer that is full: the next frame comes soon
                self.dropped += 1


def _option(protocol: str) -> str:
    """What the command calls it."""
    return "osc" if protocol == "osc" else "vmc"


def _area(face: Face) -> float:
    return face.box.width * face.box.height


def _bundles(messages: Sequence[Message]) -> Iterator[OscBundle]:
    """Messages in order, as many in a bundle as a packet takes."""
    builder, size = OscBundleBuilder(IMMEDIATELY), 16
    for address, values in messages:
        made = OscMessageBuilder(address)
        for value in values:
            made.add_arg(value)
        message = made.build()
        if size > 16 and size + 4 + message.size > _PACKET_BYTES:
            yield builder.build()
            builder, size = OscBundleBuilder(IMMEDIATELY), 16
        builder.add_content(message)
        size += 4 + message.size
    yield builder.build()
