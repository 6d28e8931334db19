"""Patterns of dates and times, in the words of ``strptime`` (Table Schema, *date*, *datetime* and *time*).

Names of months and days are English, in any case. What depends on a machine's locale (``%x``, ``%c``, ``%Z``) is not
known here: a file reads the same everywhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Part = Literal[
    "year", "short_year", "month", "month_name", "day", "hour", "hour_of_12", "half",
    "minute", "second", "fraction", "offset", "weekday",
]  # fmt: skip

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
"""What the months' names begin with, from which they can be told apart."""

_MONTH_NAMES = "january|february|march|april|may|june|july|august|september|october|november|december"
_DAY_NAMES = "monday|tuesday|wednesday|thursday|friday|saturday|sunday"
_ONE_OR_TWO = "[0-9]{1,2}"


@dataclass(frozen=True)
class Piece:
    """A stretch of a pattern: a part of a date, or text that stands for itself."""

    part: Part | None
    expression: str
    """What it matches (RE2)."""
    width: int | None
    """How many bytes it takes when written in full; None when that varies."""
    text: str = ""
    """The text of a piece that is no part."""


_DIRECTIVES: dict[str, Piece] = {
    "Y": Piece("year", "[0-9]{4}", 4),
    "y": Piece("short_year", "[0-9]{2}", 2),
    "m": Piece("month", _ONE_OR_TWO, 2),
    "b": Piece("month_name", f"(?i:{'|'.join(MONTHS)})", 3),
    "B": Piece("month_name", f"(?i:{_MONTH_NAMES})", None),
    "d": Piece("day", _ONE_OR_TWO, 2),
    "H": Piece("hour", _ONE_OR_TWO, 2),
    "I": Piece("hour_of_12", _ONE_OR_TWO, 2),
    "p": Piece("half", "(?i:am|pm)", 2),
    "M": Piece("minute", _ONE_OR_TWO, 2),
    "S": Piece("second", _ONE_OR_TWO, 2),
    "f": Piece("fraction", "[0-9]{1,6}", 6),
    "z": Piece("offset", "(?:Z|[+-][0-9]{2}:?[0-9]{2})", None),
    "a": Piece("weekday", "(?i:mon|tue|wed|thu|fri|sat|sun)", None),
    "A": Piece("weekday", f"(?i:{_DAY_NAMES})", None),
}
_DATE: tuple[Part, ...] = ("year", "month", "day")
_ALLOWED: dict[str, tuple[tuple[Part, ...], tuple[Part, ...]]] = {
    "date": (_DATE, ("weekday",)),
    "datetime": ((*_DATE, "hour"), ("half", "minute", "second", "fraction", "offset", "weekday")),
    "time": (("hour",), ("half", "minute", "second", "fraction")),
}
"""By type, the parts that a pattern must have, and those that it may have besides."""
_ALSO: dict[Part, Part] = {"short_year": "year", "month_name": "month", "hour_of_12": "hour"}
_NEEDS: dict[Part, Part] = {"second": "minute", "fraction": "second"}


@dataclass(frozen=True)
class DatePattern:
    """A pattern cut into its pieces."""

    text: str
    pieces: tuple[Piece, ...]

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts of a date that it has, in its order."""
        return tuple(piece.part for piece in self.pieces if piece.part)

    @property
    def width(self) -> int | None:
        """How many bytes every date takes that is written in full; None when that varies."""
        widths = [piece.width for piece in self.pieces]
        return None if None in widths else sum(width for width in widths if width is not None)

    @property
    def expression(self) -> str:
        """A regular expression (RE2) over whole values, a named group for each part."""
        found = []
        for position, piece in enumerate(self.pieces):
            beside = (*self.pieces[max(0, position - 1) : position], *self.pieces[position + 1 : position + 2])
            in_a_row = piece.expression == _ONE_OR_TWO and any(_is_digits(other) for other in beside)
            expression = "[0-9]{2}" if in_a_row else piece.expression
            found.append(f"(?P<{piece.part}>{expression})" if piece.part else expression)
        return "^" + "".join(found) + "$"


def parse_pattern(text: str, type_: str) -> DatePattern:
    """A pattern of a field of type date, datetime or time.

    Raises ``ValueError``, saying what was expected, when such values can't be read by it.
    """
    pieces: list[Piece] = []
    for directive, literal in re.findall(r"%(.?)|([^%]+)", text, re.DOTALL):
        if literal or directive == "%":
            literal = literal or "%"
            pieces.append(Piece(None, re.escape(literal), len(literal.encode()), literal))
        elif directive in _DIRECTIVES:
            pieces.append(_DIRECTIVES[directive])
        else:
            raise ValueError(f"directives of {', '.join('%' + known for known in _DIRECTIVES)}; not %{directive}")
    pattern = DatePattern(text, tuple(pieces))
    _check_parts(pattern, type_)
    return pattern


def _check_parts(pattern: DatePattern, type_: str) -> None:
    found = [_ALSO.get(part, part) for part in pattern.parts]
    required, optional = _ALLOWED[type_]
    missing = [part for part in required if part not in found]
    if missing:
        raise ValueError(
            f"'default' or a pattern with {' and '.join(missing)} for a {type_}, such as {_example(type_)}"
        )
    surplus = [part for part in found if part not in (*required, *optional)]
    if surplus:
        raise ValueError(f"a pattern without {' and '.join(surplus)} for a {type_}")
    if len(set(found)) < len(found):
        raise ValueError("each part of a date once")
    if ("hour_of_12" in pattern.parts) != ("half" in pattern.parts):
        raise ValueError("%I and %p together")
    for part, needed in _NEEDS.items():
        if part in found and needed not in found:
            raise ValueError(f"a pattern with {needed} where it has {part}")


def _example(type_: str) -> str:
    return {"date": "%d.%m.%Y", "datetime": "%d.%m.%Y %H:%M", "time": "%H:%M"}[type_]


def _is_digits(piece: Piece) -> bool:
    return piece.expression.startswith("[0-9]") or any(character.isdigit() for character in piece.text)
