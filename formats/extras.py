"""Rows that are none of a table's records: headers within the file, totals at its end, and rows without a value."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from formats.format import MalformedFile

if TYPE_CHECKING:
    import pyarrow as pa

MOST_TOTALS = 3
"""How many of the last records are looked at for totals."""

REPEATED_HEADER = "the row repeats the header and is no record; leave it out of the export"
TOTAL = "the row is a total of the file or its end and no record; leave it out of the export"

_TOTAL = re.compile(
    r"(grand|sub|sous|report)?[\s-]*(total|totals|totale|totaal|sum|summe|gesamt\w*|zwischensumme|suma|somme|end)"
    r"(\s+(of|for|der|des|du|de|di)\b.*|[\s:.=*\d()]*)",
    re.IGNORECASE,
)


def repeated_headers(batch: pa.RecordBatch) -> list[int]:
    """The rows of a batch, by position, that have each column's own name as its value.

    Before the first may stand a byte order mark, as where files with a header each were put together.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if not batch.num_columns:
        return []
    first = batch.column(0)
    name = batch.schema.names[0]
    if not (pa.types.is_string(first.type) or pa.types.is_dictionary(first.type)):
        return []
    spellings = (name, f"\ufeff{name}", f'\ufeff"{name}"')
    if pa.types.is_dictionary(first.type):
        kind = first.type.value_type
        if all(pc.index(first.dictionary, pa.scalar(one, kind)).as_py() < 0 for one in spellings):
            return []
        first = first.dictionary_decode()
    rows = {row for one in spellings for row in pc.indices_nonzero(pc.equal(first, one)).to_pylist()}
    others = [*zip(batch.schema.names, batch.columns, strict=True)][1:]
    return [row for row in sorted(rows) if all(str(column[row]).strip() == other for other, column in others)]


def rows_without_value(batch: pa.RecordBatch) -> list[int]:
    """The rows of a batch, by position, whose values are all empty. It looks on only where the first column has such.

    They may have values in columns that the batch lacks.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if not batch.num_columns:
        return []
    rows: pa.Array | None = None
    for column in batch.columns:
        values = column if rows is None else column.take(rows)
        if pa.types.is_dictionary(values.type):
            if pc.index(values.dictionary, pa.scalar("", values.type.value_type)).as_py() < 0:
                return []
            values = values.dictionary_decode()
        empty = pc.indices_nonzero(pc.equal(pc.binary_length(values), 0))
        rows = empty if rows is None else rows.take(empty)
        if not len(rows):
            return []
    return [] if rows is None else list(rows.to_pylist())


def total(cells: Sequence[str | None], width: int) -> str | None:
    """Why a row at a file's end is a total of the others; None where it isn't.

    It is when such a word stands alone in its first value, and not all columns have one.
    """
    filled = [cell.strip() for cell in cells if cell and cell.strip()]
    if filled and len(filled) < width and _TOTAL.fullmatch(filled[0]):
        return TOTAL
    return None


_Item = TypeVar("_Item")


def with_last(items: Iterator[_Item]) -> Iterator[tuple[_Item, bool]]:
    """Things in order, each with whether none follows; before an error comes all that came before it."""
    for before in items:
        try:
            for item in items:
                yield before, False
                before = item
        except MalformedFile:
            yield before, False
            raise
        yield before, True
