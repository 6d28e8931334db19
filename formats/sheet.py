"""What a sheet of a workbook is to its readers, and how the row that names its columns is found."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, takewhile

from formats.dialect import TableDialect
from formats.extras import MOST_TOTALS, REPEATED_HEADER, repeated_headers, total
from formats.format import Block, MalformedFile, MalformedRow, Rows, Wanted
from formats.header import fill_each_other, is_row, names_known, names_of, naming

_ROWS_TO_THE_HEADER = 50
_NONE = "none"
_WRITTEN_OUT = 2**63
"""Whole numbers below it come as digits, which a column of strings or integers can hold; others with an exponent."""


@dataclass(frozen=True)
class Line:
    """A row that has values: its number from 1, as people see it, and its texts by column from 0."""

    number: int
    texts: Mapping[int, str]
    worded: bool
    """Whether all its values are texts, and none a number or a date."""


@dataclass(frozen=True)
class Header:
    """The names of a sheet's columns by column from 0, and the numbers of the rows that give them, if any do."""

    names: Mapping[int, str]
    rows: Sequence[int] = ()

    @property
    def last(self) -> int:
        """The row above the first that holds data."""
        return max(self.rows, default=0)

    @property
    def width(self) -> int:
        """How many columns there are up to the last that has a name."""
        return max(self.names, default=-1) + 1


class Sheet(ABC):
    """A sheet of a workbook that is open. All its methods raise :class:`~formats.MalformedFile`."""

    name: str
    visible: bool

    @abstractmethod
    def lines(self) -> Iterator[Line]:
        """The rows that have values, to find the header among; read as far as they are asked for."""

    @abstractmethod
    def blocks(self, header: Header, wanted: Wanted) -> Iterator[Block]:
        """The rows below the header."""


def find_header(sheet: Sheet, details: Mapping[str, str], dialect: TableDialect) -> Header:
    """The header of a sheet: where ``details`` say that it is, else the rows that name most of the contract's columns,
    or that look like a header where none names any.

    Without one, the names are the contract's. Raises :class:`~formats.MalformedFile`.
    """
    asked, lines = details.get("header rows"), sheet.lines()
    if asked and asked != _NONE:
        numbers = [int(number) for number in asked.split(",")]
        chosen = [line for line in takewhile(lambda line: line.number <= max(numbers), lines) if line.number in numbers]
    else:
        shown = [*islice(lines, _ROWS_TO_THE_HEADER)]
        chosen = [] if asked else [*_found(shown, dialect)]
        may_lack = dialect.header is None and shown and len(shown[0].texts) == len(dialect.columns)
        if asked or (may_lack and not chosen):
            return _names_alone(shown, dialect)
    if not chosen:
        raise MalformedFile(f"sheet {sheet.name!r} has no header; name another sheet, or its headerRows")
    columns = range(min(min(line.texts) for line in chosen), max(max(line.texts) for line in chosen) + 1)
    found = zip(columns, names_of(_records(chosen, columns), dialect), strict=True)
    names = {column: name for column, name in found if name}
    repeated = sorted(name for name, count in Counter(names.values()).items() if count > 1)
    if repeated:
        raise MalformedFile(
            f"sheet {sheet.name!r} has several columns of one name; rename them, or name the rows of a header over "
            "several in the contract's dialect.headerRows",
            f"named {', '.join(repeated)}",
        )
    return Header(names, [line.number for line in chosen])


def _names_alone(lines: Sequence[Line], dialect: TableDialect) -> Header:
    """The contract's names, from the column on where the first whole row begins, or the first of all."""
    firsts = [min(line.texts) for line in lines if len(line.texts) == len(dialect.columns)]
    first = firsts[0] if firsts else min((min(line.texts) for line in lines), default=0)
    return Header(dict(enumerate(dialect.columns, first)))


