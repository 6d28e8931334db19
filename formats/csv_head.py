"""Finds out from the first records of delimiter-separated text how they are written, and which name the columns."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from formats.csv_dialect import Dialect
from formats.dialect import TableDialect
from formats.header import begins_with_row, fill_each_other, is_row, names_known, names_of, naming

_DELIMITERS = (",", ";", "\t", "|", "^", "~")
SAMPLE_RECORDS = 50
ROW_END = "row end"
"""The name of the detail how many delimiters rows end with."""


@dataclass(frozen=True)
class CsvHead:
    """How a text is written. ``header`` are the records that name the columns, from 1; empty where none does."""

    dialect: Dialect
    header: tuple[int, ...]
    columns: tuple[str, ...]
    delimiters_at_end: int
    """How many delimiters rows end with that have no value behind them."""

    @property
    def details(self) -> dict[str, str]:
        """What was found, by name, as far as it isn't what is usual."""
        found: dict[str, str] = {}
        if self.dialect.quote != '"':
            found["quote"] = self.dialect.quote or "none"
        if self.dialect.escape:
            found["escape"] = self.dialect.escape
        if self.dialect.skips_space:
            found["space after a delimiter"] = "skipped"
        if self.header != (1,):
            found["header"] = "record " + " and ".join(map(str, self.header)) if self.header else "none"
        if self.delimiters_at_end:
            found[ROW_END] = f"{self.delimiters_at_end} delimiter{'s' * (self.delimiters_at_end > 1)}"
        return found


@lru_cache(maxsize=4)
def find_head(text: str, stated: TableDialect) -> CsvHead:
    """What the first records of a text show; what is stated isn't looked for."""
    if stated.comment_char:
        # Quotes tell which comments are none, and without the comments it is seen what quotes.
        comment = rf"(?<![^\r\n]){re.escape(stated.comment_char)}[^\r\n]*[\r\n]*"
        dialect = _dialect(re.sub(comment, "", text), stated)
        text = replace(dialect, comment=stated.comment_char).without_comments(text.encode()).decode()
    else:
        dialect = _dialect(text, stated)
    records = sample(text, dialect)
    header = _header(records, stated)
    columns = names_of([records[number - 1] for number in header if number <= len(records)], stated)
    columns = columns or _columns_without_header(records, stated)
    rows = [record for record in records[max(header, default=0) :] if any(record)]
    named = len(columns) - next((at for at, name in enumerate(reversed(columns)) if name), 0)
    if named < len(columns) and _have_no_value(rows, named):
        columns = columns[:named]  # the header ends with delimiters, as its rows may
        return CsvHead(dialect, header, columns, _delimiters_at_end(rows, named, filled=True))
    return CsvHead(dialect, header, columns, _delimiters_at_end(rows, len(columns)))


def sample(text: str, dialect: Dialect) -> list[list[str]]:
    """The first records of a text, as far as they can be told apart."""
    return sample_of(io.StringIO(text, newline=""), dialect)


def sample_of(lines: Iterable[str], dialect: Dialect) -> list[list[str]]:
    """The first records of lines with their ends, as far as they can be told apart."""
    reader = csv.reader(
        lines,
        delimiter=dialect.delimiter,
        quotechar=dialect.quote or None,
        escapechar=dialect.escape or None,
        skipinitialspace=dialect.skips_space,
        quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
    )
    records: list[list[str]] = []
    try:
        for record in reader:
            if record:
                records.append([value.strip() for value in record])
            if len(records) == SAMPLE_RECORDS:
                break
    except csv.Error:  # a value past csv's own limit: what stands before it is the sample
        pass
    return records


def _dialect(text: str, stated: TableDialect) -> Dialect:
    """The delimiter that gives the contract's columns, or else the most records of one width, and the wider ones."""
    delimiters = (stated.delimiter,) if stated.delimiter else _DELIMITERS
    candidates = [_quoting(text, delimiter, stated) for delimiter in delimiters]

    def score(dialect: Dialect) -> tuple[int, float, int]:
        records = sample(text, dialect)
        widths = [len(record) for record in records] or [0]
        width = max(widths, key=lambda width: (widths.count(width), width))
        as_header, as_most = widths.count(widths[0]) / len(widths), widths.count(width) / len(widths)
        known = max((names_known(record, stated) for record in records), default=0)
        # A header is as wide as its rows; a text before it isn't.
        best = max(((as_header, widths[0]), (0.9 * as_most, width)), key=lambda found: (found[1] > 1, found))
        return known, best[0] if best[1] > 1 else 0.0, best[1]

    return max(candidates, key=score)


