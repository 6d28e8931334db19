"""One dictionary of texts for each column that repeats itself, over all rows that are held back at a time.

Batches come with dictionaries of their own. While rows are held back, numbers stand for the texts, so that what is
written together has one dictionary, whichever batches it is from.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from runtime.arrow import plain, texts

_BYTES_BESIDE_A_TEXT = 150
"""What a text takes here besides itself, about."""
_WIDTHS = ((1 << 8, "B", pa.uint8()), (1 << 16, "H", pa.uint16()), (1 << 31, "i", pa.int32()))
"""How many texts numbers may stand for. Of one byte, Arrow finds the different ones by a table instead of hashes."""


class Dictionaries:
    """The dictionaries of some batches' columns, by name.

    Which columns have one the first batch says: with or without, a column comes like that ever after.
    """

    def __init__(self) -> None:
        self._numbers: dict[str, dict[str, int]] | None = None
        self._arrays: dict[str, pa.Array] = {}
        self.nbytes = 0
        """How much memory the texts take, about."""

    def encoded(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch with numbers in place of texts in these columns."""
        if self._numbers is None:
            self._numbers = {field.name: {} for field in batch.schema if pa.types.is_dictionary(field.type)}
        for position, name in enumerate(batch.schema.names):
            column = batch.column(position)
            if name in self._numbers:
                batch = batch.set_column(position, name, self._encoded(self._numbers[name], column))
            elif pa.types.is_dictionary(column.type):
                batch = batch.set_column(position, name, plain(column))
        return batch

    def decoded(self, batches: Sequence[pa.RecordBatch]) -> pa.Table:
        """Batches as one table whose columns have dictionaries of the texts that are in them, and no others.

        A column has numbers in all of them, or the texts themselves.
        """
        by_column = zip(*(batch.columns for batch in batches), strict=True)
        names = batches[0].schema.names
        return pa.table([self._decoded(name, columns) for name, columns in zip(names, by_column, strict=True)], names)

    def forget(self) -> None:
        """Drop the texts: of what is encoded, nothing is held any more."""
        self._numbers = {name: {} for name in self._numbers or {}}
        self._arrays = {}
        self.nbytes = 0

    def _encoded(self, numbers: dict[str, int], column: pa.Array) -> pa.Array:
        own = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
        codes = []
        for text in own.dictionary.to_pylist():
            if text not in numbers:
                numbers[text] = len(numbers)
                self.nbytes += len(text) + _BYTES_BESIDE_A_TEXT
            codes.append(numbers[text])
        typecode, narrow = _width(len(numbers))
        renumbered = pa.Array.from_buffers(narrow, len(codes), [None, pa.py_buffer(array(typecode, codes))])
        return pc.take(renumbered, own.indices, boundscheck=False)

    def _decoded(self, name: str, columns: Sequence[pa.Array]) -> pa.ChunkedArray:
        if name not in (self._numbers or {}):
            return pa.chunked_array(columns)
        joined, known = concatenated(columns), self._texts(name)
        if pa.types.is_string(joined.type):
            return pa.chunked_array([joined.dictionary_encode()])
        used = joined.unique().drop_null()
        if len(used) < len(known):
            numbers = pa.arange(0, len(known)).cast(joined.type)
            _, narrow = _width(len(used))
            renumbered = pc.index_in(numbers, value_set=used).cast(narrow)
            joined, known = pc.take(renumbered, joined, boundscheck=False), pc.take(known, used, boundscheck=False)
        # As wide in every row group: a file's have one schema, and a later one may have more texts.
        numbers = joined.cast(pa.int32(), safe=False)
        return pa.chunked_array([pa.DictionaryArray.from_arrays(numbers, known, safe=False)])

    def _texts(self, name: str) -> pa.Array:
        known = (self._numbers or {})[name]
        found = self._arrays.get(name)
        if found is None or len(found) < len(known):
            found = self._arrays[name] = texts(list(known))
        return found


def _width(texts: int) -> tuple[str, pa.DataType]:
    """The narrowest numbers for so many texts, for Python's arrays and for Arrow's."""
    return next((code, type_) for most, code, type_ in _WIDTHS if texts <= most)


def concatenated(columns: Sequence[pa.Array]) -> pa.Array:
    """Columns as one. Numbers for texts take the widest of their types: more texts come with time."""
    widest = max((column.type for column in columns), key=lambda type_: pa.types.is_integer(type_) and type_.bit_width)
    return pa.concat_arrays([column if column.type == widest else column.cast(widest) for column in columns])
