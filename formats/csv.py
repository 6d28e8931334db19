"""Delimiter-separated text (RFC 4180 and its relatives).

Parsing is pyarrow's; what is ours is to cut a stream only between records, to know each record's place, and to
give a record that doesn't fit the header back as it stands.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, BinaryIO

from formats.csv_dialect import Dialect
from formats.csv_head import find_head, sample
from formats.csv_records import after_first_record, of_few_rows, whole_records, without_comments
from formats.dialect import AS_FOUND, TableDialect
from formats.extras import MOST_TOTALS, REPEATED_HEADER, repeated_headers, rows_without_value, total, with_last
from formats.format import (
    UNDECODABLE,
    Block,
    Format,
    Head,
    MalformedFile,
    MalformedRow,
    MisjudgedCutError,
    Rows,
    Structure,
    Wanted,
)
from formats.hookspecs import hookimpl
from formats.limits import BLOCK_ROWS
from formats.utf8 import is_utf8, shown

if TYPE_CHECKING:
    import pyarrow as pa

_LINE_END = re.compile(rb"[\r\n]")
_UNDECODED = re.compile("[\udc80-\udcff]+")
_REPLACEMENT = "\ufffd"
_MISQUOTED = "a value goes on after the quotation mark that closes it; write a mark within a value twice"
_SPACED = "a space stands before the quotation mark that opens a value; export it without (no skipInitialSpace)"


@hookimpl
def register_formats() -> Sequence[Format]:
    """CSV in all its dialects."""
    return [Csv()]


class Csv(Format):
    """Text with a header line, a delimiter, and double quotes around values that need them."""

    name = "csv"
    title = "Text with delimiters: CSV, TSV"
    suffixes = (".csv", ".tsv", ".tab", ".txt")

    def likelihood(self, head: Head) -> float:
        """Text with a delimiter is probably this; any other text just may be."""
        text = head.text()
        if text is None or not text.strip() or text.lstrip()[0] in "[{<":
            return 0.0
        return 0.8 if len(find_head(text, AS_FOUND).columns) > 1 else 0.2

    def inspect(self, head: Head, dialect: TableDialect = AS_FOUND) -> Structure:
        """The columns that the header names, or the contract where there is none, and how values are delimited."""
        text = head.text()
        if text is None or not text.strip():
            raise MalformedFile(f"{head.name}: the file has no line of text; export it again")
        if not head.complete and not _LINE_END.search(head.data):
            raise MalformedFile(
                f"{head.name}: the first line is longer than {len(head.data):,} bytes, a fixed limit of CSV within "
                "which the header has to end; export fewer columns or shorter names"
            )
        found = find_head(text, dialect)
        details = {"delimiter": found.dialect.delimiter}
        details["line end"] = "\n" if "\n" in text or "\r" not in text else "\r"
        if found.dialect.quote != '"':
            details["quote"] = found.dialect.quote or "none"
        if found.dialect.escape:
            details["escape"] = found.dialect.escape
        if found.header != (1,):
            details["header"] = "record " + " and ".join(map(str, found.header)) if found.header else "none"
        spelled = TableDialect(
            delimiter=found.dialect.delimiter,
            quote_char=found.dialect.quote,
            escape_char=found.dialect.escape,
            header=bool(found.header),
            header_rows=found.header,
            comment_char=dialect.comment_char,
            limits=dialect.limits,
        )
        return Structure(found.columns, details, dialect=spelled)

    def read(self, stream: BinaryIO, structure: Structure, wanted: Wanted) -> Iterator[Block]:
        """Blocks of whole records, cut where no quotes are open."""
        spelled = structure.dialect
        dialect = Dialect(spelled.delimiter or ",", spelled.quote_char or "", spelled.escape_char or "")
        columns = structure.columns or ()
        included = [position for position, name in enumerate(columns) if wanted(name) is not None]
        stretches = whole_records(stream, dialect, spelled.limits.row_bytes, exact=structure.exact)
        if spelled.comment_char:
            stretches = without_comments(stretches, spelled.comment_char.encode(), dialect)
        for _ in range(max(spelled.header_rows, default=0)):
            stretches = after_first_record(stretches, dialect)
        if structure.exact:
            stretches = of_few_rows(stretches, dialect, BLOCK_ROWS)
        for (data, unclosed), last in with_last(stretches):
            if unclosed:
                yield _UnclosedRecords(data, unclosed, [columns[position] for position in included])
            else:
                yield _Records(data, dialect, columns, included, wanted, last)


Misfits = dict[int, tuple[str, str]]
"""Rows without a place in the columns, by position in their block: why, and their text."""


@dataclass(frozen=True)
class _Records(Block):
    data: bytes
    dialect: Dialect
    columns: Sequence[str]
    included: Sequence[int]
    """The positions of the columns to deliver."""
    wanted: Wanted
    last: bool
    """Whether these are the file's last records."""

    def parse(self) -> Rows:
        if is_utf8(self.data):
            batch, misfits = self._read(self.data)
            if self._may_span_lines(batch, misfits.values()) and self.dialect.misquoted(self.data) is not None:
                raise MisjudgedCutError
            return self._rows(batch, misfits)
        # A mark that no value can have, in place of bytes that are no text, tells which values had them.
        unquoted = self.data.replace(b'"', b"")
        mark = _REPLACEMENT
        while mark.encode() in unquoted:
            mark += _REPLACEMENT
        marked = _UNDECODED.sub(mark, self.data.decode(errors="surrogateescape"))
        batch, misfits = self._read(marked.encode())
        if self._may_span_lines(batch, misfits.values()) and self.dialect.misquoted(self.data) is not None:
            raise MisjudgedCutError
        batch, misfits = _without(mark, batch, misfits)
        records = self.dialect.records(self.data, batch.num_rows + len(misfits), list(misfits))
        reasons = (why for why, _ in misfits.values())
        return self._rows(batch, dict(zip(misfits, zip(reasons, map(shown, records), strict=True), strict=True)))

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
            values = "1 value" if row.actual_columns == 1 else f"{row.actual_columns} values"
            reason = f"the row has {values}, the header has {row.expected_columns} columns"
            if self.dialect.quote != "'" and f"{self.dialect.delimiter}'" in row.text:
                reason += "; where single quotes stand around values, dialect.quoteChar of the contract says so"
            misfits[row.number - 1] = reason, row.text
            return "skip"

        if data.startswith(codecs.BOM_UTF8):  # this is not the file's beginning, but the parser would take it for one
            data = b"\n" + data
        names = [str(position) for position in range(len(self.columns))]
        # Rows without any column would not be counted.
        included = {names[position]: self._type_of(self.columns[position]) for position in self.included}
        included = included or {names[0]: pa.string()}
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
        batch = batches[0].select(list(included)[: len(self.included)])
        return batch.rename_columns([self.columns[position] for position in self.included]), misfits

    def _type_of(self, column: str) -> pa.DataType:
        import pyarrow as pa

        wanted = self.wanted(column)
        return wanted if wanted is not None and pa.types.is_dictionary(wanted) else pa.string()

    def _rows(self, batch: pa.RecordBatch, misfits: Misfits) -> Rows:
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
        return Rows(batch, raw, _positions(batch, misfits), malformed)

    def _blank(self, batch: pa.RecordBatch, misfits: Misfits) -> set[int]:
        """The positions of rows that have delimiters only, which are passed over as blank lines are."""
        delimiter = self.dialect.delimiter
        found = {position for position, (_, text) in misfits.items() if text and not text.strip(delimiter)}
        if rows := rows_without_value(batch):
            positions = _positions(batch, misfits) if misfits else range(batch.num_rows)
            chosen = [positions[row] for row in rows]
            records = self.dialect.records(self.data, batch.num_rows + len(misfits), chosen)
            found |= {at for at, record in zip(chosen, records, strict=True) if not record.strip(delimiter.encode())}
        return found

    def _without_extras(self, batch: pa.RecordBatch, misfits: Misfits) -> tuple[pa.RecordBatch, Misfits]:
        """Take rows with wrong quotes, headers within the file and totals at its end out, to the misfits."""
        count = batch.num_rows + len(misfits)
        repeated = repeated_headers(batch)
        misquoted = self._misquoted(count) if self.dialect.may_go_on_after_quotes(self.data) else {}
        if not repeated and not self.last and not misquoted:
            return batch, misfits
        positions = _positions(batch, misfits) if misfits else range(count)
        reasons = {position: reason for position, reason in misquoted.items() if position not in misfits}
        reasons |= {positions[row]: REPEATED_HEADER for row in repeated}
        if self.last:
            ends = range(max(0, count - MOST_TOTALS), count)
            for position, record in zip(ends, self.dialect.records(self.data, count, ends), strict=True):
                if reason := total(next(iter(sample(shown(record), self.dialect)), []), len(self.columns)):
                    reasons[position] = reason
        if not reasons:
            return batch, misfits
        texts = map(shown, self.dialect.records(self.data, count, list(reasons)))
        extras = dict(zip(reasons, zip(reasons.values(), texts, strict=True), strict=True))
        return _kept(batch, positions, extras), misfits | extras

    def _misquoted(self, count: int) -> dict[int, str]:
        """Why some records' quotes are wrong, by position."""
        reasons: dict[int, str] = {}
        for position, record in enumerate(self.dialect.records(self.data, count, range(count))):
            if self.dialect.goes_on_after_quotes(record):
                reasons[position] = _MISQUOTED
            elif self.dialect.has_space_before_quotes(record):
                reasons[position] = _SPACED
        return reasons


