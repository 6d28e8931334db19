"""Columns as JSON text, a row an object, without a step for each row."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from runtime.arrow import NOTHING, any_true, texts

_CONTROL = r"[\x00-\x1f]"


def objects(names: Sequence[str], columns: Sequence[pa.Array]) -> pa.Array:
    """The rows of some columns of strings as JSON objects without their nulls; null for a row that has nothing.

    Several values that a row has under one name are the text of a JSON array there, in the columns' order.
    """
    by_name: dict[str, list[pa.Array]] = {}
    for name, column in zip(names, columns, strict=True):
        by_name.setdefault(name, []).append(_quoted(column))
    members = [
        pc.binary_join_element_wise(f",{json.dumps(name, ensure_ascii=False)}:", _together(values), "")
        for name, values in by_name.items()
    ]
    joined = pc.binary_join_element_wise(*(pc.fill_null(member, "") for member in members), "")
    filled = pc.binary_join_element_wise("{", pc.utf8_slice_codeunits(joined, 1), "}", "")
    return pc.if_else(pc.equal(pc.binary_length(joined), 0), NOTHING, filled)


def _together(values: Sequence[pa.Array]) -> pa.Array:
    """The JSON texts that stand under one name as one; null where a row has none."""
    if len(values) == 1:
        return values[0]
    first = pc.coalesce(*values)
    joined = pc.binary_join_element_wise(*values, ",", null_handling="skip")
    is_one = pc.equal(pc.binary_length(joined), pc.binary_length(first))
    return pc.if_else(is_one, first, _quoted(pc.binary_join_element_wise("[", joined, "]", "")))


def _quoted(strings: pa.Array) -> pa.Array:
    """Strings as JSON texts."""
    return pc.binary_join_element_wise('"', _escaped(strings), '"', "")


def _escaped(strings: pa.Array) -> pa.Array:
    escaped = pc.replace_substring(pc.replace_substring(strings, "\\", "\\\\"), '"', '\\"')
    control = pc.fill_null(pc.match_substring_regex(strings, _CONTROL), False)
    if not any_true(control):
        return escaped
    spelled = texts([json.dumps(value, ensure_ascii=False)[1:-1] for value in strings.filter(control).to_pylist()])
    return pc.replace_with_mask(escaped, control, spelled)
