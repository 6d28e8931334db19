"""What rows have beside the values that are wanted is known from the first rows, and changes nothing of the others."""

from dataclasses import replace

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formats import Format
from formats.json import Json, NdJson
from formats.json_blocks import Lines, Stretch
from formats.json_rows import Asked, parse_typed, rows_of
from formats.json_values import parsed
from formats.limits import LIMITS
from formats.reading import Row, blocks, read

_BESIDE = [
    *("1", "1.5", "-0", "1e999", "123456789012345678901234567890", "null", "true", "NaN", "Infinity", "01", "-"),
    *("[]", "[1]", "[1.5]", "[null]", "[{}]", '[1,"x"]', "[NaN]"),
    *('"x"', '"2025-01-01T00:00:00Z"', '"NaN"', '"\\ud800"', '"\\n"'),
    *("{}", '{"c":1}', '{"c":"x"}', '{"c":[1]}', '{"c":1,"c":2}', '{"d":null}'),
]
_VALUES = ["1", '"x"', "null", '"\\u00e4"', "{}"]


def _wanted(column: str) -> pa.DataType | None:
    return pa.string() if column == "a" else None


@st.composite
def _lines(draw: st.DrawFn) -> list[str]:
    """Rows of which most have the same beside a value."""
    usual = draw(st.sampled_from(_BESIDE))
    beside = st.sampled_from([usual, usual, usual, *_BESIDE])
    rows = st.tuples(st.sampled_from(_VALUES), st.lists(st.tuples(st.sampled_from("bc"), beside), max_size=2))
    return [
        "{" + ",".join([f'"a":{value}', *(f'"{name}":{other}' for name, other in others)]) + "}"
        for value, others in draw(st.lists(rows, min_size=1, max_size=12))
    ]


@settings(max_examples=300, deadline=None)
@given(_lines(), st.sampled_from([1, 40, 200, 1 << 20]))
def test_a_row_is_taken_or_refused_whatever_other_rows_have_beside_what_is_wanted(lines: list[str], most: int) -> None:
    by_value = rows_of([parsed(line.encode()) for line in lines], _wanted, LIMITS)
    expected = [row.position for row in by_value.malformed]
    texts = by_value.batch.column("a").to_pylist() if by_value.batch.num_columns else [None] * by_value.batch.num_rows

    found = read(NdJson(), "\n".join(lines).encode(), _wanted, most)

    assert [row.position for row in found if row.values is None] == expected
    assert [_value(row) for row in found if row.values is not None] == texts
    assert [row.raw for row in found] == lines


def _value(row: Row) -> str | None:
    return (row.values or {}).get("a")


@pytest.mark.parametrize(("format_", "between", "frame"), [(NdJson(), "\n", "%s"), (Json(), ",\n", "[%s]")])
def test_what_the_first_rows_have_beside_is_read_in_later_blocks_without_guesses(
    format_: Format, between: str, frame: str
) -> None:
    row = '{"a":"%d","basket":{"device":"till","vouchers":["V12"],"weight":%s}}'
    rows = [row % (number, number if number < 10 else number / 2) for number in range(40)]

    found = [*blocks(format_, (frame % between.join(rows)).encode(), _wanted, 400)]

    stretches = [block for block in found if isinstance(block, Stretch | Lines)]
    assert len(stretches) > 2
    for block in stretches[1:]:
        assert parse_typed(block.data, block.asked, in_array=format_.name == "json") is not None


def test_places_for_values_within_arrays_count_too() -> None:
    names = ",".join(f'"n{number}":1' for number in range(100))
    limits = replace(LIMITS, cells=5_000)
    known = Asked([("a",), ("b",)], _wanted, limits).knowing(b'{"a":"x","b":[{%s}]}' % names.encode(), in_array=False)
    assert known.beside
    many = b'{"a":"x","b":[' + b",".join([b"{}"] * 1_000) + b"]}"
    assert parse_typed(many, known) is None
