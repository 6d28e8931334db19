"""Casts text to dates, datetimes and times of day, by the patterns of a field in their order."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc

from runtime.arrow import NOTHING, all_true, any_true
from runtime.contract import Field
from runtime.date_parts import as_iso
from runtime.date_pattern import DatePattern, parse_pattern
from runtime.field import DEFAULT_FORMAT
from runtime.halving import Spelling, can_cast, cast_strings

_MOST_DATES = (
    r"[0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))"
)
_DATE = f"({_MOST_DATES}|[0-9]{{4}}-02-29)"
_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?"
_OFFSET = r"(Z|[+-][0-9]{2}(:?[0-9]{2})?)"
_DATES = Spelling(f"^{_MOST_DATES}$", f"^{_DATE}$")
_INSTANTS = Spelling(f"^{_MOST_DATES}[T ]{_TIME}{_OFFSET}$", f"^{_DATE}[T ].*{_OFFSET}$")
_LOCAL_TIMES = Spelling(f"^{_MOST_DATES}[T ]{_TIME}$", f"^{_DATE}[T ]{_TIME}$")
_DATE_LENGTH = len("2025-12-31")
_SHORTEST_DATETIME = len("2025-12-31T18:05")

_INSTANT = pa.timestamp("us", "UTC")
_LOCAL = pa.timestamp("us")


@dataclass(frozen=True)
class _Read:
    """What a column says, row by row: one of these, or none where the row's text can't be read."""

    values: pa.Array | None
    local: pa.Array | None = None
    """Datetimes that came without an offset, whose zone is the field's."""


def cast_dates(strings: pa.Array, field: Field, *, native: bool = False) -> pa.Array:
    """Dates, instants in UTC, or times of day as text, after the field's type; null where a value is none.

    A local time that its zone skips, or has twice, is no instant. ``native`` says that values in ISO 8601 may be the
    file's own, which are taken whatever the field's format; of a datetime at midnight, a workbook has the date alone.
    """
    if native and field.formats != (DEFAULT_FORMAT,):
        field = replace(field, formats=(*field.formats, DEFAULT_FORMAT))
    # A regular expression takes as long as the cast. The lengths show that it isn't needed, most often.
    if native and field.type == "date" and any_true(pc.greater(pc.binary_length(strings), _DATE_LENGTH)):
        strings = pc.replace_substring_regex(strings, f"^({_DATE})[T ]00:00:00(\\.0+)?$", r"\1")
    elif (
        native
        and field.type == "datetime"
        and field.time_zone is not None
        and any_true(pc.equal(pc.binary_length(strings), _DATE_LENGTH))
    ):
        strings = pc.replace_substring_regex(strings, f"^({_DATE})$", r"\1T00:00:00")
    values = _cast(strings, field)
    within = _within_calendar(values, field)
    return values if within is None else pc.if_else(within, values, pa.scalar(None, values.type))


def _cast(strings: pa.Array, field: Field) -> pa.Array:
    """Dates, instants or times, of any year."""
    read = _read(strings, field)
    if read.local is None or field.time_zone is None:
        return read.values
    instants = _instants(read.local, field.time_zone)
    return instants if read.values is None else pc.coalesce(read.values, instants)


def _within_calendar(values: pa.Array, field: Field) -> pa.Array | None:
    """Which dates and datetimes are of the years 1 to 9999, in UTC and in the field's zone; None where all are.

    Others are another day to each engine, or none. An offset leads there too, or the zone that computed columns are in.
    """
    if pa.types.is_string(values.type):
        return None
    first, last = _ends(values.type, field.time_zone)
    found = pc.min_max(values)
    if not found["min"].is_valid or (first.value <= found["min"].value and found["max"].value <= last.value):
        return None
    return pc.and_(pc.greater_equal(values, first), pc.less_equal(values, last))


@lru_cache(1024)
def _ends(type_: pa.DataType, zone: str | None) -> tuple[pa.Scalar, pa.Scalar]:
    """The first and the last value of the years 1 to 9999."""
    if pa.types.is_date(type_):
        return pa.scalar(datetime.date.min), pa.scalar(datetime.date.max)
    zones = ("UTC", zone or "UTC")
    first, last = (
        [pc.assume_timezone(pa.scalar(end, _LOCAL), of).cast(_INSTANT).value for of in zones]
        for end in (
            datetime.datetime.combine(datetime.date.min, datetime.time.min),
            datetime.datetime.combine(datetime.date.max, datetime.time.max),
        )
    )
    return pa.scalar(max(first), _INSTANT), pa.scalar(min(last), _INSTANT)


def date_faults(strings: pa.Array, field: Field) -> Iterator[tuple[pa.Array, str]]:
    """Which dates and datetimes have no place in the calendar or in the field's zone, and how to say so."""
    within = _within_calendar(_cast(strings, field), field)
    if within is not None:
        where = f"in UTC or in {field.time_zone}" if field.time_zone else "in UTC"
        yield pc.invert(within), "is outside of the years 1 to 9999" + (f" {where}" if field.type == "datetime" else "")
    local = _read(strings, field).local if field.time_zone else None
    if local is not None:
        twice, skipped = _clock_changes(local, field.time_zone or "")
        yield twice, f"comes twice in {field.time_zone}, where clocks are put back; give its offset"
        yield skipped, f"is skipped in {field.time_zone}, where clocks are put forward"


