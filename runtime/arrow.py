"""Small things in Arrow that the checks share.

``pa.array`` of Python values looks for pandas first, which takes a second where that is installed; so arrays are made
of their buffers here.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import accumulate

import pyarrow as pa
import pyarrow.compute as pc

from formats.columns import batch_of

NOTHING = pa.scalar(None, pa.string())
"""No text."""
LONGEST_INTEGER = 19
"""Digits of the largest integer of 64 bits."""


def texts(values: Sequence[str]) -> pa.Array:
    """An array of texts."""
    data = [value.encode() for value in values]
    ends = array("i", accumulate(map(len, data), initial=0))
    return pa.StringArray.from_buffers(len(data), pa.py_buffer(ends), pa.py_buffer(b"".join(data)))


def with_values(indices: pa.Array, values: pa.Array) -> pa.DictionaryArray:
    """A dictionary array of indices, none of which is null, and values, some of which may be."""
    if values.null_count:
        indices = pc.if_else(values.is_valid().take(indices), indices, pa.scalar(None, indices.type))
        values = pc.fill_null(values, "")
    return pa.DictionaryArray.from_arrays(indices, values)


def plain(column: pa.Array) -> pa.Array:
    """A column without its dictionary, if it has one."""
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def take(batch: pa.RecordBatch, rows: pa.Array) -> pa.RecordBatch:
    """Some rows of a batch, by numbers that are known to be its rows'."""
    columns = [pc.take(column, rows, boundscheck=False) for column in batch.columns]
    return batch_of(batch.schema.names, columns, len(rows))


def integers(values: Sequence[int]) -> pa.Array:
    """An array of integers of 64 bits."""
    return pa.Array.from_buffers(pa.int64(), len(values), [None, pa.py_buffer(array("q", values))])


def all_true(mask: pa.Array) -> bool:
    """Whether every value of a mask that isn't null is true."""
    return bool(pc.all(mask, min_count=0).as_py())


def any_true(mask: pa.Array) -> bool:
    """Whether some value of a mask is true."""
    return bool(pc.any(mask, min_count=0).as_py())
