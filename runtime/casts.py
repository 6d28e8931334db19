"""Turns a column of strings into its field's type, and says which values can't be turned.

Casting is Arrow's, a whole column at a time. Only when that fails is the column halved until the values at fault
are alone, so the cost of a fault is paid by faulty columns only, and both ways agree on every value.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc

from runtime.arrow import NOTHING, any_true, texts
from runtime.contract import Field
from runtime.date_casts import cast_dates
from runtime.field import DEFAULT_FORMAT
from runtime.number_casts import cast_integers, cast_numbers, cast_years


def without_missing(strings: pa.Array, field: Field, *, trim: bool = False) -> pa.Array:
    """The strings with the field's missing values (Table Schema, ``missingValues``) as nulls.

    Space around a missing value of all but strings doesn't count. It is looked for here with ``trim``, or where the
    value with space could be one of the field's type; :func:`without_spaced_missing` finds the others in less time.
    """
    if field.type != "string" and (trim or _has_missing_that_is_a_value(field)):
        missing = pc.is_in(pc.utf8_trim_whitespace(strings), _trimmed_missing(field))
    elif set(field.missing_values) == {""}:
        lengths = pc.binary_length(strings)
        if pc.min(lengths).as_py() != 0:  # known in a third of the time that it takes to say which
            return strings
        missing = pc.equal(lengths, 0)
    else:
        missing = pc.is_in(strings, _texts(field.missing_values))
    return pc.if_else(missing, NOTHING, strings) if any_true(missing) else strings


def without_spaced_missing(strings: pa.Array, values: pa.Array, field: Field) -> pa.Array:
    """The strings with missing values that have space around them as nulls, too, of those that are no ``values``."""
    if field.type == "string":
        return strings
    faulty = pc.and_(values.is_null(), strings.is_valid())
    others = strings.filter(faulty)
    missing = pc.is_in(pc.utf8_trim_whitespace(others), _trimmed_missing(field))
    return pc.replace_with_mask(strings, faulty, pc.if_else(missing, NOTHING, others)) if any_true(missing) else strings


@lru_cache(1024)
def _has_missing_that_is_a_value(field: Field) -> bool:
    missing = _trimmed_missing(field)
    return any(cast(missing, field, native=native).null_count < len(missing) for native in (False, True))


@lru_cache(1024)
def _trimmed_missing(field: Field) -> pa.Array:
    return texts([text.strip() for text in field.missing_values])


def cast(strings: pa.Array, field: Field, *, native: bool = False) -> pa.Array:
    """The values of a field; null where the string is null or is no value of the field's type.

    Space around all but strings doesn't count. Times come as text, ``18:05:00``, with the fraction of the second
    if there is one: no type for them is known to all engines. ``native`` says that some values may be the
    file's own: numbers and booleans are then spelled as in JSON, and dates and datetimes as in ISO 8601, whatever the
    field says of texts.
    """
    match field.type:
        case "string":
            return strings
        case "boolean":
            return _booleans(pc.utf8_trim_whitespace(strings), field, native=native)
        case "integer":
            return cast_integers(strings, field, native=native)
        case "number":
            return cast_numbers(strings, field, native=native)
        case "year":
            return cast_years(strings)
        case _:
            return cast_dates(strings, field, native=native)


def cast_text(text: str, field: Field) -> pa.Scalar:
    """One value of a field, as a file spells it; null when the text is none."""
    return cast(texts([text]), field)[0]


@lru_cache(4096)
def constant(text: str, field: Field) -> pa.Scalar:
    """One value of a field, as its contract spells it, which is the default way; null when the text is none."""
    return cast_text(text, replace(field, formats=(DEFAULT_FORMAT,), decimal_char=".", group_char="", bare_number=True))


def _booleans(strings: pa.Array, field: Field, *, native: bool) -> pa.Array:
    true_values, false_values = field.true_values, field.false_values
    if native:
        true_values, false_values = (*true_values, "true"), (*false_values, "false")
    true = pc.is_in(strings, _texts(true_values))
    false = pc.is_in(strings, _texts(false_values))
    return pc.if_else(pc.or_(true, false), true, pa.scalar(None, pa.bool_()))


@lru_cache(4096)
def _texts(values: tuple[str, ...]) -> pa.Array:
    return texts(values)
