"""Rewrites dates of any pattern as ISO 8601, which Arrow casts, knowing what dates there are.

Where all values of a column are written in full, their parts are simply slices; a regular expression finds them
otherwise, at some five times the cost.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from runtime.arrow import all_true, texts
from runtime.date_pattern import MONTHS, DatePattern

_Parts = Mapping[str, pa.Array]

_ZERO = pa.scalar("00", pa.string())
_NOON = 12
_PIVOT = "69"
"""The first two-digit year of the 20th century (POSIX, ``strptime``, %y)."""

_TWO_DIGITS = texts([f"{number:02}" for number in range(24)])
_MONTHS = texts(MONTHS)
_HALVES = texts(["am", "pm"])


def as_iso(strings: pa.Array, pattern: DatePattern) -> pa.Array:
    """Dates and times in ISO 8601, as far as the pattern has them; null where a text isn't of the pattern.

    The numbers in them may still be such that there is no such date. Space around a value doesn't count.
    """
    parts = _sliced(strings, pattern)
    if parts is None:
        parts = _found(pc.utf8_trim_whitespace(strings), pattern)
    iso = [_date(parts)] if "day" in parts else []
    if "minute" in parts or "hour" in parts or "hour_of_12" in parts:
        iso.append(_time(parts))
    joined = iso[0] if len(iso) == 1 else pc.binary_join_element_wise(*iso, "T")
    return pc.binary_join_element_wise(joined, parts["offset"], "") if "offset" in parts else joined


def _sliced(strings: pa.Array, pattern: DatePattern) -> _Parts | None:
    """The parts, cut out at their places; None where some value isn't written in full."""
    if pattern.width is None or not all_true(pc.equal(pc.binary_length(strings), pattern.width)):
        return None
    data, start = strings.cast(pa.binary()), 0
    parts: dict[str, pa.Array] = {}
    for piece in pattern.pieces:
        end = start + (piece.width or 0)
        found = pc.binary_slice(data, start, end)
        if piece.part is None:
            if not all_true(pc.equal(found, piece.text.encode())):
                return None
        else:
            try:
                parts[piece.part] = found.cast(pa.string())
            except pa.ArrowInvalid:  # a character of several bytes was cut
                return None
        start = end
    return parts


def _found(strings: pa.Array, pattern: DatePattern) -> _Parts:
    found = pc.extract_regex(strings, pattern.expression)
    return {part: pc.struct_field(found, part) for part in pattern.parts}


def _date(parts: _Parts) -> pa.Array:
    year = parts["year"] if "year" in parts else _full_year(parts["short_year"])
    month = parts["month"] if "month" in parts else _month_of_name(parts["month_name"])
    return pc.binary_join_element_wise(year, _padded(month), _padded(parts["day"]), "-")


def _full_year(short: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise(pc.if_else(pc.greater_equal(short, _PIVOT), "19", "20"), short, "")


def _month_of_name(names: pa.Array) -> pa.Array:
    months = pc.index_in(pc.ascii_lower(pc.utf8_slice_codeunits(names, 0, 3)), _MONTHS)
    return _TWO_DIGITS.take(pc.add(months, 1))


def _time(parts: _Parts) -> pa.Array:
    hour = _padded(parts["hour"]) if "hour" in parts else _hour_of_day(_padded(parts["hour_of_12"]), parts["half"])
    minute, second = (_padded(parts[part]) if part in parts else _ZERO for part in ("minute", "second"))
    time = pc.binary_join_element_wise(hour, minute, second, ":")
    return pc.binary_join_element_wise(time, parts["fraction"], ".") if "fraction" in parts else time


def _hour_of_day(hour: pa.Array, half: pa.Array) -> pa.Array:
    """The hour of 24; null where one isn't from 1 to 12."""
    number = pc.index_in(hour, _TWO_DIGITS)
    number = pc.if_else(
        pc.and_(pc.greater(number, 0), pc.less_equal(number, _NOON)), number, pa.scalar(None, pa.int32())
    )
    number = pc.if_else(pc.equal(number, _NOON), pa.scalar(0, pa.int32()), number)
    afternoon = pc.index_in(pc.ascii_lower(half), _HALVES)
    return _TWO_DIGITS.take(pc.add(number, pc.multiply(afternoon, pa.scalar(_NOON, pa.int32()))))


def _padded(digits: pa.Array) -> pa.Array:
    return pc.ascii_lpad(digits, 2, "0")
