"""The language of rules across columns: a comparison of sums and products of fields, such as ``a = b * (c - 1)``.

Grammar: ``sum`` (``=`` ``!=`` ``<`` ``<=`` ``>`` ``>=``) ``sum``; in a sum ``+ - * /``, brackets, numbers and names of
fields. Two fields that are no numbers can be compared when they are of one type.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

NUMERIC = ("integer", "number", "year")
COMPARISONS = ("=", "!=", "<=", ">=", "<", ">")

_TOKEN = re.compile(r"\s*(?:([0-9]+(?:\.[0-9]+)?)|([a-z][a-z0-9_]*)|(!=|<=|>=|[-+*/()=<>]))")
_MOST_DEEP = 50


@dataclass(frozen=True)
class Number:
    """A number that the rule itself names."""

    value: Decimal


@dataclass(frozen=True)
class Name:
    """A field."""

    field: str


@dataclass(frozen=True)
class Operation:
    """Two values and what is done with them: ``+``, ``-``, ``*`` or ``/``."""

    operator: str
    left: Expression
    right: Expression


Expression = Number | Name | Operation


@dataclass(frozen=True)
class Comparison:
    """What a rule states."""

    operator: str
    left: Expression
    right: Expression

    @property
    def names(self) -> tuple[str, ...]:
        """The fields that it is about, in order of appearance."""
        return tuple(dict.fromkeys((*_names(self.left), *_names(self.right))))


def parse_comparison(text: str, types: Mapping[str, str]) -> Comparison:
    """The comparison that a text states about fields of some types.

    Raises ``ValueError``, saying what was expected and where.
    """
    parser = _Parser(text)
    left = parser.sum()
    operator = parser.take(*COMPARISONS)
    if operator is None:
        raise parser.expected("a comparison (" + " ".join(COMPARISONS) + ")")
    right = parser.sum()
    if not parser.at_end:
        raise parser.expected("the end")
    comparison = Comparison(operator, left, right)
    _check_types(comparison, types)
    return comparison


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, int]] = []
        position = 0
        text = text.rstrip()
        while position < len(text):
            token = _TOKEN.match(text, position)
            if not token:
                raise ValueError(f"a comparison of fields and numbers; {text[position:].lstrip()[:20]!r} is none")
            self._tokens.append((token[0].strip(), token.start()))
            position = token.end()
        self._next = 0
        self._depth = 0

    @property
    def at_end(self) -> bool:
        return self._next == len(self._tokens)

    def take(self, *tokens: str) -> str | None:
        """The next token, if it is one of these."""
        if self.at_end or self._tokens[self._next][0] not in tokens:
            return None
        self._next += 1
        return self._tokens[self._next - 1][0]

    def expected(self, what: str) -> ValueError:
        before = " ".join(token for token, _ in self._tokens[: self._next]) or "the beginning"
        found = "nothing" if self.at_end else repr(self._tokens[self._next][0])
        return ValueError(f"{what} after {before!r}, not {found}")

    def sum(self) -> Expression:
        value = self._product()
        while operator := self.take("+", "-"):
            value = Operation(operator, value, self._product())
        return value

    def _product(self) -> Expression:
        value = self._atom()
        while operator := self.take("*", "/"):
            value = Operation(operator, value, self._atom())
        return value

    def _atom(self) -> Expression:
        if self.take("-"):
            return Operation("-", Number(Decimal(0)), self._atom())
        if self.take("("):
            self._depth += 1
            if self._depth > _MOST_DEEP:
                raise ValueError(f"at most {_MOST_DEEP} brackets in one another")
            value = self.sum()
            if not self.take(")"):
                raise self.expected("a closing bracket")
            self._depth -= 1
            return value
        if self.at_end or not self._tokens[self._next][0][0].isalnum():
            raise self.expected("a field, a number or an opening bracket")
        token = self._tokens[self._next][0]
        self._next += 1
        return Number(Decimal(token)) if token[0].isdigit() else Name(token)


def _names(expression: Expression) -> Iterator[str]:
    if isinstance(expression, Name):
        yield expression.field
    if isinstance(expression, Operation):
        yield from _names(expression.left)
        yield from _names(expression.right)


def _check_types(comparison: Comparison, types: Mapping[str, str]) -> None:
    for name in comparison.names:
        if name not in types:
            raise ValueError(f"names of fields ({', '.join(types)}); {name!r} is none")
    if not comparison.names:
        raise ValueError("a comparison with at least one field")
    other = [name for name in comparison.names if types[name] not in NUMERIC]
    if not other:
        return
    sides = (comparison.left, comparison.right)
    if not all(isinstance(side, Name) for side in sides) or len({types[name] for name in comparison.names}) > 1:
        raise ValueError(f"numbers, or two fields of one type; {other[0]!r} is a {types[other[0]]}")
    if types[other[0]] == "boolean" and comparison.operator not in ("=", "!="):
        raise ValueError("= or != between fields that are true or false")
