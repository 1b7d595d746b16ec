"""Every error mien raises on purpose.

::

    MienError                 one line a user can act on; the CLI exits with code 2
    ├── InputError            an input file, folder or camera cannot be read
    ├── OutputError           an output file cannot be written
    ├── ModelError            an unknown model name, or a weight file that is not one
    ├── ConfigError           an option, a configuration file or a combination that makes no sense
    └── DataError             a data set is not laid out as its format says

A message says what was expected, what came, and what to do about it, in one line.
"""

from __future__ import annotations

import reprlib


class MienError(Exception):
    """Base of all errors a user can cause and mend."""


class InputError(MienError):
    """A file, folder or camera cannot be read."""


class OutputError(MienError):
    """A result cannot be written where it was asked for."""


class ModelError(MienError):
    """A model name is unknown, or a file is not a mien weight file."""


class ConfigError(MienError):
    """An option or a configuration value is missing, unknown or contradictory."""


class DataError(MienError):
    """A data set does not follow its published layout."""


def expect(value: object, kinds: tuple[type, ...], name: str, words: str) -> None:
    """Refuse an argument of another type in one sentence, before it fails deep inside.

    Args:
        kinds: what it may be; a ``bool`` is no number here unless it is named.
        words: what it may be, for a person.

    Raises:
        ConfigError: it is something else.
    """
    is_stray_bool = isinstance(value, bool) and bool not in kinds
    if is_stray_bool or not isinstance(value, kinds):
        raise ConfigError(f"{name} is {words}, not {reprlib.repr(value)}")


def reason_of(error: BaseException) -> str:
    """What somebody else's error says, for a line of ours: without its number, and in one line."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return (str(error).strip() or type(error).__name__).splitlines()[0]