def _kept(batch: pa.RecordBatch, positions: Sequence[int], misfits: Misfits) -> pa.RecordBatch:
    import pyarrow as pa

    return batch.take(pa.array([row for row, position in enumerate(positions) if position not in misfits], pa.int64()))


def _without(mark: str, batch: pa.RecordBatch, misfits: Misfits) -> tuple[pa.RecordBatch, Misfits]:
    """Take the rows that have the mark of bytes that aren't UTF-8 out, to the misfits."""
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = (column.cast(pa.string()) for column in batch.columns)
    marked = [pc.indices_nonzero(pc.match_substring(column, mark)) for column in columns]
    rows = {row for indices in marked for row in indices.to_pylist()}
    if not rows:
        return batch, misfits
    positions = _positions(batch, misfits)
    kept = pa.array([row for row in range(batch.num_rows) if row not in rows], pa.int64())
    return batch.take(kept), misfits | {positions[row]: (UNDECODABLE, "") for row in rows}


def _positions(batch: pa.RecordBatch, misfits: Misfits) -> list[int]:
    """The positions in the block of the rows in a batch."""
    return [position for position in range(batch.num_rows + len(misfits)) if position not in misfits]


@dataclass(frozen=True)
class _UnclosedRecords(Block):
    data: bytes
    ends: Sequence[int]
    included: Sequence[str]

    def parse(self) -> Rows:
        import pyarrow as pa

        texts = [shown(self.data[begin:end].rstrip(b"\r\n")) for begin, end in pairwise([0, *self.ends])]
        schema = pa.schema([(name, pa.string()) for name in self.included])
        reason = 'a value begins with a quotation mark (") and none closes it where the value ends'
        malformed = [MalformedRow(position, reason, text) for position, text in enumerate(texts)]
        return Rows(pa.RecordBatch.from_pylist([], schema), lambda _: [], [], malformed)
