"""Text for people to read on a terminal."""

from collections.abc import Iterator, Sequence
from typing import Any

_NARROWEST = 8
"""Characters that a column keeps, however many there are beside it."""
_GAP = "  "


def table_lines(columns: Sequence[str], rows: Sequence[Sequence[Any]], width: int | None = None) -> Iterator[str]:
    """The lines of a table with aligned columns; null is shown as nothing.

    Where a width is given, in characters, the longest cells are cut to let the lines fit into it.
    """
    cells = [["" if value is None else printable(str(value)) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    if width is not None:
        most = _widest_that_fits(widths, width - len(_GAP) * (len(widths) - 1))
        widths = [min(each, most) for each in widths]
    for line in (columns, ["-" * each for each in widths], *cells):
        yield _GAP.join(_cut(cell, each).ljust(each) for cell, each in zip(line, widths, strict=True)).rstrip()


def _widest_that_fits(widths: Sequence[int], room: int) -> int:
    """The width that columns may have at most for all of them to fit."""
    most = max(widths, default=0)
    while most > _NARROWEST and sum(min(each, most) for each in widths) > room:
        most -= 1
    return most


def _cut(cell: str, width: int) -> str:
    return cell if len(cell) <= width else cell[: width - 1] + "…"


def printable(text: str) -> str:
    """The text with what would steer a terminal, or break a line, written out."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def count(number: int, what: str) -> str:
    """A number of things, such as `1 row` or `2,000 rows`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
