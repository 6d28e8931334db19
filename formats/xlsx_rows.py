"""The rows of a sheet of Office Open XML (ECMA-376 part 1, section 18.3.1.73), as columns of exact texts."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from formats.columns import batch_of
from formats.format import Block, MalformedFile, MalformedRow, Rows, Wanted
from formats.limits import SHEET_CELLS, Limits
from formats.sheet import Header, Line, letters
from formats.xlsx_pattern import Found, RowFinder, in_groups, row_finder
from formats.xlsx_text import ROWS, Elements, OddRow, rows_of
from formats.xlsx_values import Kind, Spelling, moments, numbers

if TYPE_CHECKING:
    import pyarrow as pa

_BLOCK_CELLS = 1024 * 1024
_FIRST_ROWS = 64
_TEXT_OF_A_COLUMN, _MOST_TEXT = 1024, 4 * 1024 * 1024
"""Characters: what a block has for each of its columns, about thirty cells, and the most that it has."""
_LONGEST_NUMBER = len("1048576")
_BLANK = ("", "")


def first_lines(
    elements: Elements, spelling: Spelling, shared_among: Callable[[Collection[int]], Mapping[int, str]]
) -> Iterator[Line]:
    """The rows that have values, to find the header among. ``shared_among`` gives shared texts by their places."""
    number = 0
    for text, _ in _counted(elements):
        for piece in _pieces(text, f"</{elements.prefix}row>", _FIRST_ROWS):
            rows = rows_of(piece)
            shared = shared_among(_places(rows, spelling))
            for row in rows:
                number = row_number(row.number, number)
                found = {
                    column: shown
                    for column, (attributes, value) in row.cells.items()
                    if (shown := cell_text(spelling, shared, spelling.kind(attributes), escape(value))) is not None
                }
                kinds = {spelling.kind(row.cells[column][0]) for column in found}
                if found:
                    yield Line(number, found, worded=kinds <= {"text", "shared"})


def _places(rows: Sequence[OddRow], spelling: Spelling) -> Collection[int]:
    cells = (cell for row in rows for cell in row.cells.values())
    return {int(value) for kind, value in cells if value.isdecimal() and spelling.kind(kind) == "shared"}


def row_number(text: str, before: int) -> int:
    """A row's number, the next where it isn't said. Raises :class:`~formats.MalformedFile` for an absurd one."""
    if len(text) > _LONGEST_NUMBER:
        raise MalformedFile("a row of the workbook has a number that no sheet has; save and upload it again")
    return int(text) if text.isdecimal() else before + 1


def row_blocks(
    elements: Elements, header: Header, spelling: Spelling, shared: pa.Array, wanted: Wanted, limits: Limits
) -> Iterator[Block]:
    """The rows below the header. Raises :class:`~formats.MalformedFile` when there are more than ``ROWS``, or
    have places for more cells than ``SHEET_CELLS``."""
    finders: Sequence[RowFinder] = ()
    first = 0
    width = max(1, header.width)
    most = max(1, min(_BLOCK_CELLS, limits.cells) // width)
    for text, count in _gathered(_counted(elements), width):
        end = f"</{elements.prefix}row>"
        for piece in _pieces(text, end, most) if count > most else (text,):
            if first * width > SHEET_CELLS:
                raise MalformedFile(f"the sheet has {width:,} columns and more than {first:,} rows; export it as CSV")
            finders = finders or _finders(next(_pieces(piece, end, _FIRST_ROWS)), header, spelling, elements.prefix)
            yield _Rows(piece, first, finders, header, spelling, shared, wanted)
            first += count if piece is text else piece.count(f"<{elements.prefix}row")


def _finders(first_rows: str, header: Header, spelling: Spelling, prefix: str) -> Sequence[RowFinder]:
    """What finds rows that are like the first ones below the header, and what finds any."""
    width = max(1, header.width)
    any_rows = row_finder(width, prefix)
    if not in_groups(width):
        return (any_rows,)
    rows = [any_rows.cells(row) for row in any_rows.find(first_rows) if row_number(row[0], -1) > header.last]
    kinds = [{attributes for attributes, value in cells if value} for cells in zip(*rows, strict=True)]
    single = {column: found.pop() for column, found in enumerate(kinds) if len(found) == 1}
    alike = {column: found for column, found in single.items() if spelling.kind(found) != "error"}
    return (row_finder(width, prefix, alike), any_rows) if alike else (any_rows,)


def _counted(elements: Elements) -> Iterator[tuple[str, int]]:
    """The same texts, each with how many rows it has. Raises :class:`~formats.MalformedFile` where a sheet has more
    rows, empty ones included, than any can have: an empty one takes so few bytes that the size of a sheet hardly bounds
    them."""
    total = 0
    for text in elements:
        count = text.count(f"<{elements.prefix}row")
        total += count
        if total > ROWS:
            raise MalformedFile(
                f"a sheet of the workbook goes on after row {ROWS:,}, the last that a sheet can have; save it in a "
                "spreadsheet program and upload it again, or export it as CSV"
            )
        yield text, count


def _gathered(texts: Iterable[tuple[str, int]], width: int) -> Iterator[tuple[str, int]]:
    """Of a wide sheet more text at a time, since each of its columns costs something in every block."""
    held: list[str] = []
    length = rows = 0
    for text, count in texts:
        held.append(text)
        length += len(text)
        rows += count
        if length >= min(_MOST_TEXT, width * _TEXT_OF_A_COLUMN):
            yield "".join(held), rows
            held, length, rows = [], 0, 0
    if held:
        yield "".join(held), rows


def _pieces(text: str, end: str, rows: int) -> Iterator[str]:
    """The same text in pieces of at most so many rows."""
    if text.count(end) <= rows:
        yield text
        return
    parts = text.split(end)
    for first in range(0, len(parts), rows):
        last = first + rows >= len(parts)
        if piece := end.join(parts[first : first + rows]) + ("" if last else end):
            yield piece


def cell_text(spelling: Spelling, shared: Mapping[int, str] | pa.Array, kind: Kind, value: str) -> str | None:
    """A cell as exact text, None when it is empty. Raises :class:`~formats.MalformedFile` where a text is missing."""
    if kind != "shared" or not value:
        return spelling.text(kind, value)
    try:
        text = shared[int(value)]
    except (LookupError, ValueError) as error:
        raise MalformedFile(
            "a cell names a shared text that the workbook lacks; save and upload it again", f"named {value!r}"
        ) from error
    return (text if isinstance(text, str) else text.as_py()) or None


@dataclass(frozen=True)
class _Rows(Block):
    text: str
    first: int
    """How many rows come before this text's, for those that have no number."""
    finders: Sequence[RowFinder]
    """The first one takes least time, and the last one takes rows of other shapes."""
    header: Header
    spelling: Spelling
    shared: pa.Array
    wanted: Wanted

    def parse(self) -> Rows:
        finder, found = self._found()
        rows, beyond = self._with_values(finder, found)
        raw = partial(self._raw, finder, rows)
        malformed = [self._misplaced(at, column, beyond, raw) for at, column in self._strays(finder, rows, beyond)]
        bad = {row.position for row in malformed}
        positions = [position for position in range(len(rows)) if position not in bad]
        cells = [*zip(*(rows[position] for position in positions) if bad else rows, strict=True)]
        cells = cells or [()] * (2 * self.header.width + 2)
        columns, errors = {}, {}
        for column, name in self.header.names.items():
            if self.wanted(name) is not None:
                at = finder.attributes[column]
                attributes = cells[at] if isinstance(at, int) else (at,)
                columns[name] = self._array(attributes, cells[finder.values[column]])
                if places := self._errors(column, attributes, cells[0]):
                    errors[name] = places
        batch = batch_of(list(columns), list(columns.values()), len(positions))
        return Rows(batch, raw, positions, malformed, native=True, errors=errors)

    def _found(self) -> tuple[RowFinder, list[Found]]:
        """The rows, all of them by the first that finds them whole, or else by the last."""
        for finder in self.finders[:-1]:
            found = finder.find(self.text)
            if not any(row[-1] for row in found):
                return finder, found
        return self.finders[-1], self.finders[-1].find(self.text)

    def _with_values(self, finder: RowFinder, found: Sequence[Found]) -> tuple[list[Found], Mapping[int, OddRow]]:
        """The rows that have values, and those among them, by their position, that have some beyond the header."""
        first, values = finder.values[0], itemgetter(*finder.values, 0)
        if self.first >= self.header.last and not any(row[-1] for row in found):
            return [row for row in found if row[first] or any(values(row)[:-1])], {}
        rows: list[Found] = []
        beyond: dict[int, OddRow] = {}
        number = self.first
        for row in found:
            for odd in rows_of(row[-1]) if row[-1] else (None,):
                number = row_number(odd.number if odd else row[0], number)
                cells = self._as_found(odd) if odd else row
                stray = odd is not None and any(v for c, (_, v) in odd.cells.items() if c >= self._width)
                if number > self.header.last and (stray or any(values(cells)[:-1])):
                    if odd and stray:
                        beyond[len(rows)] = odd
                    rows.append(cells)
        return rows, beyond

    @property
    def _width(self) -> int:
        return max(1, self.header.width)

    def _as_found(self, row: OddRow) -> Found:
        cells = (row.cells.get(column, _BLANK) for column in range(self._width))
        return (row.number, *(text for attributes, value in cells for text in (attributes, escape(value))), "")

    def _strays(
        self, finder: RowFinder, rows: Sequence[Found], beyond: Mapping[int, OddRow]
    ) -> Sequence[tuple[int, int]]:
        """The rows with a value in a column that has no name, and the first such column."""
        unnamed = [column for column in range(self._width) if column not in self.header.names]
        found = {
            position: min(column for column, (_, value) in row.cells.items() if value and column >= self._width)
            for position, row in beyond.items()
        }
        for column in reversed(unnamed):
            place = finder.values[column]
            found |= {position: column for position, row in enumerate(rows) if row[place]}
        return sorted(found.items())

    def _misplaced(
        self, position: int, column: int, beyond: Mapping[int, OddRow], raw: Callable[[Sequence[int]], list[str]]
    ) -> MalformedRow:
        reason = f"the row has a value in column {letters(column)}, which the header doesn't name"
        if odd := beyond.get(position):
            cells = [odd.cells.get(place, _BLANK) for place in range(max(odd.cells) + 1)]
            return MalformedRow(position, reason, self._json([(kind, escape(value)) for kind, value in cells]))
        return MalformedRow(position, reason, *raw([position]))

    def _raw(self, finder: RowFinder, rows: Sequence[Found], positions: Sequence[int]) -> list[str]:
        return [self._json(finder.cells(rows[at])) for at in positions]

    def _json(self, cells: Sequence[tuple[str, str]]) -> str:
        """A row's values from the first column that has a name, or has one, as a JSON array."""
        first = min(self.header.names, default=0)
        first = next((column for column, (_, value) in enumerate(cells[:first]) if value), first)
        values = [self._text(self.spelling.kind(attributes), value) for attributes, value in cells[first:]]
        return json.dumps(values, ensure_ascii=False)

    def _array(self, attributes: Sequence[str], values: Sequence[str]) -> pa.Array:
        """A column. Most hold one kind of cell, and many the same values again and again."""
        import pyarrow as pa

        kinds = {found: self.spelling.kind(found) for found in set(attributes)}
        if len(set(kinds.values())) > 1:  # empty cells may be of any kind
            filled = {found for found, value in zip(attributes, values, strict=True) if value}
            kinds = {found: kinds[found] for found in filled}
        if len(set(kinds.values())) > 1:
            cells = [*zip(attributes, values, strict=True)]
            known = {(a, v): self._text(kinds[a], v) if v else None for a, v in set(cells)}
            return pa.array([known[cell] for cell in cells], pa.string())
        kind: Kind = next(iter(kinds.values()), "text")
        if kind == "shared":
            return self._taken(values)
        if kind == "number" and (found := numbers(values)) is not None:
            return found
        if kind == "date" and (found := moments(values, self.spelling)) is not None:
            return found
        if kind == "text" and "&" not in (joined := "\n".join(values)) and "_x" not in joined:
            return pa.array([value or None for value in values] if "" in values else values, pa.string())
        texts_of = {value: self._text(kind, value) for value in set(values)}
        return pa.array([texts_of[value] for value in values], pa.string())

    def _errors(self, column: int, attributes: Sequence[str], numbers: Sequence[str]) -> Mapping[int, str]:
        """Where cells of a column hold an error in place of a value."""
        odd = {found for found in set(attributes) if self.spelling.kind(found) == "error"}
        places = [place for place, found in enumerate(attributes) if found in odd] if odd else []
        return {place: f"{letters(column)}{numbers[place]}" for place in places}

    def _text(self, kind: Kind, value: str) -> str | None:
        return cell_text(self.spelling, self.shared, kind, value)

    def _taken(self, places: Sequence[str]) -> pa.Array:
        import pyarrow as pa

        try:
            found = pa.array([place or None for place in places] if "" in places else places, pa.string())
            return self.shared.take(found.cast(pa.int32()))
        except (pa.ArrowInvalid, pa.ArrowIndexError) as error:
            raise MalformedFile(
                "a cell names a shared text that the workbook lacks; save and upload it again", str(error)
            ) from error
