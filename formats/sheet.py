"""What a sheet of a workbook is to its readers, and how the row that names its columns is found."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from itertools import islice, takewhile

from formats.dialect import normalise
from formats.extras import MOST_TOTALS, REPEATED_HEADER, repeated_headers, total
from formats.format import Block, MalformedFile, MalformedRow, Rows, Wanted

_ROWS_TO_THE_HEADER = 50
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


def find_header(
    sheet: Sheet, details: Mapping[str, str], columns: Sequence[str], known: Set[str] = frozenset()
) -> Header:
    """The header of a sheet: where ``details`` say that it is, else the row that names most of the contract's columns,
    ``known``, or that looks like a header where none names any.

    ``columns`` are the names that the contract gives where no row does. Raises :class:`~formats.MalformedFile`.
    """
    asked, lines = details.get("header rows"), sheet.lines()
    if asked == "none":
        first = min((min(line.texts) for line in islice(lines, _ROWS_TO_THE_HEADER)), default=0)
        return Header(dict(enumerate(columns, first)))
    if asked:
        numbers = [int(number) for number in asked.split(",")]
        chosen = [line for line in takewhile(lambda line: line.number <= max(numbers), lines) if line.number in numbers]
    else:
        shown = [*islice(lines, _ROWS_TO_THE_HEADER)]
        chosen = _naming(shown, known) or _likely(shown)
        if not chosen and shown and columns and len(shown[0].texts) == len(columns):
            return Header(dict(enumerate(columns, min(shown[0].texts))))
    if not chosen:
        raise MalformedFile(f"sheet {sheet.name!r} has no header; name another sheet, or its headerRows")
    join = details.get("header join", " ")
    found = sorted({column for line in chosen for column in line.texts})
    parts = {column: [line.texts.get(column, "").strip() for line in chosen] for column in found}
    names = {column: name for column in found if (name := join.join(filter(None, parts[column])))}
    repeated = sorted(name for name, count in Counter(names.values()).items() if count > 1)
    if repeated:
        raise MalformedFile(
            f"sheet {sheet.name!r} has several columns of one name; rename them, or name the rows of a header over "
            "several in the contract's dialect.headerRows",
            f"named {', '.join(repeated)}",
        )
    return Header(names, [line.number for line in chosen])


def names_known(sheet: Sheet, known: Set[str]) -> int:
    """How many of the contract's columns the row of a sheet names that names most."""
    return max((_known(line, known) for line in islice(sheet.lines(), _ROWS_TO_THE_HEADER)), default=0)


def _known(line: Line, known: Set[str]) -> int:
    return len({normalise(text) for text in line.texts.values()} & known)


def _naming(lines: Sequence[Line], known: Set[str]) -> list[Line]:
    best = max(lines, key=lambda line: _known(line, known), default=None)
    return [best] if best and _known(best, known) else []


def _likely(lines: Sequence[Line]) -> list[Line]:
    """The first row of texts only that fills more than half of the columns: a title above fills one or two."""
    widest = max((len(line.texts) for line in lines), default=0)
    return next(([line] for line in lines if line.worded and 2 * len(line.texts) > widest), [])


@dataclass(frozen=True)
class RecordsOnly(Block):
    """A block of a sheet without the rows that are none of its records."""

    block: Block
    header: Header
    last: bool
    """Whether these are the sheet's last rows."""

    def parse(self) -> Rows:
        """Take headers within the sheet, and totals at its end, to the malformed rows."""
        rows = self.block.parse()
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
