"""What of a contract only Arrow can tell: patterns, bounds and listed values, time zones, the digits of rules.

The validator can't ask: it runs without pyarrow. A contract is proved when it is loaded from its file.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from runtime import rules
from runtime.arrow import texts
from runtime.casts import constant
from runtime.contract import Contract, Field
from runtime.descriptor import Path, Problem
from runtime.faults import kind_by_default, whole
from runtime.tables import value_type


def problems_of(contract: Contract) -> Iterator[Problem]:
    """Every mistake of a contract that parsing it did not show."""
    zone = contract.descriptor.get("pipeline", {}).get("timeZone")
    unknown = zone is not None and not _is_zone(zone)
    if unknown:
        yield Problem(("pipeline", "timeZone"), "a time zone such as Europe/Berlin (IANA)", repr(zone))
    for position, field in enumerate(contract.fields):
        place: Path = ("schema", "fields", position, "constraints")
        if not (unknown and field.type == "datetime"):
            yield from _values(field, place)
        if field.constraints.pattern is not None:
            yield from _pattern(field.constraints.pattern, place)
    columns = {field.name: pa.nulls(0, value_type(field)) for field in contract.fields}
    for position, rule in enumerate(contract.rules):
        try:
            rules.broken(rule, columns)
        except pa.ArrowInvalid:
            expected = f"no number that may have more than {rules.MOST_DIGITS} digits; narrow the fields' decimals"
            yield Problem(("pipeline", "rules", position, "rule"), expected, repr(rule.text))


def _values(field: Field, place: Path) -> Iterator[Problem]:
    """Listed values and bounds that are no values of their field, and bounds that nothing is between."""
    given = field.constraints
    bounds = {
        "minimum": given.minimum,
        "exclusiveMinimum": given.exclusive_minimum,
        "maximum": given.maximum,
        "exclusiveMaximum": given.exclusive_maximum,
    }
    found = {name: constant(text, field) for name, text in bounds.items() if text is not None}
    for name, value in found.items():
        if not value.is_valid:
            yield Problem((*place, name), kind_by_default(field), repr(bounds[name]))
    for text in given.enum:
        if not constant(text, field).is_valid:
            yield Problem((*place, "enum"), kind_by_default(field), repr(text))
    low, high = (next((name for name in found if end in name.lower()), "") for end in ("min", "max"))
    if low and high and found[low].is_valid and found[high].is_valid:
        fits = pc.less_equal if "exclusive" not in low + high else pc.less
        if not fits(found[low], found[high]).as_py():
            yield Problem((*place, high), f"more than {low}, {bounds[low]}", repr(bounds[high]))


def _pattern(pattern: str, place: Path) -> Iterator[Problem]:
    try:
        pc.match_substring_regex(texts([""]), whole(pattern))
    except pa.ArrowInvalid as error:
        yield Problem((*place, "pattern"), f"a regular expression of RE2; {error}", repr(pattern))


def _is_zone(zone: str) -> bool:
    try:
        pc.assume_timezone(pa.scalar(0, pa.timestamp("us")), zone)
    except pa.ArrowInvalid:
        return False
    return True
