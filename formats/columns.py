"""Record batches out of columns, of which there may not be too many."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from formats.format import MalformedFile
from formats.limits import Limits

if TYPE_CHECKING:
    import pyarrow as pa


def batch_of(names: Sequence[str], columns: Sequence[pa.Array], rows: int) -> pa.RecordBatch:
    """A batch that knows how many rows it has even if it has no column."""
    import pyarrow as pa

    if columns:
        return pa.RecordBatch.from_arrays(list(columns), list(names))
    return pa.RecordBatch.from_struct_array(pa.StructArray.from_buffers(pa.struct([]), rows, [None]))


def all_but(left_out: Iterable[int], count: int) -> array[int]:
    """The numbers from 0 up to ``count``, in order, without some of them, which are given in order."""
    import pyarrow as pa

    numbers, kept = array("q"), array("q")
    numbers.frombytes(pa.arange(0, count).buffers()[1])
    begin = 0
    for number in left_out:
        kept += numbers[begin:number]
        begin = number + 1
    return kept + numbers[begin:]


def refuse_too_many(columns: int, limits: Limits, rows: int = 1) -> None:
    """Raises :class:`~formats.MalformedFile` where a block of so many rows would have too many columns or cells."""
    if columns > limits.columns:
        raise MalformedFile(
            f"the file has {columns:,} columns, more than {limits.columns:,} (limits.columns of the contract)"
        )
    if columns * rows > limits.cells:
        raise MalformedFile(
            f"each of {rows:,} rows would have {columns:,} columns, {columns * rows:,} cells in all, more than "
            f"{limits.cells:,} (limits.cells of the contract); export it with the same columns in each row"
        )
