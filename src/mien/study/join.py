"""From the parts of a study to its table and back, a few thousand rows in memory at a time."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

from mien.errors import ConfigError, InputError
from mien.files import PendingFile, told_as_output_error
from mien.study.cells import cell, quoted

__all__ = ["STUDY_FORMATS", "check_format", "join", "pyarrow_modules", "split"]

STUDY_FORMATS = ("csv", "parquet")
_ROWS_A_GROUP = 4096
_INTEGERS = ("frame", "track_id")
_BLOCK_BYTES = 1 << 22


def check_format(path: Path) -> None:
    """See before any work that a table of this name can be written.

    Raises:
        ConfigError: another ending, or Parquet without pyarrow installed.
    """
    if path.suffix not in (f".{name}" for name in STUDY_FORMATS):
        known = " or ".join(f".{name}" for name in STUDY_FORMATS)
        raise ConfigError(f"{path.name}: the table of a study ends in {known}")
    if path.suffix == ".parquet":
        pyarrow_modules()


def join(path: Path, columns: Sequence[str], shards: Iterable[Path]) -> None:
    """Write the whole table, in the order of the shards, or none.

    Raises:
        OutputError: it cannot be written.
    """
    pending = PendingFile(path)
    try:
        with told_as_output_error(path), pending.part.open("wb") as file:
            if path.suffix == ".csv":
                _join_lines(file, columns, shards)
            else:
                _join_parquet(file, columns, shards)
    except BaseException:
        pending.drop()
        raise
    pending.publish()


def _join_lines(file: IO[bytes], columns: Sequence[str], shards: Iterable[Path]) -> None:
    file.write((",".join(columns) + "\n").encode("ascii"))
    for shard in shards:
        with shard.open("rb") as part:
            shutil.copyfileobj(part, file, _BLOCK_BYTES)


def _join_parquet(file: IO[bytes], columns: Sequence[str], shards: Iterable[Path]) -> None:
    """Row groups of one size over all clips, so that the bytes depend on the rows alone."""
    pa, pq, _ = pyarrow_modules()
    schema = _schema(pa, columns)
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        held: list[Any] = []
        count = 0
        for batch in (one for shard in shards for one in _batches(shard, columns)):
            held.append(batch)
            count += batch.num_rows
            while count >= _ROWS_A_GROUP:
                rows = pa.Table.from_batches(held)
                writer.write_table(rows.slice(0, _ROWS_A_GROUP).cast(schema))
                held = rows.slice(_ROWS_A_GROUP).to_batches()
                count -= _ROWS_A_GROUP
        if count:
            writer.write_table(pa.Table.from_batches(held).cast(schema))


def _batches(shard: Path, columns: Sequence[str]) -> Iterator[Any]:
    if not shard.stat().st_size:
        return
    pa, _, reader = pyarrow_modules()
    kinds = {name: _kind(pa, name) for name in columns}
    with reader.open_csv(
        shard,
        reader.ReadOptions(column_names=list(columns), block_size=_BLOCK_BYTES, use_threads=False),
        reader.ParseOptions(newlines_in_values=True),
        reader.ConvertOptions(column_types=kinds, strings_can_be_null=False),
    ) as batches:
        yield from batches


def _kind(pa: Any, name: str) -> Any:
    if name == "clip":
        return pa.string()
    return pa.int64() if name in _INTEGERS else pa.float64()


def _schema(pa: Any, columns: Sequence[str]) -> Any:
    """With pandas' own words for it, so that ``track_id`` comes back as ``Int64``."""
    fields = [pa.field(name, _kind(pa, name)) for name in columns]
    told = [
        {
            "name": name,
            "field_name": name,
            "pandas_type": "unicode" if name == "clip" else str(_kind(pa, name)).lower(),
            "numpy_type": {"clip": "object", "frame": "int64", "track_id": "Int64"}.get(
                name, "float64"
            ),
            "metadata": None,
        }
        for name in columns
    ]
    pandas = {"index_columns": [], "column_indexes": [], "columns": told, "pandas_version": "2"}
    return pa.schema(fields, metadata={"pandas": json.dumps(pandas)})


def split(path: Path, columns: Sequence[str], shards: Mapping[str, Path]) -> None:
    """Write the rows of each clip named back into its shard; a finished study can be added to.

    Raises:
        InputError: the table is not one of these columns.
        OutputError: a shard cannot be written.
    """
    lines = _csv_lines(path, columns) if path.suffix == ".csv" else _parquet_lines(path, columns)
    with ExitStack() as closing:
        clip: str | None = None
        file: IO[bytes] | None = None
        pending: PendingFile | None = None
        for name, line in lines:
            if name != clip:
                _finish(pending, file)
                clip, shard = name, shards.get(name)
                pending = PendingFile(shard) if shard is not None else None
                file = pending.part.open("wb") if pending is not None else None
                if file is not None:
                    closing.enter_context(file)
            if file is not None:
                file.write(line)
        _finish(pending, file)
    for shard in shards.values():
        if not shard.is_file():  # a clip without rows
            shard.write_bytes(b"")


def _finish(pending: PendingFile | None, file: IO[bytes] | None) -> None:
    if pending is not None and file is not None:
        file.close()
        pending.publish()


def _csv_lines(path: Path, columns: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Each row's clip and its bytes; a quoted clip may hold commas and line ends."""
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        taken: list[str] = []

        def told() -> Iterator[str]:
            for line in file:
                taken.append(line)
                yield line

        reader = csv.reader(told())
        if next(reader, None) != list(columns):
            raise InputError(f"{path}: not the table that run.json beside it tells of")
        taken.clear()
        for cells in reader:
            yield cells[0], "".join(taken).encode("utf-8", "surrogateescape")
            taken.clear()


def _parquet_lines(path: Path, columns: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    _, pq, _ = pyarrow_modules()
    with pq.ParquetFile(path) as table:
        if table.schema_arrow.names != list(columns):
            raise InputError(f"{path}: not the table that run.json beside it tells of")
        for batch in table.iter_batches(batch_size=_ROWS_A_GROUP):
            for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                clip = quoted(row[0])
                cells = ",".join(map(cell, row[1:]))
                yield row[0], f"{clip},{cells}\n".encode("utf-8", "surrogateescape")


def pyarrow_modules() -> tuple[Any, Any, Any]:
    """``pyarrow``, its ``parquet`` and its ``csv``.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        import pyarrow as pa
        import pyarrow.csv as reader
        import pyarrow.parquet as pq
    except ImportError as missing:
        raise ConfigError(
            "Parquet tables need pyarrow: pip install 'mien[parquet]', or name a table that ends "
            "in .csv"
        ) from missing
    return pa, pq, reader
