"""Parses whole records of delimiter-separated text, and tells which rows have no place in its columns."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from formats.csv_dialect import Dialect
from formats.csv_head import sample
from formats.csv_misfits import Misfits, kept, positions_of, positions_with_value, why_misfit, without_mark
from formats.csv_records import absent
from formats.csv_tables import may_begin_another, may_have_title
from formats.extras import MOST_TOTALS, REPEATED_HEADER, repeated_headers, rows_without_value, total
from formats.format import Block, MalformedRow, MisjudgedCutError, Rows, Wanted
from formats.limits import BLOCK_ROWS
from formats.utf8 import is_utf8, shown

if TYPE_CHECKING:
    import pyarrow as pa

_UNDECODED = re.compile("[\udc80-\udcff]+")
_REPLACEMENT = "\ufffd"
_WITH_NUL = "the row has a NUL byte, which no text has; the file may be damaged, export it again"
_ESCAPED = (
    "an escape stands before a character that needs none, and it can't be told whether it is part of the value; write "
    "it twice, or state another dialect.escapeChar in the contract, or none"
)
_MISQUOTED = "a value goes on after the quotation mark that closes it; write a mark within a value twice"
_SPACED = (
    "a space stands before the quotation mark that opens a value; where it does so in the whole file, "
    "dialect.skipInitialSpace of the contract says so"
)


@dataclass(frozen=True)
class CsvRows(Block):
    """Whole records, to be parsed by pyarrow.

    Rows with wrong quotes or NUL bytes, headers within the file, totals and bytes that are no text are told besides.
    """

    data: bytes
    dialect: Dialect
    columns: Sequence[str]
    included: Sequence[int]
    """The positions of the columns to deliver."""
    wanted: Wanted
    last: bool
    """Whether these are the file's last records."""
    at_end: int
    """How many delimiters records end with that have no value behind them."""
    exact: bool
    """Whether each was looked at, for where it ends and which table it is of."""
    below_gap: bool = False
    """Whether a blank line or a title stands above them."""

    def parse(self) -> Rows:
        if not self.exact and may_begin_another(self.data, self.dialect, self.columns, below_gap=self.below_gap):
            raise MisjudgedCutError
        if is_utf8(self.data):
            batch, misfits = self._read(self.data)
            if self.dialect.skips_space:
                misfits = self._as_they_stand(batch, misfits)
            self._refuse_misjudged_cut(batch, misfits.values())
            return self._rows(batch, misfits)
        # A mark that no value can have, in place of bytes that are no text, tells which values had them.
        joined = self.data.translate(None, (self.dialect.quote + self.dialect.escape).encode())
        mark = absent(_REPLACEMENT.encode(), joined).decode()
        text = _UNDECODED.sub(mark, self.data.decode(errors="surrogateescape"))
        batch, misfits = self._read(text.encode())
        self._refuse_misjudged_cut(batch, misfits.values())
        batch, misfits = without_mark(mark, batch, misfits)
        return self._rows(batch, self._as_they_stand(batch, misfits))

    @cached_property
    def _may_be_misquoted(self) -> bool:
        return self.dialect.may_be_misquoted(self.dialect.unspaced(self.data))

    def _refuse_misjudged_cut(self, batch: pa.RecordBatch, misfits: Iterable[tuple[str, str]]) -> None:
        if not self._may_be_misquoted or not self._may_span_lines(batch, misfits):
            return
        if self.dialect.misquoted(self.data) is not None:
            raise MisjudgedCutError

    def _as_they_stand(self, batch: pa.RecordBatch, misfits: Misfits) -> Misfits:
        """Rows without a place, with their own text where another was parsed."""
        records = self.dialect.records(self.data, batch.num_rows + len(misfits), list(misfits))
        reasons = (why for why, _ in misfits.values())
        return dict(zip(misfits, zip(reasons, map(shown, records), strict=True), strict=True))

    def _may_span_lines(self, batch: pa.RecordBatch, misfits: Iterable[tuple[str, str]]) -> bool:
        """Whether a value may have a line end in it, which is so by a mistake with quotes at times."""
        import pyarrow as pa

        if batch.num_columns < len(self.columns):
            return True
        texts = (column.dictionary if pa.types.is_dictionary(column.type) else column for column in batch.columns)
        data = [buffer.to_pybytes() for text in texts if (buffer := text.buffers()[2])]
        data += [text.encode() for _, text in misfits]
        return any(b"\n" in values or b"\r" in values for values in data)

    def _read(self, data: bytes) -> tuple[pa.RecordBatch, Misfits]:
        """Parse UTF-8, without the rows of too many or too few values."""
        import pyarrow as pa
        from pyarrow import csv as arrow_csv

        misfits: Misfits = {}
        are_many = False

        def note(row: Any) -> str:
            nonlocal are_many
            if len(misfits) >= BLOCK_ROWS:
                are_many = True
                return "skip"
            misfits[row.number - 1] = self._misfit(row.text, row.actual_columns), row.text
            return "skip"

        data = self.dialect.unspaced(data)
        if data.startswith(codecs.BOM_UTF8):  # this is not the file's beginning, but the parser would take it for one
            data = b"\n" + data
        names = [str(position) for position in range(len(self.columns) + self.at_end)]
        # Rows without any column would not be counted.
        included = {names[position]: self._type_of(self.columns[position]) for position in self.included}
        included = included or {names[0]: pa.string()}
        beyond = names[len(self.columns) :]
        included |= {name: pa.string() for name in beyond}
        table = arrow_csv.read_csv(
            pa.BufferReader(data),
            arrow_csv.ReadOptions(column_names=names, use_threads=False, block_size=len(data) + 1),
            arrow_csv.ParseOptions(
                delimiter=self.dialect.delimiter,
                quote_char=self.dialect.quote or False,
                escape_char=self.dialect.escape or False,
                newlines_in_values=True,
                invalid_row_handler=note,
            ),
            arrow_csv.ConvertOptions(
                check_utf8=False,
                column_types=included,
                include_columns=list(included),
                strings_can_be_null=False,
            ),
        )
        if are_many:
            raise MisjudgedCutError
        batches = table.combine_chunks().to_batches() or [pa.RecordBatch.from_pylist([], table.schema)]
        batch = batches[0]
        if beyond:
            positions = positions_of(batch, misfits)
            surplus = sorted({at for name in beyond for at in positions_with_value(batch.column(name), positions)})
            texts = map(shown, self.dialect.records(data, batch.num_rows + len(misfits), surplus))
            extras = {at: (self._misfit(text, len(names)), text) for at, text in zip(surplus, texts, strict=True)}
            batch, misfits = kept(batch, positions, extras), misfits | extras
        batch = batch.select(list(included)[: len(self.included)])
        return batch.rename_columns([self.columns[position] for position in self.included]), misfits

    def _misfit(self, record: str, count: int) -> str:
        return why_misfit(record, count, self.columns, self.dialect, self.at_end)

    def _values(self, record: str) -> Sequence[str]:
        return next(iter(sample(record, self.dialect)), [])

    def _type_of(self, column: str) -> pa.DataType:
        import pyarrow as pa

        wanted = self.wanted(column)
        return wanted if wanted is not None and pa.types.is_dictionary(wanted) else pa.string()

    def _rows(self, batch: pa.RecordBatch, misfits: Misfits) -> Rows:
        if misfits and not self.exact:
            texts = {position: text for position, (_, text) in misfits.items()}
            if may_have_title(self.data, batch.num_rows + len(misfits), texts, self.dialect, len(self.columns)):
                raise MisjudgedCutError
        if blank := self._blank(batch, misfits):
            records = self.dialect.records(self.data, count := batch.num_rows + len(misfits), range(count))
            filled = [record for position, record in enumerate(records) if position not in blank]
            return replace(self, data=b"\n".join(filled)).parse() if filled else Rows(batch.slice(0, 0), lambda _: [])
        batch, misfits = self._without_extras(batch, misfits)
        count = batch.num_rows + len(misfits)

        def raw(positions: Sequence[int]) -> list[str]:
            return [shown(record) for record in self.dialect.records(self.data, count, positions)]

        if not misfits:
            return Rows(batch, raw)
        malformed = [MalformedRow(position, *misfit) for position, misfit in sorted(misfits.items())]
        return Rows(batch, raw, positions_of(batch, misfits), malformed)

    def _blank(self, batch: pa.RecordBatch, misfits: Misfits) -> set[int]:
        """The positions of rows that have delimiters only, which are passed over as blank lines are."""
        found = {position for position, (_, text) in misfits.items() if self.dialect.is_blank(text.encode())}
        if rows := rows_without_value(batch):
            positions = positions_of(batch, misfits) if misfits else range(batch.num_rows)
            chosen = [positions[row] for row in rows]
            records = self.dialect.records(self.data, batch.num_rows + len(misfits), chosen)
            found |= {at for at, record in zip(chosen, records, strict=True) if self.dialect.is_blank(record)}
        return found

    def _without_extras(self, batch: pa.RecordBatch, misfits: Misfits) -> tuple[pa.RecordBatch, Misfits]:
        """Take rows with NUL bytes or wrong quotes, headers within the file and totals at its end to the misfits."""
        count = batch.num_rows + len(misfits)
        repeated = repeated_headers(batch)
        misquoted = self._misquoted(count) if self._may_be_misquoted else {}
        faulty: dict[str, Callable[[bytes], bool]] = {_WITH_NUL: _has_nul} if b"\0" in self.data else {}
        if self.dialect.may_escape_others(self.data):
            faulty[_ESCAPED] = self.dialect.may_escape_others
        if not repeated and not self.last and not misquoted and not faulty:
            return batch, misfits
        positions = positions_of(batch, misfits) if misfits else range(count)
        reasons = {position: reason for position, reason in misquoted.items() if position not in misfits}
        reasons |= {positions[row]: REPEATED_HEADER for row in repeated}
        if self.last:
            ends = range(max(0, count - MOST_TOTALS), count)
            for position, record in zip(ends, self.dialect.records(self.data, count, ends), strict=True):
                if reason := total(self._values(shown(record)), len(self.columns)):
                    reasons[position] = reason
        records = self.dialect.records(self.data, count, range(count)) if faulty else []
        for why, is_faulty in faulty.items():
            reasons |= {position: why for position, record in enumerate(records) if is_faulty(record)}
        if not reasons:
            return batch, misfits
        texts = map(shown, self.dialect.records(self.data, count, list(reasons)))
        extras = dict(zip(reasons, zip(reasons.values(), texts, strict=True), strict=True))
        return kept(batch, positions, extras), misfits | extras

    def _misquoted(self, count: int) -> dict[int, str]:
        """Why some records' quotes are wrong, by position."""
        reasons: dict[int, str] = {}
        for position, record in self.dialect.doubtful_records(self.data, count):
            if self.dialect.goes_on_after_quotes(record):
                reasons[position] = _MISQUOTED
            elif self.dialect.has_space_before_quotes(record):
                reasons[position] = _SPACED
        return reasons


def _has_nul(record: bytes) -> bool:
    return b"\0" in record
