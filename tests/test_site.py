"""The site's table of contents names what is there, and every page is on it."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
NAV = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:\n")[2]
PAGES = re.findall(r": ([\w/-]+\.(?:md|ipynb))$", NAV, re.MULTILINE)


def test_every_page_of_the_site_is_there_once() -> None:
    assert len(PAGES) > 10
    assert len(set(PAGES)) == len(PAGES)
    assert [page for page in PAGES if not (ROOT / "docs" / page).is_file()] == []


def test_every_page_of_the_docs_is_on_the_site() -> None:
    written = {str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")}
    assert sorted(page for page in written - set(PAGES) if not page.startswith("decisions/")) == []


def test_the_public_names_are_explained() -> None:
    import mien

    page = (ROOT / "docs" / "reference" / "api.md").read_text(encoding="utf-8")
    told = set(re.findall(r"^::: mien\.(\w+)", page, re.MULTILINE))
    assert told == set(mien.__all__) - {"__version__"}
