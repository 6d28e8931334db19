"""Puts rows aside on disk and gives them back partition by partition, where they are more than fit in memory.

Rows are held until they are some megabytes, then ordered by partition and appended to a file, a run. In memory it is
kept where in each run a partition's rows are. At the end, partitions are read in shares of some megabytes, each from
all runs: every row is written once and read once, however many runs there are.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from itertools import accumulate, groupby, pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from formats.columns import batch_of
from runtime.dictionaries import concatenated
from runtime.scratch import Scratch, Stored

HELD = 16 * 1024 * 1024
"""Bytes of Arrow memory that are ordered at once, while as many more come."""
GROUP = 12 * 1024 * 1024
"""Bytes of the rows that are given out at once, about, unless one row is more."""

Groups = Iterator[list[pa.RecordBatch]]
"""Rows of one number, in portions of bounded size, each with columns of the same kinds."""


class ExternalSort:
    """Rows that are given back by a number; those of one number in the order in which they came."""

    def __init__(self, path: Path, threads: Executor) -> None:
        """Keep the rows in a file at this path, where there is none yet, and order them on a thread."""
        self._scratch = Scratch(path)
        self._threads = threads
        self._under_way: Future[None] | None = None
        self._held: list[pa.RecordBatch] = []
        self._held_numbers: list[pa.Array] = []
        self._held_bytes = 0
        self._runs: list[_Run] = []
        self._sizes = array("q")
        """For each number the bytes of its rows that were put aside."""

    def add(self, batch: pa.RecordBatch, numbers: pa.Array) -> None:
        """Take rows, each with its number (``int32``, from 0).

        All batches have the same columns, none a dictionary; integers may be of different widths.
        """
        self._held.append(batch)
        self._held_numbers.append(numbers)
        self._held_bytes += batch.nbytes + numbers.nbytes
        if self._held_bytes > HELD:
            self.put_aside()

    def put_aside(self) -> None:
        """Write what is held to disk, once what was held before is written."""
        self._wait()
        if self._held:
            self._under_way = self._threads.submit(self._write_run, self._held, self._held_numbers)
        self._held, self._held_numbers, self._held_bytes = [], [], 0

    def _wait(self) -> None:
        if self._under_way:
            self._under_way.result()

    def _write_run(self, held: Sequence[pa.RecordBatch], held_numbers: Sequence[pa.Array]) -> None:
        rows, ends = _ordered(held, held_numbers)
        self._add_run(rows, ends, self._scratch.write(rows))

    def _add_run(self, rows: pa.RecordBatch, ends: array[int], kept: Stored | _Kept) -> None:
        self._sizes.extend([0] * (len(ends) - len(self._sizes)))
        for number, size in enumerate(_sizes(rows, ends)):
            self._sizes[number] += size
        self._runs.append(_Run(kept, ends))

    def shares(self) -> list[range]:
        """All numbers, in order, in shares whose rows are no more than a group, or of one number."""
        self._wait()
        if self._held:
            rows, ends = _ordered(self._held, self._held_numbers)
            self._held, self._held_numbers = [], []
            self._add_run(rows, ends, _Kept(rows) if not self._runs else self._scratch.write(rows))
        shares, start, total = [], 0, 0
        for number, size in enumerate(self._sizes):
            if number > start and total + size > GROUP:
                shares.append(range(start, number))
                start, total = number, 0
            total += size
        return [*shares, range(start, len(self._sizes))] if self._sizes else []

    def read(self, share: range) -> Iterator[tuple[int, Groups]]:
        """Each number of a share with its rows. Several threads may read at a time."""
        if len(share) == 1:
            yield share[0], self._large(share)
            return
        merged = self._merged(share)
        for number in share:
            spans = [(run, *run.span(range(number - share.start, number - share.start + 1))) for run in merged]
            batches = [run.rows.read(start, end) for run, start, end in spans if start < end]
            yield number, ([batch] for batch in batches)

    def _merged(self, share: range) -> list[_Run]:
        """The rows of some numbers, counted from the first of these: of all runs with columns of the same kinds."""
        found = [(run, *run.span(share)) for run in self._runs]
        read = [(run.rows.read(start, end), run.numbers(share)) for run, start, end in found if start < end]
        alike = [[*group] for _, group in groupby(read, lambda rows: _kinds(rows[0]))]
        return [_Run(_Kept(rows), ends) for rows, ends in (_ordered(*zip(*group, strict=True)) for group in alike)]

    def remove(self) -> None:
        """Delete the file."""
        self._scratch.remove()

    def _large(self, share: range) -> Groups:
        """The rows of one number, which may be any number of bytes."""
        group, size = list[pa.RecordBatch](), 0
        for run in self._runs:
            first, end = run.span(share)
            for batch in _small(run.rows.read(first, end)) if first < end else ():
                if group and (size + batch.nbytes > GROUP or _kinds(batch) != _kinds(group[-1])):
                    yield group
                    group, size = [], 0
                group.append(batch)
                size += batch.nbytes
        if group:
            yield group


@dataclass(frozen=True)
class _Kept:
    """Rows in memory, where all have room there."""

    batch: pa.RecordBatch

    def read(self, start: int, end: int) -> pa.RecordBatch:
        return self.batch.slice(start, end - start)


@dataclass(frozen=True)
class _Run:
    """Rows ordered by their numbers."""

    rows: Stored | _Kept
    ends: array[int]
    """For each number up to the largest, the end of its rows, which begin where those of the number before end."""

    def span(self, share: range) -> tuple[int, int]:
        """The first row of some numbers, and the first that is no more theirs."""
        last = len(self.ends) - 1
        return (self.ends[min(share.start - 1, last)] if share.start else 0), self.ends[min(share.stop - 1, last)]

    def numbers(self, share: range) -> pa.Array:
        """The number of each row of some numbers, counted from the first of these."""
        numbers = array("i")
        for number in share:
            start, end = self.span(range(number, number + 1))
            numbers.extend([number - share.start] * (end - start))
        return pa.Array.from_buffers(pa.int32(), len(numbers), [None, pa.py_buffer(numbers)])


def _kinds(batch: pa.RecordBatch) -> list[bool]:
    """Of each column whether it has texts, not numbers that stand for them or are values."""
    return [pa.types.is_string(column.type) for column in batch.columns]


def _ordered(held: Sequence[pa.RecordBatch], held_numbers: Sequence[pa.Array]) -> tuple[pa.RecordBatch, array[int]]:
    """Rows in the order of their numbers, and for each number the end of its rows."""
    numbers = pa.concat_arrays(held_numbers)
    order = pc.sort_indices(numbers)
    by_column = zip(*(batch.columns for batch in held), strict=True)
    # One after the other, so that no more than one is in memory twice over.
    columns = [pc.take(concatenated(column), order, boundscheck=False) for column in by_column]
    return batch_of(held[0].schema.names, columns, len(numbers)), _ends(numbers)


def _ends(numbers: pa.Array) -> array[int]:
    counts = array("i", bytes(4 * (pc.max(numbers).as_py() + 1)))
    counted = pc.value_counts(numbers)
    for number, count in zip(counted.field(0).to_pylist(), counted.field(1).to_pylist(), strict=True):
        counts[number] = count
    return array("i", accumulate(counts))


def _sizes(rows: pa.RecordBatch, ends: Sequence[int]) -> list[int]:
    """The bytes of each number's rows, without what says which values are missing."""
    bits = sum(column.type.bit_width for column in rows.columns if not pa.types.is_string(column.type))
    before = [end * bits // 8 for end in ends]
    for column in rows.columns:
        if pa.types.is_string(column.type):
            text_ends = memoryview(column.buffers()[1]).cast("i")
            before = [size + 4 * end + text_ends[end] for size, end in zip(before, ends, strict=True)]
    return [size - earlier for earlier, size in pairwise([0, *before])]


def _small(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """A batch in parts that are small beside a group."""
    if batch.num_rows <= 1 or batch.nbytes <= GROUP // 8:
        yield batch
        return
    middle = batch.num_rows // 2
    yield from _small(batch.slice(0, middle))
    yield from _small(batch.slice(middle))
