"""Columns as JSON text, a row an object, without a step for each row."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from runtime.arrow import any_true, integers, texts

_CONTROL = r"[\x00-\x1f]"


def objects(names: Sequence[str], columns: Sequence[pa.Array]) -> pa.Array:
    """The rows of some columns of strings as JSON objects without their nulls; null for a row that has nothing.

    Several values that a row has under one name are the text of a JSON array there, in the columns' order.
    """
    by_name: dict[str, list[pa.Array]] = {}
    for name, column in zip(names, columns, strict=True):
        by_name.setdefault(name, []).append(column)
    members = _by_row([_members(name, values) for name, values in by_name.items()])
    filled = pc.binary_join_element_wise("{", pc.binary_join(members.texts, ","), "}", "")
    return filled.take(pc.index_in(pa.arange(0, len(columns[0])), value_set=members.rows))


class _Texts(NamedTuple):
    """Texts of some rows, or lists of them, and the rows' numbers in order; of rows that have none there is nothing."""

    rows: pa.Array
    texts: pa.Array


def _members(name: str, columns: Sequence[pa.Array]) -> _Texts:
    """What objects have under a name: the name and a JSON text."""
    found = _by_row([_present(column) for column in columns])
    joined = pc.binary_join(found.texts, ",")
    several = pc.greater(pc.list_value_length(found.texts), 1)
    if any_true(several):
        joined = pc.if_else(several, _quoted(pc.binary_join_element_wise("[", joined, "]", "")), joined)
    return _Texts(found.rows, pc.binary_join_element_wise(f"{json.dumps(name, ensure_ascii=False)}:", joined, ""))


def _present(column: pa.Array) -> _Texts:
    rows = pc.indices_nonzero(column.is_valid()).cast(pa.int64())
    return _Texts(rows, _quoted(column.take(rows)))


def _by_row(parts: Sequence[_Texts]) -> _Texts:
    """The texts of each row as a list, in the order of the parts.

    It takes as long as there are texts: of very many columns a row may have a few.
    """
    rows, found = (pa.concat_arrays(of_parts) for of_parts in zip(*parts, strict=True))
    order = pc.sort_indices(rows)  # which leaves what is of one row in its order
    runs = pc.run_end_encode(rows.take(order))
    ends = pa.concat_arrays([integers([0]).cast(pa.int32()), runs.run_ends.cast(pa.int32())])
    return _Texts(runs.values, pa.ListArray.from_arrays(ends, found.take(order)))


def _quoted(strings: pa.Array) -> pa.Array:
    """Strings as JSON texts."""
    return pc.binary_join_element_wise('"', _escaped(strings), '"', "")


def _escaped(strings: pa.Array) -> pa.Array:
    escaped = pc.replace_substring(pc.replace_substring(strings, "\\", "\\\\"), '"', '\\"')
    control = pc.match_substring_regex(strings, _CONTROL)
    if not any_true(control):
        return escaped
    spelled = texts([json.dumps(value, ensure_ascii=False)[1:-1] for value in strings.filter(control).to_pylist()])
    return pc.replace_with_mask(escaped, control, spelled)
