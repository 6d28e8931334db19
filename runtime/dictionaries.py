"""One dictionary of texts for each column that repeats itself, for all batches of a file.

Batches come with dictionaries of their own. While rows are held back, numbers stand for the texts, so that what is
written together has one dictionary, whichever batches it is from.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import pyarrow as pa

from runtime.arrow import plain, texts

_MOST_TEXTS = 50_000
"""Of a column. One that has more didn't keep what its first rows promised, and has plain texts from then on."""


class Dictionaries:
    """The dictionaries of a file's columns, by name. They only grow."""

    def __init__(self) -> None:
        self._numbers: dict[str, dict[str, int]] = {}
        self._arrays: dict[str, pa.Array] = {}

    def encoded(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch with numbers in place of dictionaries."""
        columns = [
            self._encoded(name, column) if pa.types.is_dictionary(column.type) else column
            for name, column in zip(batch.schema.names, batch.columns, strict=True)
        ]
        return pa.RecordBatch.from_arrays(columns, batch.schema.names)

    def decoded(self, batches: Sequence[pa.RecordBatch]) -> pa.Table:
        """Batches that may be encoded as one table, each of whose columns has one dictionary or none."""
        names = batches[0].schema.names
        return pa.table({name: self._decoded(name, [batch.column(name) for batch in batches]) for name in names})

    def _encoded(self, name: str, column: pa.DictionaryArray) -> pa.Array:
        numbers = self._numbers.setdefault(name, {})
        if len(numbers) > _MOST_TEXTS:
            return plain(column)
        own = array("i", (numbers.setdefault(text, len(numbers)) for text in column.dictionary.to_pylist()))
        return pa.Array.from_buffers(pa.int32(), len(own), [None, pa.py_buffer(own)]).take(column.indices)

    def _decoded(self, name: str, columns: Sequence[pa.Array]) -> pa.ChunkedArray:
        if name not in self._numbers:
            return pa.chunked_array(columns)
        if all(pa.types.is_integer(column.type) for column in columns):
            return pa.chunked_array([self._with_texts(name, pa.concat_arrays(columns))])
        found = [
            column if pa.types.is_string(column.type) else plain(self._with_texts(name, column)) for column in columns
        ]
        return pa.chunked_array([pa.concat_arrays(found).dictionary_encode()])

    def _with_texts(self, name: str, numbers: pa.Array) -> pa.DictionaryArray:
        found = self._arrays.get(name)
        if found is None or len(found) < len(self._numbers[name]):
            found = self._arrays[name] = texts(list(self._numbers[name]))
        return pa.DictionaryArray.from_arrays(numbers, found)
