"""Lines for a terminal."""

from __future__ import annotations

import sys
import unicodedata

__all__ = ["one_line", "say"]


def say(text: str) -> None:
    """One line on stderr, told by mien."""
    print(f"mien: {' '.join(one_line(text).split())}", file=sys.stderr)


def one_line(text: str) -> str:
    """The text without line breaks and control characters, which file names may hold: a name with
    an escape sequence would be obeyed by the terminal."""
    return "".join(_shown(letter) for letter in text).rstrip()


def _shown(letter: str) -> str:
    if unicodedata.category(letter) != "Cc":
        return letter
    return " " if letter.isspace() else "?"
