"""Reads a decoded YAML or JSON document piece by piece and collects every mistake with its place."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

Path = tuple[str | int, ...]
"""The way from a document's root to a value: property names and list positions."""


@dataclass(frozen=True)
class Problem:
    """One mistake of a document: where it is and what was expected there."""

    path: Path
    expected: str
    found: str = ""

    def __str__(self) -> str:
        place = ".".join(map(str, self.path)) or "the document"
        return f"{place}: expected {self.expected}" + (f", found {self.found}" if self.found else "")


class ContractError(ValueError):
    """A contract with mistakes, all of them in ``problems``."""

    def __init__(self, problems: Sequence[Problem], message: str = "") -> None:
        super().__init__(message or "\n".join(map(str, problems)))
        self.problems = tuple(problems)


class Section:
    """One mapping of the document. A mistake is noted, and reading goes on with the default."""

    def __init__(self, value: Any, path: Path, problems: list[Problem]) -> None:
        self._path = path
        self._problems = problems
        self._properties: dict[str, Any] = value if isinstance(value, dict) else {}
        if not isinstance(value, dict):
            self._problems.append(Problem(path, "a mapping", _shown(value)))

    def has(self, name: str) -> bool:
        """Whether the property is there."""
        return name in self._properties

    def problem(self, name: str, expected: str) -> None:
        """Note that the property has a mistake."""
        found = _shown(self._properties[name]) if name in self._properties else "nothing"
        self._problems.append(Problem((*self._path, name), expected, found))

    def problem_at(self, path: Path, expected: str, found: str) -> None:
        """Note a mistake that shows only beside another part of the document; ``path`` leads there from here."""
        self._problems.append(Problem((*self._path, *path), expected, found))

    def allow_only(self, known: Sequence[str], what: str = "a known property") -> None:
        """Note every property that isn't one of the known: a misspelt rule must not be a rule unheard."""
        for name in self._properties:
            if name not in known:
                close = difflib.get_close_matches(str(name), known, 1)
                hint = f" (did you mean {close[0]!r}?)" if close else f" ({', '.join(known)})"
                self._problems.append(Problem((*self._path, name), what + hint, repr(name)))

    def section(self, name: str, *, required: bool = False) -> Section:
        """The mapping under a property; an empty one where it is absent and not required."""
        if name not in self._properties and not required:
            return Section({}, (*self._path, name), self._problems)
        return Section(self._properties.get(name), (*self._path, name), self._problems)

    def sections(self, name: str, *, required: bool = False) -> list[Section]:
        """The list of mappings under a property, at least one; none where it is absent and not required."""
        if name not in self._properties and not required:
            return []
        value = self._properties.get(name)
        if not isinstance(value, list) or not value:
            self.problem(name, "a list with at least one entry")
            return []
        return [Section(item, (*self._path, name, position), self._problems) for position, item in enumerate(value)]

    def name(self, name: str, pattern: re.Pattern[str]) -> str:
        """A required identifier."""
        value = self._properties.get(name)
        if isinstance(value, str) and pattern.fullmatch(value):
            return value
        self.problem(name, "a name of lower-case letters, digits and underscores, beginning with a letter")
        return ""

    def text(self, name: str, default: str) -> str:
        """A text."""
        value = self._properties.get(name, default)
        if isinstance(value, str):
            return value
        self.problem(name, "a text (put it in quotes)")
        return default

    def texts(self, name: str, default: tuple[str, ...], least: int = 0) -> tuple[str, ...]:
        """A list of texts, at least so many where there is one; numbers are taken as they print."""
        if name not in self._properties:
            return default
        value = self._properties[name]
        if isinstance(value, list) and len(value) >= least and all(_is_scalar(item) for item in value):
            return tuple(map(str, value))
        self.problem(name, "a list of texts" + (f", at least {least}" if least else ""))
        return default

    def text_or_texts(self, name: str, default: tuple[str, ...]) -> tuple[str, ...]:
        """A text, or a list of texts with at least one; numbers are taken as they print."""
        if name not in self._properties:
            return default
        value = self._properties[name]
        values = value if isinstance(value, list) else [value]
        if values and all(_is_scalar(item) for item in values):
            return tuple(map(str, values))
        self.problem(name, "a text, or a list of texts")
        return default

    def character(self, name: str, default: str) -> str:
        """One character that can stand between digits."""
        value = self._properties.get(name, default)
        if value == default or (isinstance(value, str) and len(value) == 1 and value not in "0123456789+-eE()"):
            return str(value)
        self.problem(name, "one character, none of a number's own")
        return default

    def separator(self, name: str) -> str | None:
        """What stands between values, of one character or several; None when absent."""
        value = self._properties.get(name)
        if value is None or (isinstance(value, str) and value and not set(value) & set("\r\n\0")):
            return value
        self.problem(name, "one character or several, without line ends")
        return None

    def mark(self, name: str, *, empty: bool = False) -> str | None:
        """One character that encloses values, none where it may be empty; None when absent."""
        value = self._properties.get(name)
        if value is None or (empty and value == ""):
            return value
        if isinstance(value, str) and len(value) == 1 and value.isascii() and value not in "\r\n\0":
            return value
        self.problem(name, "one ASCII character" + (", or an empty text for none" if empty else ""))
        return None

    def numbers(self, name: str) -> tuple[int, ...]:
        """A list of whole numbers from 1."""
        value = self._properties.get(name, [])
        if isinstance(value, list) and all(type(item) is int and item > 0 for item in value):
            return tuple(sorted(set(value)))
        self.problem(name, "a list of whole numbers from 1")
        return ()

    def share(self, name: str, default: str) -> Decimal:
        """A part of a whole, from 0 to 1."""
        value = self._properties.get(name, default)
        if not isinstance(value, bool) and isinstance(value, (int, float, str)):
            try:
                share = Decimal(str(value))
            except InvalidOperation:
                share = Decimal(-1)
            if share.is_finite() and 0 <= share <= 1:
                return share
        self.problem(name, "a share from 0 to 1, such as 0.05")
        return Decimal(default)

    def scalar(self, name: str) -> str | None:
        """A text, number or date, as text."""
        value = self._properties.get(name)
        if value is None or _is_scalar(value):
            return None if value is None else str(value)
        self.problem(name, "one value")
        return None

    def integer(self, name: str, least: int, most: int | None = None) -> int | None:
        """A whole number between two bounds, or None when absent."""
        value = self._properties.get(name)
        if value is None:
            return None
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= (most or value):
            return value
        self.problem(name, f"a whole number of at least {least}" + (f" and at most {most}" if most else ""))
        return None

    def boolean(self, name: str, *, default: bool) -> bool:
        """true or false."""
        value = self._properties.get(name, default)
        if isinstance(value, bool):
            return value
        self.problem(name, "true or false")
        return default

    def choice(self, name: str, choices: Sequence[str], default: str | None) -> Any:
        """One of some words."""
        if name not in self._properties:
            return default
        value = self._properties[name]
        if isinstance(value, str) and value in choices:
            return value
        self.problem(name, "one of " + ", ".join(choices))
        return default


def _is_scalar(value: Any) -> bool:
    return isinstance(value, (str, int, float)) and not isinstance(value, bool)


def _shown(value: Any) -> str:
    shown = "nothing" if value is None else repr(value)
    return shown if len(shown) <= 60 else shown[:57] + "..."
