"""Delimiter-separated text (RFC 4180 and its relatives).

Parsing is pyarrow's; what is ours is to cut a stream only between records, to know each record's place, and to
give a record that doesn't fit the header back as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import BinaryIO

from formats.csv_block import CsvRows
from formats.csv_delimiter import STAND_IN, WithDelimiter, is_long, with_stand_in
from formats.csv_dialect import Dialect
from formats.csv_head import ROW_END, SAMPLE_RECORDS, find_head, sample
from formats.csv_misfits import Apart, WithUnclosed
from formats.csv_records import marked, of_few_rows, whole_records, without_comments, without_records
from formats.csv_tables import ends_with_gap, first_table
from formats.dialect import AS_FOUND, TableDialect
from formats.extras import with_last
from formats.format import Block, Format, Head, MalformedFile, Structure, Wanted
from formats.hookspecs import hookimpl
from formats.limits import BLOCK_ROWS

_LINE_END = re.compile(rb"[\r\n]")
_BRACKETED_NAME = re.compile(r"\s*(?:\[[^][{}\",;\t|^~\r\n]+\]|<[^<>,;\t|^~\r\n]+>)\s*[,;\t|^~]")


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
        if text is None or not text.strip():
            return 0.0
        if text.lstrip()[0] in "[{<":  # as JSON and XML begin, but with no delimiter behind what is in brackets
            return 0.96 if _BRACKETED_NAME.match(text) else 0.0
        return 0.8 if len(find_head(text, AS_FOUND).columns) > 1 else 0.2

    def inspect(self, head: Head, dialect: TableDialect = AS_FOUND) -> Structure:
        """The columns that the header names, or the contract where there is none, and how values are delimited."""
        text = head.text(dialect.delimiter or "")
        if text is None or not text.strip():
            raise MalformedFile(f"{head.name}: the file has no line of text; export it again")
        if not head.complete and not _LINE_END.search(head.data):
            raise MalformedFile(
                f"{head.name}: the first line is longer than {len(head.data):,} bytes, a fixed limit of CSV within "
                "which the header has to end; export fewer columns or shorter names"
            )
        stated = dialect
        if is_long(dialect.delimiter):
            text = text.replace(dialect.delimiter or "", STAND_IN)
            stated = replace(dialect, delimiter=STAND_IN)
        found = find_head(text, stated)
        _refuse_far_records(head, len(sample(text, found.dialect)), dialect)
        if any("\0" in column for column in found.columns):
            raise MalformedFile(f"{head.name}: the header has a NUL byte, which no text has; export the file again")
        line_end = "\n" if "\n" in text or "\r" not in text else "\r"
        delimiter = dialect.delimiter or found.dialect.delimiter
        details = {"delimiter": delimiter, "line end": line_end, **found.details}
        spelled = TableDialect(
            delimiter=delimiter,
            quote_char=found.dialect.quote,
            escape_char=found.dialect.escape,
            skip_initial_space=found.dialect.skips_space,
            header=bool(found.header),
            header_rows=found.header,
            comment_rows=dialect.comment_rows,
            comment_char=dialect.comment_char,
            limits=dialect.limits,
        )
        columns = found.columns
        if is_long(dialect.delimiter):
            columns = tuple(column.replace(STAND_IN, delimiter) for column in columns)
        return Structure(columns, details, dialect=spelled)

    def read(self, stream: BinaryIO, structure: Structure, wanted: Wanted) -> Iterator[Block]:
        """Blocks of whole records, cut where no quotes are open."""
        spelled = structure.dialect
        delimiter = spelled.delimiter or ","
        if is_long(delimiter):
            changed = replace(structure, dialect=replace(spelled, delimiter=STAND_IN))
            for block in self.read(with_stand_in(stream, delimiter), changed, wanted):
                yield WithDelimiter(block, delimiter)
            return
        dialect = Dialect(
            delimiter,
            spelled.quote_char or "",
            spelled.escape_char or "",
            spelled.comment_char or "",
            spelled.skip_initial_space or False,
        )
        columns = structure.columns or ()
        included = [position for position, name in enumerate(columns) if wanted(name) is not None]
        stretches = whole_records(stream, dialect, spelled.limits.row_bytes, exact=structure.exact)
        if dialect.comment:
            stretches = without_comments(stretches, dialect)
        above = range(1, max(spelled.header_rows, default=0) + 1)
        stretches = without_records(stretches, dialect, [*above, *spelled.comment_rows])
        at_end = int(structure.details.get(ROW_END, "0").partition(" ")[0])
        parts = marked(stretches, dialect, len(columns) + at_end)
        if structure.exact:
            pieces = first_table(of_few_rows(parts, dialect, BLOCK_ROWS), dialect, columns)
        else:
            pieces = ((records, "") for records in parts)
        below_gap = False
        for (records, reason), last in with_last(pieces):
            if reason:
                yield Apart(records, dialect, [columns[position] for position in included], reason)
                continue
            block = CsvRows(records.data, dialect, columns, included, wanted, last, at_end, structure.exact, below_gap)
            yield WithUnclosed(block, records) if records.unclosed else block
            below_gap = ends_with_gap(records.data, dialect)


def _refuse_far_records(head: Head, seen: int, dialect: TableDialect) -> None:
    """Raises :class:`~formats.MalformedFile` where the contract names records beyond the first ones, which are seen."""
    last = max(dialect.header_rows, default=0)
    if seen < last:
        where = "" if head.complete else f" among the first {SAMPLE_RECORDS}, where a header has to be"
        raise MalformedFile(
            f"{head.name}: there is no record {last}{where}, which dialect.headerRows of the contract names; correct it"
        )
    if max(dialect.comment_rows, default=0) > SAMPLE_RECORDS:
        raise MalformedFile(
            f"{head.name}: dialect.commentRows of the contract names record {max(dialect.comment_rows)}; only the "
            f"first {SAMPLE_RECORDS} can be passed over; state dialect.commentChar, or export without the others"
        )
