"""A small reader of OSC 1.0 packets, by the specification alone."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator


class Receiver:
    """A UDP socket on loopback."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(5)
        self.place = f"127.0.0.1:{self._socket.getsockname()[1]}"

    def messages(self) -> list[tuple[str, tuple[object, ...]]]:
        """Of all packets that came until nothing comes for a moment."""
        found: list[tuple[str, tuple[object, ...]]] = []
        while True:
            try:
                packet = self._socket.recv(65536)
            except TimeoutError:
                return found
            assert len(packet) <= 1400
            found += read_packet(packet)
            self._socket.settimeout(0.3)

    def close(self) -> None:
        self._socket.close()


def read_packet(packet: bytes) -> Iterator[tuple[str, tuple[object, ...]]]:
    assert len(packet) % 4 == 0
    if not packet.startswith(b"#bundle\0"):
        yield _message(packet)
        return
    at = 16
    while at < len(packet):
        (size,) = struct.unpack_from(">i", packet, at)
        yield from read_packet(packet[at + 4 : at + 4 + size])
        at += 4 + size


def _message(data: bytes) -> tuple[str, tuple[object, ...]]:
    address, at = _string(data, 0)
    tags, at = _string(data, at)
    assert address.startswith("/")
    assert tags.startswith(",")
    values: list[object] = []
    for tag in tags[1:]:
        if tag == "s":
            text, at = _string(data, at)
            values.append(text)
        else:
            values += struct.unpack_from({"i": ">i", "f": ">f"}[tag], data, at)
            at += 4
    assert at == len(data)
    return address, tuple(values)


def _string(data: bytes, at: int) -> tuple[str, int]:
    end = data.index(b"\0", at)
    return data[at:end].decode("ascii"), at + (end - at) // 4 * 4 + 4