def _read(strings: pa.Array, field: Field) -> _Read:
    """What the values say by the first pattern that reads them. What is read is no matter for the next pattern."""
    read = _by_format(strings, field, field.formats[0])
    for format_ in field.formats[1:]:
        rest = strings.is_valid()
        for found in (read.values, read.local):
            rest = rest if found is None else pc.and_(rest, found.is_null())
        if not any_true(rest):
            break
        more = _by_format(strings.filter(rest), field, format_)
        read = _Read(_merged(read.values, rest, more.values), _merged(read.local, rest, more.local))
    return read


def _merged(before: pa.Array | None, rest: pa.Array, more: pa.Array | None) -> pa.Array | None:
    if more is None:
        return before
    return pc.replace_with_mask(pa.nulls(len(rest), more.type) if before is None else before, rest, more)


def _by_format(strings: pa.Array, field: Field, format_: str) -> _Read:
    pattern = None if format_ == DEFAULT_FORMAT else _pattern(format_, field.type)
    iso = strings if pattern is None else as_iso(strings, pattern)
    if field.type == "time":
        return _Read(_times(iso))
    if field.type == "date":
        return _Read(cast_strings(iso, pa.date32(), _DATES))
    if pattern is None:
        return _default_datetimes(strings, field)
    return _Read(_cast_instants(iso)) if "offset" in pattern.parts else _Read(None, _cast_local(iso))


def _default_datetimes(strings: pa.Array, field: Field) -> _Read:
    """ISO 8601, with an offset; without one only where the field has a zone."""
    if field.time_zone is None:
        return _Read(_cast_instants(strings))
    if can_cast(strings.slice(0, 1), _LOCAL):
        local = _cast_local(strings)
        return _Read(_the_rest(strings, local, _cast_instants), local)
    instants = _cast_instants(strings)
    return _Read(instants, _the_rest(strings, instants, _cast_local))


def _the_rest(strings: pa.Array, found: pa.Array, cast: Callable[[pa.Array], pa.Array]) -> pa.Array | None:
    """Another cast of the strings that one cast could not read; None when there are none."""
    rest = pc.and_(found.is_null(), strings.is_valid())
    return _merged(None, rest, cast(strings.filter(rest))) if any_true(rest) else None


def _cast_instants(strings: pa.Array) -> pa.Array:
    return cast_strings(strings, _INSTANT, _INSTANTS)


def _cast_local(strings: pa.Array) -> pa.Array:
    """Local times. A date alone, which Arrow would take for its midnight, is none."""
    if not all_true(pc.greater_equal(pc.binary_length(strings), _SHORTEST_DATETIME)):
        long = pc.greater_equal(pc.binary_length(pc.utf8_trim_whitespace(strings)), _SHORTEST_DATETIME)
        strings = pc.if_else(long, strings, NOTHING)
    return cast_strings(strings, _LOCAL, _LOCAL_TIMES)


def _instants(local: pa.Array, zone: str) -> pa.Array:
    try:
        return pc.assume_timezone(local, zone).cast(_INSTANT)
    except pa.ArrowInvalid:
        twice, skipped = _clock_changes(local, zone)
    instants = pc.assume_timezone(local, zone, ambiguous="earliest", nonexistent="earliest").cast(_INSTANT)
    return pc.if_else(pc.or_(twice, skipped), pa.scalar(None, _INSTANT), instants)


def _clock_changes(local: pa.Array, zone: str) -> tuple[pa.Array, pa.Array]:
    """Which local times a zone has twice, and which it skips."""

    def instants(ambiguous: str, nonexistent: str) -> pa.Array:
        return pc.assume_timezone(local, zone, ambiguous=ambiguous, nonexistent=nonexistent)

    first = instants("earliest", "earliest")
    return (
        pc.fill_null(pc.not_equal(first, instants("latest", "earliest")), False),
        pc.fill_null(pc.not_equal(first, instants("earliest", "latest")), False),
    )


def _times(strings: pa.Array) -> pa.Array:
    """Times of day in one spelling, with seconds, and a fraction only where it isn't zero."""
    trimmed = pc.utf8_trim_whitespace(strings)
    lexical = pc.match_substring_regex(trimmed, f"^{_TIME}$")
    times = trimmed if all_true(lexical) else pc.if_else(lexical, trimmed, NOTHING)
    length = pc.binary_length(times)
    short = pc.equal(length, len("18:05"))
    if any_true(short):
        times = pc.if_else(short, pc.binary_join_element_wise(times, ":00", ""), times)
    if any_true(pc.greater(length, len("18:05:00"))):
        times = pc.replace_substring_regex(times, r"^(.*\.[0-9]*[1-9])0+$|^(.*)\.0+$", r"\1\2")
    return times


@lru_cache(1024)
def _pattern(text: str, type_: str) -> DatePattern:
    return parse_pattern(text, type_)
