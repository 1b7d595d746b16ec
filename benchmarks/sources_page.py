"""Write docs/sources.md from the ledger, or check that it is what the ledger says.

python benchmarks/sources_page.py [--check]
"""

from __future__ import annotations

from pathlib import Path

from mien.runtime.ledger import Ledger, load_ledger
from sections import run_page

PAGE = Path(__file__).parents[1] / "docs" / "sources.md"


def page(ledger: Ledger) -> str:
    """The whole page."""
    lines = [
        "# Sources and their terms",
        "",
        f"Ledger of {ledger.version}, made of `src/mien/weights/sources.toml` by",
        "`python benchmarks/sources_page.py`. What may a network be used for that has learned from",
        "these? This is our reading, no legal advice; where a source's own words were not at hand,",
        "it says so. `mien models` tells of each weight file whether its sources leave it free for",
        "any use, and which do not.",
        "",
        "| source | what | train | release weights | any use |",
        "|---|---|---|---|---|",
    ]
    for one in ledger.sources:
        free = "as its sources" if one.inherits else _word(one.commercial)
        words = (one.name, one.what, _word(one.training), _word(one.release), free)
        lines.append(f"| {' | '.join(words)} |")
    for one in ledger.sources:
        lines += [
            "",
            f"## `{one.key}`",
            "",
            f"* **From:** {one.origin}",
            f"* **Terms:** {one.terms} ({one.place})",
            f"* **Our reading:** {one.reading}",
        ]
    lines += [
        "",
        "## What this means for the weights that ship",
        "",
        "`fast`, `nano` and `pico` have learned from helen, afw, ytf and lfw photos and from",
        "points of 3DDFA_V2: research only. A network for any use may learn from `mebeauty`,",
        "`webmorph`, `synthetic-portraits`, pictures that our engine makes of these alone, with",
        "the `ict` head and `mediapipe`'s points, and may not begin from weights that learned from",
        "anything else.",
        "`nano-free` and `fast-free` are such ([cards](model-cards/nano-free.md)).",
        "",
        "`finder`, the face finder, has learned from WIDER FACE, ImageNet, helen, afw, ytf, lfw",
        "and cfp photos, and from what CenterFace found in them: research only.",
        "",
    ]
    return "\n".join(lines)


def _word(allowed: bool) -> str:
    return "yes" if allowed else "no"


def main() -> None:
    run_page(PAGE, lambda: page(load_ledger()), (__doc__ or "").splitlines()[0])


if __name__ == "__main__":
    main()
