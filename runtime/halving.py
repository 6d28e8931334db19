"""Casts strings some of which may be no values of the type wanted, each of which becomes null."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from runtime.arrow import NOTHING, any_true

_TRIED = 1_000
"""Strings that are cast by themselves before all are."""


@dataclass(frozen=True)
class Spelling:
    """How values of a type are spelled, as patterns of RE2. They only save time: what is a value Arrow decides."""

    usual: str
    """Spellings that can be cast nearly always."""
    possible: str
    """All spellings that can be cast, and maybe others."""


def cast_strings(strings: pa.Array, target: pa.DataType, spelling: Spelling) -> pa.Array:
    """The strings in another type; null where one can't be cast. Space around them doesn't count.

    All are cast at once. Where that fails, what can't be cast is looked for by halving, the less likely strings by
    themselves.
    """
    # A cast that fails takes as long as one that doesn't, and its failures besides: where some fail, of the first most
    # often one does, and if all do, the very first.
    if all(can_cast(strings.slice(0, tried), target) for tried in (1, _TRIED) if tried < len(strings)):
        try:
            return strings.cast(target)
        except pa.ArrowInvalid:
            pass
    usual = pc.fill_null(pc.match_substring_regex(strings, spelling.usual), True)
    values = _halved(pc.if_else(usual, strings, NOTHING), target)
    unusual = pc.invert(usual)
    if not any_true(unusual):
        return values
    others = pc.utf8_trim_whitespace(strings.filter(unusual))
    possible = pc.match_substring_regex(others, spelling.possible)
    return pc.replace_with_mask(values, unusual, _halved(pc.if_else(possible, others, NOTHING), target))


def can_cast(strings: pa.Array, target: pa.DataType) -> bool:
    """Whether all the strings can be cast."""
    try:
        strings.cast(target)
    except pa.ArrowInvalid:
        return False
    return True


def _halved(strings: pa.Array, target: pa.DataType) -> pa.Array:
    try:
        return strings.cast(target)
    except pa.ArrowInvalid:
        if len(strings) == 1:
            return pa.nulls(1, target)
    middle = len(strings) // 2
    return pa.concat_arrays([_halved(strings[:middle], target), _halved(strings[middle:], target)])
