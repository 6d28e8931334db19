"""Writes rows as Hive-partitioned Parquet files in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, Future, wait
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from formats.columns import batch_of
from runtime.arrow import plain
from runtime.dictionaries import Dictionaries
from runtime.external_sort import GROUP, ExternalSort
from runtime.parquet_file import ParquetWriter, open_parquet
from runtime.partitions import Parts

_MOST_TEXTS = 16 * 1024 * 1024
"""Bytes of the texts that repeat themselves, about, for which numbers stand in rows that are held back."""
_SAMPLE_ROWS = 1_000
_REPETITIVE = 0.5
"""The share of different values among these up to which a Parquet dictionary pays."""


class PartitionedWriter:
    """Writes rows to one Parquet file a partition, in bounded memory.

    While all rows are of one partition, they are written row group by row group as they come. Once they are of more,
    they are sorted by partition, on disk where they don't fit in memory, and each file is written at the end, whole: so
    it has few row groups, and no more files are open than threads write. The same batches in the same order give the
    same files.
    """

    def __init__(self, folder: Path, threads: Executor, finish: Callable[[pa.Table], pa.Table]) -> None:
        """Write below ``folder``, which is made, the files of several partitions at once on ``threads``.

        ``finish`` is done to what is written, at the last moment: it adds columns that need not be held.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._threads = threads
        self._finish = finish
        self._numbers: dict[tuple[str, ...], int] = {}
        """Of the partitions, by their values."""
        self._held: list[pa.RecordBatch] = []
        """Rows of the first partition, while it is the only one."""
        self._held_bytes = 0
        self._first: ParquetWriter | None = None
        self._under_way: Future[None] | None = None
        self._sort = ExternalSort(folder / "sort", threads)
        self._dictionaries = Dictionaries()
        self._keeps_texts = True
        """Whether numbers stand for texts in rows that are held back."""
        self._repetitive: list[str] = []
        """The columns for which a Parquet dictionary pays; as the first batch shows, for all files alike."""

    def write(self, parts: Parts) -> None:
        """Take rows; all batches have the same columns."""
        if not parts.values:
            return
        if not self._numbers:
            self._repetitive = _repetitive_columns(self._finish(pa.Table.from_batches([parts.batch])))
        numbers = [self._numbers.setdefault(values, len(self._numbers)) for values in parts.values]
        batch = self._encoded(parts.batch)
        if len(self._numbers) == 1:
            self._hold(batch)
            return
        for held in self._held:
            self._sort.add(held, pa.repeat(pa.scalar(0, pa.int32()), held.num_rows))
        self._held = []
        self._sort.add(batch, pa.array(numbers, pa.int32()).take(parts.places))
        if self._keeps_texts and self._dictionaries.nbytes > _MOST_TEXTS:
            self._sort.put_aside()  # of what is put aside together, a column has numbers in all batches or in none
            self._keeps_texts = False

    def close(self) -> dict[tuple[str, ...], Path]:
        """Write what is held back; the files by the values of their partition as Hive spells them, in order."""
        if self._held:
            self._write_held()
        if self._under_way:
            self._under_way.result()
        for _ in self._threads.map(self._write_share, self._sort.shares()):
            pass
        if self._first:
            self._first.close()
        self._sort.remove()
        return {values: self._path(number) for values, number in sorted(self._numbers.items())}

    def release(self) -> None:
        """Let go of the open file, where the work is broken off."""
        if self._under_way:
            wait([self._under_way])
        if self._first:
            self._first.close()

    def _encoded(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        if self._keeps_texts:
            return self._dictionaries.encoded(batch)
        return batch_of(batch.schema.names, [plain(column) for column in batch.columns], batch.num_rows)

    def _hold(self, batch: pa.RecordBatch) -> None:
        self._held.append(batch)
        self._held_bytes += batch.nbytes
        if self._held_bytes + self._dictionaries.nbytes > GROUP:
            self._write_held()

    def _write_held(self) -> None:
        """Write a row group of the only partition, once the one before it is written."""
        table = self._finish(self._dictionaries.decoded(self._held))
        self._held, self._held_bytes = [], 0
        self._dictionaries.forget()
        if self._under_way:
            self._under_way.result()
        self._first = self._first or self._open(0, table.schema)
        self._under_way = self._threads.submit(self._first.write_table, table)

    def _write_share(self, share: range) -> None:
        for number, groups in self._sort.read(share):
            self._write_file(number, groups)

    def _write_file(self, number: int, groups: Iterable[Sequence[pa.RecordBatch]]) -> None:
        writer = None
        if number == 0:
            writer, self._first = self._first, None
        try:
            for batches in groups:
                table = self._finish(self._dictionaries.decoded(batches))
                writer = writer or self._open(number, table.schema)
                writer.write_table(table)
        finally:
            if writer:
                writer.close()

    def _path(self, number: int) -> Path:
        # Not by the values, which may be longer than a file's name can be.
        return self._folder / f"{number}.parquet"

    def _open(self, number: int, schema: pa.Schema) -> ParquetWriter:
        return open_parquet(
            self._path(number),
            schema,
            compression_level=1,
            use_dictionary=self._repetitive,
            store_decimal_as_integer=True,
            store_schema=False,  # a column that is a dictionary here is a plain string to who reads it
        )


def _repetitive_columns(table: pa.Table) -> list[str]:
    """The columns for which a dictionary pays, judged by the first rows."""
    sample = table.slice(0, _SAMPLE_ROWS)
    return [
        name
        for name, column in zip(table.schema.names, sample.columns, strict=True)
        if pa.types.is_dictionary(column.type) or pc.count_distinct(column).as_py() <= _REPETITIVE * sample.num_rows
    ]
