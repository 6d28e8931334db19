"""Columns become JSON objects, a row each, however few of the columns a row has a value in."""

import json
from collections.abc import Sequence

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from runtime.json_text import objects

_TEXT = st.text(st.sampled_from('aé😀"\\\n\x01,:{}'), max_size=4)


@st.composite
def _columns(draw: st.DrawFn) -> tuple[list[str], list[list[str | None]]]:
    count = draw(st.integers(0, 6))
    names = draw(st.lists(_TEXT, min_size=1, max_size=6))
    values = st.lists(st.none() | _TEXT, min_size=count, max_size=count)
    return names, [draw(values) for _ in names]


@given(_columns())
def test_a_row_is_an_object_of_what_it_has(table: tuple[Sequence[str], Sequence[Sequence[str | None]]]) -> None:
    names, columns = table
    rows = [[*zip(names, row, strict=True)] for row in zip(*columns, strict=True)]

    found = objects(names, [pa.array(column, pa.string()) for column in columns]).to_pylist()

    assert [text and json.loads(text) for text in found] == [_object(row) for row in rows]


def _object(row: Sequence[tuple[str, str | None]]) -> dict[str, str] | None:
    """One value under a name is a text, several are the text of an array."""
    by_name: dict[str, list[str]] = {}
    for name, value in row:
        if value is not None:
            by_name.setdefault(name, []).append(value)
    return {name: found[0] if len(found) == 1 else _array(found) for name, found in by_name.items()} or None


def _array(values: Sequence[str]) -> str:
    return "[" + ",".join(json.dumps(value, ensure_ascii=False) for value in values) + "]"
