"""What is wrong with the values of one field: for each rule the rows that break it, and how to say so."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from runtime.arrow import all_true, any_true
from runtime.casts import constant
from runtime.contract import Field
from runtime.date_casts import date_faults
from runtime.field import DEFAULT_FORMAT
from runtime.number_casts import integer_faults

_SHOWN = 80
_HIDDEN = "the value"

_KINDS: Mapping[str, str] = {
    "integer": "a whole number",
    "boolean": "true or false",
    "date": "a date such as 2025-12-31",
    "datetime": "a date and time with its offset, such as 2025-12-31T18:05:00+01:00",
    "time": "a time such as 18:05:00",
    "year": "a year of four digits",
}
_EXPLAIN: Mapping[str, Callable[[pa.Array, Field], Iterator[tuple[pa.Array, str]]]] = {
    "integer": integer_faults,
    "date": date_faults,
    "datetime": date_faults,
}
"""What more can be said of texts that look like values."""
_KINDS_IN_A_ZONE = "a date and time such as 2025-12-31T18:05:00"
_BOUNDS: tuple[tuple[str, str, Callable[..., pa.Array], str], ...] = (
    ("minimum", "minimum", pc.greater_equal, "less than"),
    ("maximum", "maximum", pc.less_equal, "more than"),
    ("exclusive_minimum", "exclusiveMinimum", pc.greater, "not more than"),
    ("exclusive_maximum", "exclusiveMaximum", pc.less, "not less than"),
)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a row: the column, the rule that is broken, and the reason in words."""

    column: str | None
    rule: str
    reason: str


@dataclass(frozen=True)
class Breach:
    """The rows that break a rule, and the reason with ``{value}`` where the value stands."""

    rows: pa.Array
    rule: str
    reason: str


def breaches(raw: pa.Array, values: pa.Array, field: Field) -> Iterator[Breach]:
    """The rules that some row breaks; none where all is well, which is what most blocks are."""
    if values.null_count > raw.null_count:
        yield from _not_of_the_type(raw, values, field)
    for passes, rule, reason in _rules(raw, values, field):
        if not all_true(passes):
            yield Breach(pc.invert(pc.fill_null(passes, True)), rule, reason)


def faults_of(breach: Breach, values: Sequence[object], field: Field) -> list[Fault]:
    """The faults of the rows that break a rule, in words, by their values. One that tells of a person is not shown."""
    before, shows, after = breach.reason.partition("{value}")
    texts = [quoted(value) if shows and not field.personal else _HIDDEN if shows else "" for value in values]
    return [Fault(field.name, breach.rule, f"{field.name}: {before}{text}{after}") for text in texts]


def quoted(value: object) -> str:
    """A value for people to read, shortened where it is long."""
    if value is None:
        return "nothing"
    text = str(value)
    return f'"{text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."}"'


def _not_of_the_type(raw: pa.Array, values: pa.Array, field: Field) -> Iterator[Breach]:
    at_fault = rest = pc.and_(values.is_null(), raw.is_valid())
    explain = _EXPLAIN.get(field.type)
    for mask, why in explain(raw.filter(at_fault), field) if explain else ():
        explained = pc.and_(rest, pc.replace_with_mask(at_fault, at_fault, pc.fill_null(mask, False)))
        if any_true(explained):
            yield Breach(explained, "type", "{value} " + why)
            rest = pc.and_not(rest, explained)
    if any_true(rest):
        yield Breach(rest, "type", "{value} is not " + _kind(field))


def _rules(raw: pa.Array, values: pa.Array, field: Field) -> Iterator[tuple[pa.Array, str, str]]:
    """For each rule the rows that pass; null, which is a matter of ``required``, passes the others."""
    rules = field.constraints
    if rules.required and raw.null_count:
        yield raw.is_valid(), "required", "is empty, but a value is required"
    if rules.enum:
        passes = pc.or_(values.is_null(), pc.is_in(values, _allowed(field)))
        yield passes, "enum", "{value} is none of " + ", ".join(rules.enum)
    for attribute, rule, compare, relation in _BOUNDS:
        bound: str | None = operator.attrgetter(attribute)(rules)
        if bound is not None:
            yield compare(values, constant(bound, field)), rule, f"{{value}} is {relation} {bound}"
    if rules.min_length is not None:
        passes = pc.greater_equal(pc.utf8_length(values), rules.min_length)
        yield passes, "minLength", f"{{value}} is shorter than {rules.min_length} characters"
    if rules.max_length is not None:
        passes = pc.less_equal(pc.utf8_length(values), rules.max_length)
        yield passes, "maxLength", f"{{value}} is longer than {rules.max_length} characters"
    if rules.pattern is not None:
        passes = pc.match_substring_regex(values, whole(rules.pattern))
        yield passes, "pattern", "{value} does not match the pattern " + rules.pattern


def whole(pattern: str) -> str:
    """A pattern that a whole value matches."""
    return f"^(?:{pattern})$"


@lru_cache(1024)
def _allowed(field: Field) -> pa.Array:
    scalars: list[Any] = [constant(text, field) for text in field.constraints.enum]
    return pa.concat_arrays([pa.repeat(scalar, 1) for scalar in scalars])


def kind_by_default(field: Field) -> str:
    """What a value of a field is, in its default spelling."""
    if field.type == "number":
        digits = field.precision - field.scale
        return f"a number with at most {digits} digits before and {field.scale} after the decimal point"
    return _KINDS_IN_A_ZONE if field.time_zone is not None else _KINDS[field.type]


def _kind(field: Field) -> str:
    if field.formats != (DEFAULT_FORMAT,):
        spelled = [f"such as {_example(field)}" if format_ == DEFAULT_FORMAT else format_ for format_ in field.formats]
        return f"a {field.type} {' or '.join(spelled)}"
    kind = kind_by_default(field)
    return kind.replace("the decimal point", repr(field.decimal_char)) if field.decimal_char != "." else kind


def _example(field: Field) -> str:
    return {"date": "2025-12-31", "datetime": "2025-12-31T18:05:00", "time": "18:05:00"}[field.type]