def most_known(sheet: Sheet, dialect: TableDialect) -> int:
    """How many of the contract's columns the row of a sheet names that names most."""
    lines = islice(sheet.lines(), _ROWS_TO_THE_HEADER)
    return max((names_known([*line.texts.values()], dialect) for line in lines), default=0)


def _found(lines: Sequence[Line], dialect: TableDialect) -> Sequence[Line]:
    """The rows of a header by the rules of all tables, or else the first row of texts only that fills more than half of
    the columns: a title above fills one or two. None where the first row is a row already."""
    if not lines:
        return []
    columns = range(min(min(line.texts) for line in lines), max(max(line.texts) for line in lines) + 1)
    records = _records(lines, columns)
    if named := naming(records, range(1, len(lines) + 1), dialect):
        return [lines[number - 1] for number in named]
    if is_row([*lines[0].texts.values()], dialect):
        return []
    widest = max(len(line.texts) for line in lines)
    worded = (place for place, line in enumerate(lines) if line.worded)
    for place in worded:
        if all(line.worded for line in lines[place : place + 2]) and fill_each_other(records[place : place + 2]):
            return lines[place : place + 2]
        if 2 * len(lines[place].texts) > widest:
            return lines[place : place + 1]
    return []


def _records(lines: Sequence[Line], columns: Sequence[int]) -> Sequence[Sequence[str]]:
    """Rows as lists of texts, empty where a cell is."""
    return [[line.texts.get(column, "").strip() for column in columns] for line in lines]


@dataclass(frozen=True)
class RecordsOnly(Block):
    """A block of a sheet without the rows that are none of its records."""

    block: Block
    header: Header
    last: bool
    """Whether these are the sheet's last rows."""
    passed_over: Mapping[str, int]
    """What else the workbook has, to be told with this block."""

    def parse(self) -> Rows:
        """Take headers within the sheet, and totals at its end, to the malformed rows."""
        rows = replace(self.block.parse(), passed_over=self.passed_over)
        positions = range(rows.batch.num_rows) if rows.positions is None else rows.positions
        reasons = dict.fromkeys(repeated_headers(rows.batch), REPEATED_HEADER)
        if self.last:
            ends = range(max(0, len(positions) - MOST_TOTALS), len(positions))
            for row, raw in zip(ends, rows.raw([positions[row] for row in ends]), strict=True):
                if reason := total(json.loads(raw), len(self.header.names)):
                    reasons[row] = reason
        return _without(rows, reasons) if reasons else rows


def _without(rows: Rows, reasons: Mapping[int, str]) -> Rows:
    """The rows without some, by their place in the batch, which become malformed for these reasons."""
    import pyarrow as pa

    positions = range(rows.batch.num_rows) if rows.positions is None else rows.positions
    taken = [positions[row] for row in reasons]
    malformed = [
        MalformedRow(position, reason, raw)
        for position, reason, raw in zip(taken, reasons.values(), rows.raw(taken), strict=True)
    ]
    kept = [row for row in range(rows.batch.num_rows) if row not in reasons]
    place = {row: number for number, row in enumerate(kept)}
    errors = {
        name: {place[row]: cell for row, cell in cells.items() if row in place} for name, cells in rows.errors.items()
    }
    return replace(
        rows,
        batch=rows.batch.take(pa.array(kept, pa.int64())),
        positions=[positions[row] for row in kept],
        malformed=sorted([*rows.malformed, *malformed], key=lambda row: row.position),
        errors=errors,
    )


def letters(column: int) -> str:
    """What a spreadsheet calls a column, from 0."""
    found = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        found = chr(ord("A") + rest) + found
    return found


def shortest(number: float) -> str:
    """The fewest digits that tell a number from all others; whole ones that an integer can hold without an exponent."""
    return str(int(number)) if number.is_integer() and abs(number) < _WRITTEN_OUT else repr(number)


def duration(milliseconds: int) -> str:
    """Hours, which may be more than a day's, minutes and seconds, with their fraction if there is one: ``26:00:00``."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}" + (f".{rest:03}" if rest else "")
