"""Rows of a study and of a corpus, to be compared."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from command import mien
from scene import Scene


def of_study(capsys, scene: Scene, table: Path) -> dict[str, dict[str, pa.Table]]:
    """Made by ``mien track``: rows and points of each clip."""
    words = ("--threads", 1, "--table", table)
    assert mien(capsys, "track", scene.folder, *scene.options, *words).code == 2  # one is bad
    points = table.with_name(f"{table.stem}.points.parquet")
    return {"rows": _by_clip(pq.read_table(table)), "points": _by_clip(pq.read_table(points))}


def of_corpus(folder: Path) -> dict[str, dict[str, pa.Table]]:
    found = {}
    for kind in ("rows", "points"):
        tables = [pq.read_table(path) for path in (folder / kind).rglob("*.parquet")]
        found[kind] = _merged(_by_clip(one) for one in tables)
    return found


def _merged(tables: Iterable[dict[str, pa.Table]]) -> dict[str, pa.Table]:
    whole: dict[str, pa.Table] = {}
    for one in tables:
        assert not whole.keys() & one.keys()
        whole |= one
    return whole


def _by_clip(table: pa.Table) -> dict[str, pa.Table]:
    clips = table["clip"].to_pylist()
    edges = [at for at, clip in enumerate(clips) if at == 0 or clip != clips[at - 1]]
    ends = [*edges[1:], len(clips)]
    return {clips[a]: table.slice(a, b - a) for a, b in zip(edges, ends, strict=True)}
