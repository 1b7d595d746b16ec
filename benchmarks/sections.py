"""Parts of documents that are written from result files: each between two markers, and checked."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

BEGIN, END = "<!-- results:begin -->", "<!-- results:end -->"


def line(cells: Sequence[str]) -> str:
    """One row of a table."""
    return "| " + " | ".join(cells) + " |"


def put_section(text: str, section: str) -> str:
    """The document with the section between its markers."""
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{section}\n{END}{after}"


def run(document: Path, make_section: Callable[[], str], purpose: str) -> None:
    """The command line of a script that keeps one document's section: write it, or check it."""
    parser = argparse.ArgumentParser(description=purpose)
    parser.add_argument("--check", action="store_true", help="change nothing")
    arguments = parser.parse_args()
    old = document.read_text()
    new = put_section(old, make_section())
    if arguments.check:
        sys.exit(new != old)
    document.write_text(new)
