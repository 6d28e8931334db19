"""Puts rows aside on disk and gives them back partition by partition, where they are more than fit in memory.

Rows are held until they are some megabytes, then ordered by partition and appended to a file, a run. In memory it is
kept where in each run a partition's rows are. At the end, partitions are read in shares of some megabytes, each from
all runs: every row is written once and read once, however many runs there are.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from formats.columns import batch_of
from runtime.dictionaries import concatenated
from runtime.scratch import Scratch, Stored

HELD = 32 * 1024 * 1024
"""Bytes of Arrow memory that are ordered at once."""
GROUP = 8 * 1024 * 1024
"""Bytes of the rows that are given out at once, about, unless one row is more."""

Groups = Iterator[list[pa.RecordBatch]]
"""Rows of one number, in portions of bounded size."""


class ExternalSort:
    """Rows that are given back by a number; those of one number in the order in which they came."""

    def __init__(self, path: Path) -> None:
        """Keep the rows in a file at this path, where there is none yet."""
        self._scratch = Scratch(path)
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
        """Write what is held to disk."""
        if not self._held:
            return
        numbers = pa.concat_arrays(self._held_numbers)
        order = pc.sort_indices(numbers)
        by_column = zip(*(batch.columns for batch in self._held), strict=True)
        # One after the other, so that no more than one is in memory twice over.
        columns = [pc.take(concatenated(column), order, boundscheck=False) for column in by_column]
        rows = batch_of(self._held[0].schema.names, columns, len(numbers))
        self._held, self._held_numbers, self._held_bytes = [], [], 0
        ends = _ends(numbers)
        self._sizes.extend([0] * (len(ends) - len(self._sizes)))
        for number, size in enumerate(_sizes(rows, ends)):
            self._sizes[number] += size
        self._runs.append(_Run(self._scratch.write(rows), ends))

    def shares(self) -> list[range]:
        """All numbers, in order, in shares whose rows are no more than a group, or of one number."""
        self.put_aside()
        shares, start, total = [], 0, 0
        for number, size in enumerate(self._sizes):
            if number > start and total + size > GROUP:
                shares.append(range(start, number))
                start, total = number, 0
            total += size
        return [*shares, range(start, len(self._sizes))]

    def read(self, share: range) -> Iterator[tuple[int, Groups]]:
        """Each number of a share with its rows. Several threads may read at a time."""
        if len(share) == 1:
            yield share[0], self._large(share)
            return
        found = [(run, run.span(share)) for run in self._runs]
        read = [(run, first, run.rows.read(first, end)) for run, (first, end) in found if first < end]
        for number in share:
            spans = [(rows, first, run.span(range(number, number + 1))) for run, first, rows in read]
            yield number, iter([[rows.slice(start - first, end - start) for rows, first, (start, end) in spans]])

    def remove(self) -> None:
        """Delete the file."""
        self._scratch.remove()

    def _large(self, share: range) -> Groups:
        """The rows of one number, which may be any number of bytes."""
        group, size = list[pa.RecordBatch](), 0
        for run in self._runs:
            first, end = run.span(share)
            for batch in _small(run.rows.read(first, end)) if first < end else ():
                if group and size + batch.nbytes > GROUP:
                    yield group
                    group, size = [], 0
                group.append(batch)
                size += batch.nbytes
        if group:
            yield group


@dataclass(frozen=True)
class _Run:
    """Rows on disk, ordered by their numbers."""

    rows: Stored
    ends: array[int]
    """For each number up to the largest, the end of its rows, which begin where those of the number before end."""

    def span(self, share: range) -> tuple[int, int]:
        """The first row of some numbers, and the first that is no more theirs."""
        last = len(self.ends) - 1
        return (self.ends[min(share.start - 1, last)] if share.start else 0), self.ends[min(share.stop - 1, last)]


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
