"""One column of a dataset: its type, how its values are spelled in files, and the rules that each value keeps.

Terms and defaults are those of Table Schema (Data Package v2, https://datapackage.org/standard/table-schema/).
``decimal``, ``path``, ``personal``, and lists of formats are our own. Needs no pyarrow.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from formats.dialect import normalise
from runtime.date_pattern import parse_pattern
from runtime.descriptor import Path, Section

FieldType = Literal["string", "number", "integer", "boolean", "date", "datetime", "time", "year"]
Personal = Literal["hash", "mask", "drop"]

FIELD_TYPES: tuple[str, ...] = get_args(FieldType)
PERSONAL: tuple[str, ...] = get_args(Personal)
DEFAULT_FORMAT = "default"
"""ISO 8601, as Table Schema says for each type."""
DEFAULT_TRUE_VALUES = ("true", "True", "TRUE", "1")
DEFAULT_FALSE_VALUES = ("false", "False", "FALSE", "0")
DEFAULT_PRECISION, DEFAULT_SCALE = 18, 4
MAXIMUM_PRECISION = 38
"""Decimals wider than this don't fit Hive's and Redshift's DECIMAL."""
NAME = re.compile(r"[a-z][a-z0-9_]{0,127}")

_PROPERTIES = (
    "name", "type", "title", "description", "example", "constraints", "missingValues", "path", "personal",
)  # fmt: skip
_DIGITS = ("groupChar", "bareNumber")
_PROPERTIES_OF: Mapping[str, tuple[str, ...]] = {
    "number": ("decimal", "decimalChar", *_DIGITS),
    "integer": _DIGITS,
    "boolean": ("trueValues", "falseValues"),
    "date": ("format",),
    "datetime": ("format",),
    "time": ("format",),
}
_ALWAYS = ("required", "unique")
_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
CONSTRAINTS = (*_ALWAYS, "enum", *_BOUNDS, "minLength", "maxLength", "pattern")
_CONSTRAINTS_OF: Mapping[str, tuple[str, ...]] = {
    "string": (*_ALWAYS, "enum", "minLength", "maxLength", "pattern"),
    "boolean": _ALWAYS,
    **dict.fromkeys(("number", "integer", "date", "datetime", "time", "year"), (*_ALWAYS, "enum", *_BOUNDS)),
}


@dataclass(frozen=True)
class Constraints:
    """The rules that one value keeps (Table Schema, *Field Constraints*).

    ``enum`` and the bounds are kept as text in the default spelling of the field's type, however files spell it.
    ``pattern`` is a regular expression of RE2 that the whole value matches.
    """

    required: bool = False
    unique: bool = False
    enum: tuple[str, ...] = ()
    minimum: str | None = None
    maximum: str | None = None
    exclusive_minimum: str | None = None
    exclusive_maximum: str | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None


@dataclass(frozen=True)
class Field:
    """One column of a dataset."""

    name: str
    type: FieldType
    description: str
    constraints: Constraints
    missing_values: tuple[str, ...]
    formats: tuple[str, ...] = (DEFAULT_FORMAT,)
    """Patterns of dates and times, to be tried in this order."""
    time_zone: str | None = None
    """The zone of dates and times that come without an offset; None when those are refused."""
    precision: int = DEFAULT_PRECISION
    scale: int = DEFAULT_SCALE
    decimal_char: str = "."
    group_char: str = ""
    bare_number: bool = True
    true_values: tuple[str, ...] = DEFAULT_TRUE_VALUES
    false_values: tuple[str, ...] = DEFAULT_FALSE_VALUES
    path: str | None = None
    """Where in nested objects the value is, names with dots between them."""
    personal: Personal | None = None
    """What is kept of a value that tells of a person."""

    @property
    def spelled_by_default(self) -> bool:
        """Whether files spell the values as Table Schema does when a field says nothing of it."""
        digits = (self.decimal_char, self.group_char, self.bare_number) == (".", "", True)
        return digits and self.formats == (DEFAULT_FORMAT,)


def parse_field(section: Section, missing_values: tuple[str, ...], time_zone: str | None) -> Field:
    """The field that a part of a contract states; ``missing_values`` are the dataset's."""
    type_ = section.choice("type", FIELD_TYPES, "string")
    section.allow_only((*_PROPERTIES, *_PROPERTIES_OF.get(type_, ())))
    precision, scale = _parse_decimal(section.section("decimal"))
    field = Field(
        name=section.name("name", NAME),
        type=type_,
        description=section.text("description", section.text("title", "")),
        constraints=_parse_constraints(section.section("constraints"), type_),
        missing_values=section.texts("missingValues", missing_values),
        formats=_parse_formats(section, type_, time_zone),
        time_zone=time_zone if type_ == "datetime" else None,
        precision=precision,
        scale=scale,
        decimal_char=section.character("decimalChar", "."),
        group_char=section.character("groupChar", ""),
        bare_number=section.boolean("bareNumber", default=True),
        true_values=section.texts("trueValues", DEFAULT_TRUE_VALUES, least=1),
        false_values=section.texts("falseValues", DEFAULT_FALSE_VALUES, least=1),
        path=_parse_path(section),
        personal=section.choice("personal", PERSONAL, None),
    )
    _check_together(field, section)
    return field


