"""Finds the rows of a sheet in its text, as all writers of workbooks write them, without a parser."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from formats.sheet import letters

Found = tuple[str, ...]
"""A row: its number, of each cell its value and perhaps before that its attributes, and an empty text. One of another
shape has only its text, at the end."""

_MOST_GROUPS = 100
"""Cells that one expression has groups for: it takes long to compile with many, and keeps all of them at every cell."""


@dataclass(frozen=True)
class RowFinder:
    """Finds the rows of a text, and knows what is where in them."""

    find: Callable[[str], list[Found]]
    values: Sequence[int]
    """The place of each column's value."""
    attributes: Sequence[int | str]
    """The place of each column's attributes, or these themselves where all its cells that have a value are alike."""

    def cells(self, row: Found) -> list[tuple[str, str]]:
        """Attributes and value of each column's cell."""
        attributes = (row[found] if isinstance(found, int) else found for found in self.attributes)
        return [*zip(attributes, (row[place] for place in self.values), strict=True)]


def in_groups(width: int) -> bool:
    """Whether a row of so many columns is found by one expression, and not cell by cell."""
    return width <= _MOST_GROUPS


def row_finder(width: int, prefix: str, alike: Mapping[int, str] = MappingProxyType({})) -> RowFinder:
    """Finds the rows with cells in up to so many columns.

    ``alike`` are the attributes that the cells of some columns have: a row with others there is one of another shape,
    but less is to be kept of each row. Nothing in the expressions can be matched in two ways, which their possessive
    quantifiers say: a row that doesn't match costs no more.
    """
    if not in_groups(width):
        return RowFinder(_WideRows(width, prefix).find, range(2, 2 * width + 1, 2), range(1, 2 * width, 2))
    cells, values, attributes = "", list[int](), list[int | str]()
    place = 1
    for column in range(width):
        name, known = letters(column), alike.get(column)
        cells += rf"(?:{_cell(prefix, name, '(') if known is None else _cell_like(prefix, name, known)})?+"
        if known is None:
            attributes.append(place)
            place += 1
        else:
            attributes.append(known)
        values.append(place)
        place += 1
    return RowFinder(_row(prefix, cells).findall, values, attributes)


def _row(prefix: str, cells: str) -> re.Pattern[str]:
    """A row with some cells, or else any text up to a row's end, which is the last group."""
    p = re.escape(prefix)
    beyond = rf'(?:<{p}c r="[A-Z]+[0-9]+"[^>/]*+/>)*+'
    row = rf'(?:\s*+<{p}row[^>/]*+/>)*+\s*+<{p}row r="([0-9]+)"[^>/]*+>{cells}{beyond}</{p}row>'
    return re.compile(rf"{row}|(.+?</{p}row>|.*\S.*)", re.DOTALL)


def _cell(prefix: str, column: str, group: str) -> str:
    """A cell of a column; ``group`` opens the groups of its attributes and its value."""
    p = re.escape(prefix)
    return rf'<{p}c r="{column}[0-9]+"{group}[^>/]*+)(?:/>|{_filled(p, group)})'


def _cell_like(prefix: str, column: str, attributes: str) -> str:
    """A cell of a column that has these attributes, or has no value."""
    p = re.escape(prefix)
    return rf'<{p}c r="{column}[0-9]+"(?:{re.escape(attributes)}{_filled(p, "(")}|[^>/]*+/>)'


def _filled(p: str, group: str) -> str:
    value = rf"(?:<{p}v>|<{p}is><{p}t[^<>]*>){group}[^<]*)(?:</{p}v>|</{p}t></{p}is>)"
    return rf">(?:<{p}f[^<]*+(?:</{p}f>)?+)?+(?:{value})?+</{p}c>"


class _WideRows:
    """Rows of many columns, cell by cell."""

    def __init__(self, width: int, prefix: str) -> None:
        self._width = width
        self._names = tuple(map(letters, range(width)))
        self._places = {name: column for column, name in enumerate(self._names)}
        self._cell = re.compile(_cell(prefix, "([A-Z]+)", "("))
        self._row = _row(prefix, f"((?:{_cell(prefix, '[A-Z]+', '(?:')})*+)")

    def find(self, text: str) -> list[Found]:
        """The rows of a text."""
        return [self._found(match) for match in self._row.finditer(text)]

    def _found(self, row: re.Match[str]) -> Found:
        number, cells, _ = row.groups()
        values = None if number is None else self._values(self._cell.findall(cells))
        return ("", *[""] * (2 * self._width), row[0]) if values is None else (number, *values, "")

    def _values(self, cells: Sequence[tuple[str, str, str]]) -> list[str] | None:
        """Attributes and value of each column's cell; None where cells aren't in order, or go on with some value."""
        values = [""] * (2 * self._width)
        names, attributes, texts = zip(*cells, strict=True) if cells else ((), (), ())
        if names == self._names[: len(names)]:
            values[: 2 * len(names) : 2], values[1 : 2 * len(names) : 2] = attributes, texts
            return values
        before = -1
        for name, attribute, text in cells:
            place = self._places.get(name, self._width)
            if place < self._width:
                if place <= before:
                    return None
                values[2 * place], values[2 * place + 1] = attribute, text
            elif text:
                return None
            before = place
        return values
