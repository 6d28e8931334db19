"""Writes rows as Hive-partitioned Parquet files in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from formats.columns import batch_of
from runtime.arrow import plain, take
from runtime.dictionaries import Dictionaries
from runtime.external_sort import ExternalSort
from runtime.parquet_file import ParquetWriter, open_parquet

NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"
"""How Hive spells the partition of rows without a value."""

_BUDGET = 56 * 1024 * 1024
"""Rows held back, in bytes of Arrow memory, before all that is held is written."""
_MOST_OPEN_FILES = 128
_MOST_TEXTS = 16 * 1024 * 1024
"""Bytes of the texts that repeat themselves, about, for which numbers stand where rows are sorted on disk."""
_SAMPLE_ROWS = 1_000
_HIVE_ESCAPED = frozenset("\"#%'*/:=?\\\x7f{[]^") | frozenset(map(chr, range(0x20)))
"""What Hive escapes in a partition's folder name (org.apache.hadoop.hive.common.FileUtils)."""


@dataclass(frozen=True)
class Parts:
    """A batch ordered by partition, and where in it the rows of each are: its values, first row, number of rows."""

    batch: pa.RecordBatch
    runs: Sequence[tuple[tuple[str, ...], int, int]]


def partition_folder(names: Sequence[str], values: Sequence[str]) -> str:
    """The folders of a partition, such as ``genre=Fiction/``; empty where a table has no partitions."""
    return "".join(f"{name}={_escape(value)}/" for name, value in zip(names, values, strict=True))


def split(batch: pa.RecordBatch, partition_by: Sequence[str], kept: pa.Array | None = None) -> Parts:
    """Order a batch by the values of some of its columns, which it then no longer has; else rows keep their order.

    ``kept`` are the rows to keep, by their numbers, in order; None for all.
    """
    data = batch.select([name for name in batch.schema.names if name not in partition_by])
    keys = batch.select(partition_by)
    if kept is not None and (len(kept) == 0 or not partition_by):
        return split(take(batch, kept), partition_by)
    if not batch.num_rows:
        return Parts(data, [])
    if not partition_by:
        return Parts(data, [((), 0, data.num_rows)])
    codes, values = _codes((keys if kept is None else take(keys, kept)).columns)
    if len(values) == 1:
        data = data if kept is None else take(data, kept)
        return Parts(data, [(next(iter(values.values())), 0, data.num_rows)])
    return _ordered(data, codes, values.__getitem__, kept)


class PartitionedWriter:
    """Writes rows to one Parquet file a partition, in bounded memory.

    Rows are held back until they make good row groups, and then those of all partitions are written together: a
    slice keeps the whole batch that it was cut from in memory, so writing only the largest would free little. Once
    partitions are too many to have a file of each open, rows are sorted by partition on disk instead, and each file
    is written at the end. The same batches in the same order give the same files.
    """

    def __init__(self, folder: Path, threads: Executor, finish: Callable[[pa.Table], pa.Table]) -> None:
        """Write below ``folder``, the files of several partitions at once on ``threads``.

        ``finish`` is done to what is written, at the last moment: it adds columns that need not be held.
        """
        self._folder = folder
        self._threads = threads
        self._finish = finish
        self._held: list[Parts] = []
        self._held_bytes = 0
        self._writers: dict[tuple[str, ...], ParquetWriter | None] = {}
        self._numbers: dict[tuple[str, ...], int] = {}
        self._sort: ExternalSort | None = None
        self._dictionaries = Dictionaries()
        self._keeps_texts = True
        """Whether numbers stand for texts in rows that are put aside."""
        self._repetitive: list[str] | None = None
        """The columns for which a Parquet dictionary pays; as the first batch shows, for all files alike."""

    def write(self, parts: Parts) -> None:
        """Take a batch; all batches have the same columns."""
        if not parts.runs:
            return
        if self._repetitive is None:
            self._repetitive = _repetitive_columns(self._finish(pa.Table.from_batches([parts.batch])))
        for values, _, _ in parts.runs:
            self._writers.setdefault(values, None)
            self._numbers.setdefault(values, len(self._numbers))
        if self._sort is None and len(self._writers) > _MOST_OPEN_FILES:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._sort = ExternalSort(self._folder / "sort")
            for held in self._held:
                self._sort.add(held.batch, self._numbers_of(held))
            self._held, self._held_bytes = [], 0
        if self._sort is not None:
            self._add_to(self._sort, parts)
            return
        parts = replace(parts, batch=self._dictionaries.encoded(parts.batch))
        self._held.append(parts)
        self._held_bytes += parts.batch.nbytes
        if self._held_bytes + self._dictionaries.nbytes > _BUDGET:
            self._write_held()

    def close(self) -> dict[tuple[str, ...], Path]:
        """Write what is held back; the files by the values of their partition as Hive spells them, in order."""
        if self._sort is not None:
            self._write_sorted(self._sort)
        else:
            self._write_held(last=True)
        return {values: self._path(values) for values in sorted(self._writers)}

    def _numbers_of(self, parts: Parts) -> pa.Array:
        """The number of each row's partition."""
        own = [self._numbers[values] for values, _, _ in parts.runs]
        ends = [start + rows for _, start, rows in parts.runs]
        return pc.run_end_decode(
            pa.RunEndEncodedArray.from_arrays(pa.array(ends, pa.int32()), pa.array(own, pa.int32()))
        )

    def _write_held(self, *, last: bool = False) -> None:
        batches: dict[tuple[str, ...], list[pa.RecordBatch]] = {values: [] for values in sorted(self._writers)}
        for parts in self._held:
            for values, start, rows in parts.runs:
                batches[values].append(parts.batch.slice(start, rows))
        # A partition's file is written by one thread, so its rows keep their order whichever thread that is.
        for _ in self._threads.map(lambda values: self._append(values, batches[values], last=last), batches):
            pass
        self._forget_held()

    def _forget_held(self) -> None:
        self._held, self._held_bytes = [], 0
        self._dictionaries.forget()

    def _add_to(self, rows: ExternalSort, parts: Parts) -> None:
        """Put rows aside with numbers for their texts, unless these turn out to be too many to be kept to the end."""
        batch = parts.batch
        if self._keeps_texts:
            batch = self._dictionaries.encoded(batch)
        else:
            batch = batch_of(batch.schema.names, [plain(column) for column in batch.columns], batch.num_rows)
        rows.add(batch, self._numbers_of(parts))
        if self._keeps_texts and self._dictionaries.nbytes > _MOST_TEXTS:
            rows.put_aside()  # of what is put aside together, a column has numbers in all batches or in none
            self._keeps_texts = False

    def _write_sorted(self, rows: ExternalSort) -> None:
        by_number = list(self._numbers)

        def write(share: range) -> None:
            for number, groups in rows.read(share):
                for batches in groups:
                    self._append(by_number[number], batches, last=False)
                self._append(by_number[number], [], last=True)

        for _ in self._threads.map(write, rows.shares()):
            pass
        rows.remove()

    def _append(self, values: tuple[str, ...], batches: Sequence[pa.RecordBatch], *, last: bool) -> None:
        writer = self._writers[values]
        if batches:
            table = self._finish(self._dictionaries.decoded(batches))
            writer = writer or self._open(values, table)
            writer.write_table(table)
        if last and writer is not None:
            writer.close()
            writer = None
        self._writers[values] = writer

    def _path(self, values: tuple[str, ...]) -> Path:
        # Not by the values, which may be longer than a file's name can be.
        return self._folder / f"{self._numbers[values]}.parquet"

    def _open(self, values: tuple[str, ...], first: pa.Table) -> ParquetWriter:
        path = self._path(values)
        path.parent.mkdir(parents=True, exist_ok=True)
        return open_parquet(
            path,
            first.schema,
            compression_level=1,
            use_dictionary=self._repetitive,
            store_decimal_as_integer=True,
            store_schema=False,  # a column that is a dictionary here is a plain string to who reads it
        )


