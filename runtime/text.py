"""Text for people to read on a terminal."""

from collections.abc import Iterator, Sequence
from typing import Any


def table_lines(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Iterator[str]:
    """The lines of a table with aligned columns; null is shown as nothing."""
    cells = [["" if value is None else printable(str(value)) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    for line in (columns, ["-" * width for width in widths], *cells):
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()


def printable(text: str) -> str:
    """The text with what would steer a terminal, or break a line, written out."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def count(number: int, what: str) -> str:
    """A number of things, such as `1 row` or `2,000 rows`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
