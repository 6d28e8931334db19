"""Finds the rows of a sheet in its text, as all writers of workbooks write them, without a parser."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from formats.sheet import letters

Found = tuple[str, ...]
"""A row: its number, attributes and value of each cell, and an empty text. One of another shape has only its text, at
the end."""

_MOST_GROUPS = 100
"""Cells that one expression has groups for: it takes long to compile with many, and keeps all of them at every cell."""


def row_finder(width: int, prefix: str) -> Callable[[str], list[Found]]:
    """Finds the rows with cells in up to so many columns.

    Nothing in the expressions can be matched in two ways, which their possessive quantifiers say: a row that doesn't
    match costs no more.
    """
    if width > _MOST_GROUPS:
        return _WideRows(width, prefix).find
    cells = "".join(rf"(?:{_cell(prefix, letters(column), '(')})?+" for column in range(width))
    return _row(prefix, cells).findall


def _row(prefix: str, cells: str) -> re.Pattern[str]:
    """A row with some cells, or else any text up to a row's end, which is the last group."""
    p = re.escape(prefix)
    beyond = rf'(?:<{p}c r="[A-Z]+[0-9]+"[^>/]*+/>)*+'
    row = rf'(?:\s*+<{p}row[^>/]*+/>)*+\s*+<{p}row r="([0-9]+)"[^>/]*+>{cells}{beyond}</{p}row>'
    return re.compile(rf"{row}|(.+?</{p}row>|.*\S.*)", re.DOTALL)


def _cell(prefix: str, column: str, group: str) -> str:
    """A cell of a column; ``group`` opens the groups of its attributes and its value."""
    p = re.escape(prefix)
    value = rf"(?:<{p}v>|<{p}is><{p}t[^<>]*>){group}[^<]*)(?:</{p}v>|</{p}t></{p}is>)"
    filled = rf">(?:<{p}f[^<]*+(?:</{p}f>)?+)?+(?:{value})?+</{p}c>"
    return rf'<{p}c r="{column}[0-9]+"{group}[^>/]*+)(?:/>|{filled})'


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
