"""Rows of delimiter-separated text that have no place in its columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from formats.columns import all_but
from formats.csv_dialect import Dialect
from formats.csv_head import sample
from formats.csv_records import Records
from formats.extras import REPEATED_HEADER
from formats.format import UNDECODABLE, Block, MalformedRow, Rows
from formats.utf8 import shown

if TYPE_CHECKING:
    import pyarrow as pa

Misfits = dict[int, tuple[str, str]]
"""Rows without a place in the columns, by position in their block: why, and their text."""


UNCLOSED = (
    'a value begins with a quotation mark (") and none closes it where the value ends; close it, or write the value in '
    "quotes with the mark twice"
)


@dataclass(frozen=True)
class Apart(Block):
    """Records that have no place for one reason, all of them."""

    records: Records
    dialect: Dialect
    included: Sequence[str]
    reason: str

    def parse(self) -> Rows:
        """All of them with the reason."""
        import pyarrow as pa

        unclosed, mark = iter(self.records.unclosed), self.records.mark
        filled = (record for record in self.dialect.split(self.records.data) if not self.dialect.is_blank(record))
        texts = [shown(next(unclosed) if record == mark else record) for record in filled]
        schema = pa.schema([(name, pa.string()) for name in self.included])
        malformed = [MalformedRow(position, self.reason, text) for position, text in enumerate(texts)]
        return Rows(pa.RecordBatch.from_pylist([], schema), lambda _: [], [], malformed)


@dataclass(frozen=True)
class WithUnclosed(Block):
    """Records of which some have a quote that nothing closes."""

    block: Block
    """All of them, with the mark in place of each of these."""
    records: Records

    def parse(self) -> Rows:
        """The rows of the others, and these as malformed."""
        rows, texts, mark = self.block.parse(), iter(self.records.unclosed), shown(self.records.mark)
        malformed = [
            MalformedRow(row.position, UNCLOSED, shown(next(texts))) if row.raw == mark else row
            for row in rows.malformed
        ]
        return replace(rows, malformed=malformed)


def why_misfit(record: str, count: int, columns: Sequence[str], dialect: Dialect, at_end: int) -> str:
    """Why a record of so many values has no place in the columns, and what to do about it."""
    if len(columns) <= count < len(columns) + at_end:
        values = next(iter(sample(record, dialect)), [])
        if values[: len(columns)] == list(columns):
            return REPEATED_HEADER
        if not any(values[len(columns) :]):
            own = "no delimiter" if count == len(columns) else f"only {count - len(columns)}"
            many = "one" if at_end == 1 else f"{at_end}"
            return f"the row has {own} at its end, where the file's other rows have {many}; end it with {many}"
    counted = "1 value" if count == 1 else f"{count} values"
    remedy = "fill in all values, quote line ends, or drop what is no record"
    if dialect.quote != "'" and f"{dialect.delimiter}'" in record:
        remedy = "where single quotes stand around values, dialect.quoteChar of the contract says so"
    elif count > len(columns):
        remedy = "put quotes around a value that holds the delimiter"
    return f"the row has {counted}, the header has {len(columns)} columns; {remedy}"


def kept(batch: pa.RecordBatch, positions: Sequence[int], misfits: Misfits) -> pa.RecordBatch:
    """A batch, whose rows have these positions in the block, without those that are misfits."""
    import pyarrow as pa

    return batch.take(pa.array([row for row, position in enumerate(positions) if position not in misfits], pa.int64()))


def without_mark(mark: str, batch: pa.RecordBatch, misfits: Misfits) -> tuple[pa.RecordBatch, Misfits]:
    """Take the rows that have the mark of bytes that aren't UTF-8 out, to the misfits."""
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = (column.cast(pa.string()) for column in batch.columns)
    marked = [pc.indices_nonzero(pc.match_substring(column, mark)) for column in columns]
    rows = {row for indices in marked for row in indices.to_pylist()}
    if not rows:
        return batch, misfits
    positions = positions_of(batch, misfits)
    left = pa.array([row for row in range(batch.num_rows) if row not in rows], pa.int64())
    return batch.take(left), misfits | {positions[row]: (UNDECODABLE, "") for row in rows}


def positions_with_value(column: pa.Array, positions: Sequence[int]) -> list[int]:
    """The positions of the rows in which a column isn't empty."""
    import pyarrow.compute as pc

    return [positions[row] for row in pc.indices_nonzero(pc.binary_length(column)).to_pylist()]


def positions_of(batch: pa.RecordBatch, misfits: Misfits) -> Sequence[int]:
    """The positions in the block of the rows in a batch."""
    return all_but(sorted(misfits), batch.num_rows + len(misfits))