def _quoting(text: str, delimiter: str, stated: TableDialect) -> Dialect:
    quote, escape = stated.quote_char, stated.escape_char
    around = re.escape(delimiter)
    if quote is None:
        quote = "'" if _is_in_single_quotes(text, delimiter) else '"'
    if escape is None and quote and f"\\{quote}" in text:
        within = rf"\\{quote}(?!\s*(?:{around}|[\r\n]|\Z))"
        escape = "\\" if re.search(within, text) and not re.search(rf"[^{around}\r\n]{quote}{quote}", text) else ""
    skips_space = stated.skip_initial_space
    if skips_space is None:
        skips_space = _has_spaced_quotes(text, Dialect(delimiter, quote, escape or ""))
    return Dialect(delimiter, quote, escape or "", skips_space=skips_space)


def _has_spaced_quotes(text: str, dialect: Dialect) -> bool:
    """Whether values are in quotes after a delimiter and space, and none right after a delimiter."""
    delimiter, quote, escape = map(re.escape, (dialect.delimiter, dialect.quote, dialect.escape))
    space = "[ ]" if dialect.delimiter == "\t" else r"[ \t]"
    if not quote or not re.search(rf"{delimiter}{space}+{quote}", text):
        return False
    within = rf"(?:[^{quote}{escape}]|{quote}{quote}{f'|{escape}.' if escape else ''})*+"
    opening = rf"(?:(?<![^\r\n])|{delimiter}({space}*)){quote}"
    quoted = re.finditer(rf"{opening}{within}{quote}{space}*(?={delimiter}|[\r\n]|\Z)", text, re.DOTALL)
    spaces = [value[1] for value in quoted if value[1] is not None]
    return bool(spaces) and all(spaces)


def _is_in_single_quotes(text: str, delimiter: str) -> bool:
    """Whether most of the quoted values are in single quotes."""
    if f"{delimiter}'" not in text and "\n'" not in text:
        return False  # as nearly always, and seen in a hundredth of the time
    around = re.escape(delimiter)
    within = r"""("(?:[^"]|"")*+"|'(?:[^'\r\n]|'')*+')"""
    quoted: list[str] = re.findall(rf"(?:^|{around}){within}(?={around}|\r?$)", text, re.MULTILINE)
    single = sum(value[0] == "'" for value in quoted)
    return single > 1 and 2 * single > len(quoted)


def _header(records: Sequence[Sequence[str]], stated: TableDialect) -> tuple[int, ...]:
    """The records that name the columns, from 1."""
    if stated.header is False:
        return ()
    if stated.header_rows:
        return stated.header_rows
    numbers = [number for number in range(1, len(records) + 1) if number not in stated.comment_rows]
    if named := naming(records, numbers, stated):
        return named
    if _has_no_header([records[number - 1] for number in numbers], stated):
        return ()
    first = _first_of_table(records, numbers) if numbers else 1
    return (first, first + 1) if fill_each_other(records[first - 1 : first + 1]) else (first,)


def _delimiters_at_end(rows: Sequence[Sequence[str]], width: int, *, filled: bool = False) -> int:
    """How many values most rows have after those of so many columns, all of them empty unless some may be ``filled``.

    In a single row among others it may be a value that is missing, after one with a delimiter in it.
    """
    surplus = [len(row) - width for row in rows if len(row) > width and (filled or not any(row[width:]))]
    most = max(surplus, key=surplus.count, default=0)
    return most if 2 * surplus.count(most) > len(rows) else 0


def _have_no_value(rows: Sequence[Sequence[str]], position: int) -> bool:
    """Whether most rows have nothing at a position and after it."""
    return not rows or 2 * sum(not any(row[position:]) for row in rows) > len(rows)


def _has_no_header(records: Sequence[Sequence[str]], stated: TableDialect) -> bool:
    """Whether the first record is a row already."""
    if stated.header is not None or not records:
        return False
    if not stated.columns:
        return begins_with_row(records)
    surplus = _delimiters_at_end([*filter(any, records)], len(stated.columns))
    return is_row(records[0][: len(records[0]) - surplus], stated)


def _first_of_table(records: Sequence[Sequence[str]], numbers: Sequence[int]) -> int:
    """The first record that is as wide as most, unless those before it are more than the lines of a preamble."""
    widths = [len(record) for record in records]
    most = max(widths, key=lambda width: (widths.count(width), width))
    before: list[int] = []
    for number in numbers:
        if widths[number - 1] >= most:
            break
        before.append(number)
    else:
        return numbers[0]
    filled = (sum(1 for value in records[earlier - 1] if value) for earlier in before)
    return number if all(2 * count <= most for count in filled) else numbers[0]


def _columns_without_header(records: Sequence[Sequence[str]], stated: TableDialect) -> tuple[str, ...]:
    if stated.columns:
        return stated.columns
    return tuple(f"column_{number}" for number in range(1, len(records[0]) + 1 if records else 1))