def _parse_decimal(section: Section) -> tuple[int, int]:
    section.allow_only(("precision", "scale"))
    precision = section.integer("precision", 1, MAXIMUM_PRECISION) or DEFAULT_PRECISION
    scale = section.integer("scale", 0, MAXIMUM_PRECISION)
    scale = DEFAULT_SCALE if scale is None else scale
    if scale > precision:
        default = "" if section.has("scale") else f" ({DEFAULT_SCALE} where nothing is said)"
        section.problem("scale", f"at most the precision, {precision}{default}")
    return precision, scale


def _parse_formats(section: Section, type_: str, time_zone: str | None) -> tuple[str, ...]:
    formats = section.text_or_texts("format", (DEFAULT_FORMAT,))
    if "format" not in _PROPERTIES_OF.get(type_, ()):
        return (DEFAULT_FORMAT,)
    for text in formats:
        if text == DEFAULT_FORMAT:
            continue
        try:
            pattern = parse_pattern(text, type_)
        except ValueError as error:
            section.problem("format", str(error))
        else:
            if type_ == "datetime" and "offset" not in pattern.parts and time_zone is None:
                section.problem("format", f"%z in {text!r}, or the zone of such times as pipeline.timeZone")
    if len(set(formats)) < len(formats):
        section.problem("format", "each pattern once")
    return formats


def _parse_path(section: Section) -> str | None:
    path = section.text("path", "")
    if section.has("path") and not all(path.split(".")):
        section.problem("path", "names with dots between them, such as customer.address.city")
    return path or None


def _parse_constraints(section: Section, type_: str) -> Constraints:
    section.allow_only(_CONSTRAINTS_OF[type_], f"a constraint of a {type_} field")
    for one, other in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if section.has(one) and section.has(other):
            section.problem(other, f"{one} or {other}, not both")
    constraints = Constraints(
        required=section.boolean("required", default=False),
        unique=section.boolean("unique", default=False),
        enum=section.texts("enum", (), least=1),
        minimum=section.scalar("minimum"),
        maximum=section.scalar("maximum"),
        exclusive_minimum=section.scalar("exclusiveMinimum"),
        exclusive_maximum=section.scalar("exclusiveMaximum"),
        min_length=section.integer("minLength", 0),
        max_length=section.integer("maxLength", 0),
        pattern=section.text("pattern", "") or None,
    )
    least, most = constraints.min_length, constraints.max_length
    if least is not None and most is not None and least > most:
        section.problem("maxLength", f"at least minLength, {least}")
    return constraints


def _check_together(field: Field, section: Section) -> None:
    """Note what is right by itself, but not beside the field's other properties."""
    if field.type == "number" and field.decimal_char == field.group_char:
        section.problem("groupChar", "another character than decimalChar")
    both = sorted(set(field.true_values) & set(field.false_values))
    if both:
        section.problem("falseValues", f"other values than trueValues; {both[0]!r} is in both")
    if field.personal in ("hash", "mask") and field.type != "string":
        section.problem("personal", f"drop, or a field of type string; a {field.type} can't be kept as a text")
    if field.personal in ("mask", "drop") and field.constraints.unique:
        section.problem("personal", "hash, where values are to be unique: no others can be told apart afterwards")


def names_in_files(field: Field, aliases: Sequence[str]) -> tuple[str, ...]:
    """The names that a file's column for the field may have, as they were written.

    The field's own name is none of them where its path leads through an object of that name.
    """
    if field.path is None:
        return (field.name, *aliases)
    own = () if field.path.startswith(f"{field.name}.") else (field.name,)
    return (field.path, *own, *aliases)


def parse_aliases(root: Section, pipeline: Section, fields: Sequence[Field]) -> dict[str, tuple[str, ...]]:
    """The names that each field has in files besides its own. No two fields may claim a name."""
    section = pipeline.section("aliases")
    section.allow_only(tuple(field.name for field in fields), "a field's name")
    aliases = {field.name: section.texts(field.name, ()) for field in fields}
    owners: dict[str, str] = {}
    for position, field in enumerate(fields):
        for name in names_in_files(field, aliases[field.name]):
            place: Path = ("schema", "fields", position, "path") if name == field.path else ("pipeline", "aliases")
            column = normalise(name)
            if owners.setdefault(column, field.name) != field.name:
                expected = f"names of its own for {field.name!r}; {column!r} belongs to {owners[column]!r} already"
                root.problem_at(place, expected, repr(name))
            for other in owners:
                inner, outer = (column, other) if len(column) > len(other) else (other, column)
                if inner.startswith(f"{outer}."):
                    expected = f"names that are not within one another; {inner!r} is within {outer!r}"
                    root.problem_at(place, expected, repr(name))
    return aliases
