"""How a file spells a table, as far as its contract says so; the rest is found in the file."""

from __future__ import annotations

import re
from dataclasses import dataclass

from formats.limits import LIMITS, Limits

_BETWEEN_WORDS = re.compile(r"[\s\-]+")


@dataclass(frozen=True)
class TableDialect:
    """The properties of a Table Dialect (Data Package v2, https://datapackage.org/standard/table-dialect/).

    None, or an empty tuple, means that a format has to find it out. A format passes over what is not about it.
    """

    delimiter: str | None = None
    """The character between values."""
    quote_char: str | None = None
    """The character around values that need it; empty where there is none."""
    escape_char: str | None = None
    """The character before one that would have a meaning otherwise."""
    skip_initial_space: bool | None = None
    """Whether space after a delimiter is no part of the value that follows."""
    header: bool | None = None
    """Whether there are lines that name the columns. Without them, ``columns`` does."""
    header_rows: tuple[int, ...] = ()
    """The lines that name the columns, from 1; their texts are joined by ``header_join``."""
    header_join: str = " "
    comment_rows: tuple[int, ...] = ()
    """Lines to pass over, from 1, blank ones and those of ``comment_char`` not counted."""
    comment_char: str | None = None
    """What a line to pass over begins with."""
    property: str | None = None
    """Where in a document the rows are, names with dots between them."""
    sheet_number: int | None = None
    """The sheet of a workbook, from 1."""
    sheet_name: str | None = None
    columns: tuple[str, ...] = ()
    """The names of the contract's fields in its order, for a file that has no header."""
    known: frozenset[str] = frozenset()
    """All names that the contract knows columns by, as :func:`normalise` gives them: by these a header is known."""
    limits: Limits = LIMITS
    """How much a file may have. No property of a Table Dialect: it comes along since who reads a file needs both."""


def normalise(column: str) -> str:
    """A column's name as it is compared: without case, with spaces and dashes as underscores."""
    return _BETWEEN_WORDS.sub("_", column.strip().strip("\ufeff").casefold())


AS_FOUND = TableDialect()
"""Nothing is said: all is found in the file."""
