"""Sorts more rows than fit in memory by their partition: an external merge sort.

Rows are held until they are some megabytes, then sorted and written to disk, a run. At the end all runs are read side
by side, in order, so that no more than the rows to be given out next are in memory.
"""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from formats.columns import batch_of

HELD = 48 * 1024 * 1024
"""Bytes of Arrow memory that are sorted at once."""
MOST_RUNS = 64
"""Runs that are read side by side; so many are merged to one."""
GROUP = 8 * 1024 * 1024
"""Bytes of the rows of one partition that are given out at once, about."""
_BATCH = GROUP // 8
"""Bytes of the rows that are read at once, about, unless one row is more."""

_Numbered = tuple[int, pa.RecordBatch]


class ExternalSort:
    """Rows that are given back ordered by a number; those of one number in the order in which they came."""

    def __init__(self, folder: Path) -> None:
        """Keep the rows below ``folder``, which is made."""
        folder.mkdir(parents=True)
        self._folder = folder
        self._held: list[pa.RecordBatch] = []
        self._held_numbers: list[pa.Array] = []
        self._held_bytes = 0
        self._merged: list[_Run] = []
        self._runs: list[_Run] = []
        self._files = 0

    def add(self, batch: pa.RecordBatch, numbers: pa.Array) -> None:
        """Take rows, each with its number (``int32``); all batches have the same columns, none a dictionary."""
        self._held.append(batch)
        self._held_numbers.append(numbers)
        self._held_bytes += batch.nbytes + numbers.nbytes
        if self._held_bytes > HELD:
            self._put_held_aside()
        if len(self._runs) == MOST_RUNS:
            self._merged.append(self._write(_joined(group) for group in _grouped(_side_by_side(self._runs))))
            _remove(self._runs)

    def sorted(self) -> Iterator[tuple[int, list[pa.RecordBatch]]]:
        """All rows, in groups of one number, and what they were kept in removed. A number may have several groups."""
        if self._held:
            self._put_held_aside()
        yield from _grouped(_side_by_side([*self._merged, *self._runs]))
        _remove(self._merged)
        _remove(self._runs)

    def _put_held_aside(self) -> None:
        numbers = pa.concat_arrays(self._held_numbers)
        order = pc.sort_indices(numbers)
        names = self._held[0].schema.names
        # Column by column, so that no more than one is in memory twice over.
        columns = [pa.concat_arrays([batch.column(name) for batch in self._held]).take(order) for name in names]
        batch = batch_of(names, columns, len(numbers))
        self._held, self._held_numbers, self._held_bytes = [], [], 0
        self._runs.append(self._write(_cut(batch, numbers.take(order))))

    def _write(self, batches: Iterable[_Numbered]) -> _Run:
        self._files += 1
        path = self._folder / f"{self._files}.arrow"
        numbers = array("i")
        with ExitStack() as stack:
            stream: pa.ipc.RecordBatchStreamWriter | None = None
            for number, batch in batches:
                stream = stream or stack.enter_context(pa.ipc.new_stream(path, batch.schema))
                stream.write_batch(batch)
                numbers.append(number)
        return _Run(path, numbers)


@dataclass(frozen=True)
class _Run:
    """Batches in a file, ordered by their numbers."""

    path: Path
    numbers: array[int]


def _side_by_side(runs: Sequence[_Run]) -> Iterator[_Numbered]:
    """The batches of all runs in order; each is read when it is its turn."""
    with ExitStack() as stack:
        files = [stack.enter_context(pa.OSFile(str(run.path))) for run in runs]
        streams = [stack.enter_context(pa.ipc.open_stream(file)) for file in files]
        turns = [zip(run.numbers, [place] * len(run.numbers), strict=True) for place, run in enumerate(runs)]
        for number, place in heapq.merge(*turns):
            yield number, streams[place].read_next_batch()


def _grouped(batches: Iterable[_Numbered]) -> Iterator[tuple[int, list[pa.RecordBatch]]]:
    """Batches of one number together, up to a size."""
    current, group, size = 0, list[pa.RecordBatch](), 0
    for number, batch in batches:
        if group and (number != current or size + batch.nbytes > GROUP):
            yield current, group
            group, size = [], 0
        current, size = number, size + batch.nbytes
        group.append(batch)
    if group:
        yield current, group


def _joined(group: tuple[int, list[pa.RecordBatch]]) -> _Numbered:
    number, batches = group
    return number, pa.concat_batches(batches)


def _cut(batch: pa.RecordBatch, numbers: pa.Array) -> Iterator[_Numbered]:
    """An ordered batch in parts of one number, none of which is large."""
    encoded = pc.run_end_encode(numbers)
    start = 0
    for number, end in zip(encoded.values.to_pylist(), encoded.run_ends.to_pylist(), strict=True):
        for part in _small(batch.slice(start, end - start)):
            yield number, part
        start = end


def _small(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    if batch.num_rows <= 1 or batch.nbytes <= _BATCH:
        yield batch
        return
    middle = batch.num_rows // 2
    yield from _small(batch.slice(0, middle))
    yield from _small(batch.slice(middle))


def _remove(runs: list[_Run]) -> None:
    for run in runs:
        run.path.unlink()
    runs.clear()