def _ordered(
    data: pa.RecordBatch, codes: pa.Array, values: Callable[[int], tuple[str, ...]], kept: pa.Array | None = None
) -> Parts:
    """The rows to keep of a batch, ordered by their codes, each of which stands for some values."""
    order = pc.sort_indices(codes)
    encoded = pc.run_end_encode(codes.take(order))
    runs, start = [], 0
    for code, end in zip(encoded.values.to_pylist(), encoded.run_ends.to_pylist(), strict=True):
        runs.append((values(code), start, end - start))
        start = end
    return Parts(take(data, order if kept is None else kept.take(order)), runs)


def _repetitive_columns(table: pa.Table) -> list[str]:
    """The columns for which a dictionary pays, judged by the first rows."""
    sample = table.slice(0, _SAMPLE_ROWS)
    return [
        name
        for name, column in zip(table.schema.names, sample.columns, strict=True)
        if pa.types.is_dictionary(column.type) or pc.count_distinct(column).as_py() <= 0.5 * sample.num_rows
    ]


def _codes(columns: Sequence[pa.Array]) -> tuple[pa.Array, dict[int, tuple[str, ...]]]:
    """For each row a number that stands for its combination of values, and the combinations by number."""
    encoded = [plain(column).dictionary_encode("encode") for column in columns]
    codes = encoded[0].indices.cast(pa.int64())
    for column in encoded[1:]:
        codes = pc.add(pc.multiply(codes, len(column.dictionary)), column.indices.cast(pa.int64()))
    spelled = [_spell(column.dictionary) for column in encoded]
    combinations: dict[int, tuple[str, ...]] = {}
    for code in pc.unique(codes).to_pylist():
        values: list[str] = []
        rest = code
        for column in reversed(spelled):
            rest, position = divmod(rest, len(column))
            values.insert(0, column[position])
        combinations[code] = tuple(values)
    return codes, combinations


def _spell(values: pa.Array) -> list[str]:
    """Values as Hive and the Glue Data Catalog spell them in a partition."""
    if pa.types.is_decimal(values.type):
        texts = [None if value is None else format(value, "f") for value in values.to_pylist()]
    elif pa.types.is_timestamp(values.type):
        texts = pc.strftime(values, "%Y-%m-%d %H:%M:%S").to_pylist()
    else:
        texts = values.cast(pa.string()).to_pylist()
    return [text or NULL_PARTITION for text in texts]


def _escape(value: str) -> str:
    return "".join(f"%{ord(char):02X}" if char in _HIVE_ESCAPED else char for char in value)
