"""Folders on this file system, and those that fsspec reaches by an address (``s3://``)."""

from __future__ import annotations

import contextlib
import glob
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from mien.errors import ConfigError, InputError, OutputError, reason_of
from mien.files import PendingFile, told_as_output_error, write_atomically
from mien.media import has_media_suffix, is_address
from mien.outputs import is_ours_within, may_be_ours
from mien.pipeline import FolderListing, LeftOut

__all__ = ["Place", "addresses_at", "fetch", "is_elsewhere", "local_path", "token_of"]

_FILE = "file://"
_MOST_ASKED = 64
"""Files that are opened to find out whose they are: each costs a request."""


def is_elsewhere(where: str) -> bool:
    """Whether fsspec is needed to reach it; ``file://`` is here."""
    return is_address(where) and not where.startswith(_FILE)


def local_path(where: str) -> Path:
    """The path of what is not elsewhere, absolute: nodes have other working folders."""
    return Path(where.removeprefix(_FILE)).absolute()


@dataclass(frozen=True)
class Place:
    """A folder for results; names within it are relative, with slashes."""

    address: str

    def __str__(self) -> str:
        return self.address

    def of(self, name: str) -> str:
        """The address of a file in it."""
        return f"{self.address.rstrip('/')}/{name}"

    def write(self, name: str, data: bytes) -> None:
        """Write a file, whole or not at all where the store can (every object store, every disk).

        Raises:
            OutputError: it cannot be written.
        """
        if not is_elsewhere(self.address):
            write_atomically(local_path(self.of(name)), data)
            return
        with _told_as_output_error(self.of(name)):
            system, path = _system_of(self.of(name))
            _make_folder(system, path)
            system.pipe_file(path, data)

    def put(self, file: Path, name: str) -> None:
        """Move a file of this machine there.

        Raises:
            OutputError: it cannot be written.
        """
        if not is_elsewhere(self.address):
            pending = PendingFile(local_path(self.of(name)))
            with told_as_output_error(pending.path):
                shutil.move(file, pending.part)
            pending.publish()
            return
        with _told_as_output_error(self.of(name)):
            system, path = _system_of(self.of(name))
            _make_folder(system, path)
            system.put_file(str(file), path)

    def remove(self, name: str) -> None:
        """Leave no file of that name.

        Raises:
            OutputError: it cannot be removed.
        """
        with _told_as_output_error(self.of(name)):
            if not is_elsewhere(self.address):
                local_path(self.of(name)).unlink(missing_ok=True)
                return
            system, path = _system_of(self.of(name))
            with contextlib.suppress(FileNotFoundError):
                system.rm_file(path)

    def read(self, name: str) -> bytes | None:
        """A file's bytes; ``None`` where there is none.

        Raises:
            InputError: it cannot be read.
        """
        where = self.of(name)
        with _told_as_input_error(where), contextlib.suppress(FileNotFoundError):
            if not is_elsewhere(where):
                return local_path(where).read_bytes()
            system, path = _system_of(where)
            return bytes(system.cat_file(path))
        return None

    def read_all(self, folder: str, ending: str) -> Iterator[bytes]:
        """Every file in a folder of it and below, whose name ends so.

        Raises:
            InputError: one cannot be read.
        """
        where = self.of(folder)
        with _told_as_input_error(where):
            if not is_elsewhere(where):
                for path in sorted(local_path(where).rglob(f"*{ending}")):
                    yield path.read_bytes()
                return
            system, top = _system_of(where)
            system.invalidate_cache()
            for name in sorted(system.find(top)):
                if name.endswith(ending):
                    yield bytes(system.cat_file(name))


def addresses_at(address: str, *, recursive: bool) -> FolderListing:
    """Photos and videos that an address names: a folder's, a pattern's (``s3://bucket/*.mp4``), or
    the one file; and what a folder holds besides.

    Raises:
        InputError: nothing is there.
        ConfigError: fsspec, or what it needs for such addresses, is not installed.
    """
    with _told_as_input_error(address):
        system, path = _system_of(address)
        if glob.has_magic(path):
            top = path[: path.index(next(filter(glob.has_magic, path)))].rpartition("/")[0]
            found, folders, links = _parted(system, system.glob(path, detail=True).values())
        elif system.isdir(path):
            top, (found, folders, links) = path, _within(system, path, recursive)
        elif system.isfile(path):
            return FolderListing([(address, PurePosixPath(PurePosixPath(path).name))])
        else:
            raise InputError(f"{address}: no such file or folder; check the address")
        names = sorted(name for name in found if has_media_suffix(name))
        if not names:
            besides = LeftOut(folders=folders, links=links).line("--recursive reads them")
            raise InputError(
                f"{address}: no photos or videos there{f'; {besides}' * bool(besides)}"
            )
        within = (PurePosixPath(name[len(top) :].lstrip("/")) for name in names)
        others = [name for name in sorted(found) if not has_media_suffix(name)]
        visible = (
            [system.unstrip_protocol(name) for name in many if not _is_hidden(name)]
            for many in (_not_ours(system, others), sorted(folders), sorted(links))
        )
        return FolderListing(
            [(system.unstrip_protocol(name), one) for name, one in zip(names, within, strict=True)],
            LeftOut(*visible),
            read=[system.unstrip_protocol(top.rstrip("/"))] * (not glob.has_magic(path)),
        )


