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
    run_page(document, lambda: put_section(document.read_text("utf-8"), make_section()), purpose)


def run_page(document: Path, make_page: Callable[[], str], purpose: str) -> None:
    """The same, of a script that keeps a whole document."""
    parser = argparse.ArgumentParser(description=purpose)
    parser.add_argument("--check", action="store_true", help="change nothing")
    arguments = parser.parse_args()
    new = make_page()
    if not arguments.check:
        document.write_text(new, encoding="utf-8")
    elif document.read_text("utf-8") != new:
        place = Path(sys.argv[0])
        sys.exit(f"{document.name} is not what its sources say: python benchmarks/{place.name}")