def _within(system: Any, folder: str, recursive: bool) -> tuple[list[str], list[str], list[str]]:
    """As :func:`_parted`, of what a folder holds, and if asked of what is below."""
    if recursive:
        return _parted(system, system.find(folder, detail=True).values())
    told = system.ls(folder, detail=True)
    return _parted(system, [one for one in told if one["name"].rstrip("/") != folder])


def _parted(
    system: Any, told: Iterable[Mapping[str, Any]]
) -> tuple[list[str], list[str], list[str]]:
    """Files, folders, and links to folders. What a link's own type does not say is asked; one that
    leads nowhere is a file, which is refused by name when it is opened."""
    files: list[str] = []
    folders: list[str] = []
    links: list[str] = []
    for one in told:
        name = one["name"].rstrip("/")
        if one["type"] == "directory":
            folders.append(name)
        elif one["type"] != "file" and system.isdir(name):
            links.append(name)
        elif one["type"] == "file" or system.isfile(name) or one.get("islink"):
            files.append(name)
    return files, folders, links


def _not_ours(system: Any, names: list[str]) -> list[str]:
    """Those that mien has not written, as far as few are asked; the rest may be anybody's."""
    asked = [name for name in names if may_be_ours(name) and not _is_hidden(name)][:_MOST_ASKED]
    ours = {name for name in asked if _is_ours(system, name)}
    return [name for name in names if name not in ours and not name.endswith(".part")]


def _is_ours(system: Any, name: str) -> bool:
    try:
        with system.open(name, "rb") as file:
            return is_ours_within(name, file)
    except Exception:  # whatever the store says: a file that cannot be read is not ours
        return False


def _is_hidden(name: str) -> bool:
    return PurePosixPath(name).name.startswith(".")


def token_of(where: str) -> tuple[str, int]:
    """What changes when a file does, and its bytes.

    Raises:
        InputError: it cannot be read.
    """
    with _told_as_input_error(where):
        if is_elsewhere(where):
            system, path = _system_of(where)
            size = int(system.info(path).get("size") or 0)
            return f"{size} {system.ukey(path)}", size
        stat = local_path(where).stat()
        return f"{stat.st_size} {stat.st_mtime_ns}", stat.st_size


def fetch(where: str, file: Path) -> None:
    """Copy a file of an address here.

    Raises:
        InputError: there is none.
        OSError: or whatever else the store raises; it may come with another attempt.
    """
    system, path = _system_of(where)
    try:
        system.get_file(path, str(file))
    except FileNotFoundError as gone:
        raise InputError(f"{where}: no such file") from gone


def _system_of(address: str) -> tuple[Any, str]:
    """fsspec's file system and the path in it.

    Raises:
        ConfigError: fsspec, or the package it needs for such addresses, is not installed.
    """
    try:
        from fsspec.core import url_to_fs
    except ImportError as missing:
        raise ConfigError(
            f"{address}: addresses need fsspec: pip install 'mien[ray]', or name a folder"
        ) from missing
    try:
        system, path = url_to_fs(address)
    except (ImportError, ValueError) as error:
        raise ConfigError(f"{address}: {reason_of(error)}") from error
    return system, str(path)


def _make_folder(system: Any, path: str) -> None:
    """Object stores have none, and fsspec takes that for done."""
    system.makedirs(path.rpartition("/")[0], exist_ok=True)


@contextlib.contextmanager
def _told_as_output_error(where: str) -> Iterator[None]:
    try:
        yield
    except (ConfigError, OutputError):
        raise
    except Exception as error:  # each store has errors of its own
        raise OutputError(f"{where}: cannot be written ({reason_of(error)})") from error


@contextlib.contextmanager
def _told_as_input_error(where: str) -> Iterator[None]:
    try:
        yield
    except (ConfigError, InputError, FileNotFoundError):
        raise
    except Exception as error:  # each store has errors of its own
        raise InputError(f"{where}: cannot be read ({reason_of(error)})") from error
