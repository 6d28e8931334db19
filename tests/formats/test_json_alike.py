"""Objects that are alike are read many at once, and come out as if each were read by itself."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formats import MalformedFile
from formats.format import Rows
from formats.json import Json, NdJson
from formats.json_alike import rows_alike
from formats.json_rows import rows_of
from formats.json_values import parsed
from formats.limits import LIMITS
from formats.reading import blocks, read, text

NAMES = ("id", "the title", "price", "sold")
TITLE = st.text(st.sampled_from('aaé😀 ,:{}[]"\\\n\t\x7f/0'), max_size=6) | st.sampled_from(
    ("", "null", '","price":', ",")
)
PRICE = st.sampled_from(
    ("1", "-0.50", "2e3", "null", "true", '"1"', "+1", "01", ".5", "1.", "NaN", "Infinity", "[1]", "{}")
)
DAMAGE = st.sampled_from(
    (
        lambda line: line,
        lambda line: line[: len(line) // 2],
        lambda line: line.replace(b'"', b"", 1),
        lambda line: line.replace(b",", b"", 1),
        lambda line: line.replace(b'",', b'"x,', 1),
        lambda line: line.replace(b'",', b'"",', 1),
        lambda line: line.replace(b'",', b'" ,', 1),
        lambda line: line.replace(b"price", b"id"),
        lambda line: line.replace(b"price", b"Price"),
        lambda line: line.replace(b"a", b"\xe9"),
        lambda line: line.replace(b"a", b"\\x"),
        lambda line: line.replace(b"a", b"\\u00e9"),
        lambda line: line.replace(b"a", b"\\ud800"),
        lambda line: line.replace(b"a", b"\x01"),
        lambda line: line.replace(b"a", b"\r"),
        lambda line: line + line,
        lambda line: line[:0] + b"7",
    )
)


@st.composite
def lines(draw: st.DrawFn) -> list[bytes]:
    """Objects of one style, of which few are damaged, have other names, or have them in another order."""
    comma, colon = draw(st.sampled_from(((",", ":"), (", ", ": "), (" , ", " : "))))
    in_ascii, nested = draw(st.booleans()), draw(st.booleans())
    found = []
    for number in range(draw(st.integers(1, 24))):
        is_odd = draw(st.integers(0, 9)) == 0
        values = [str(number), json.dumps(draw(TITLE), ensure_ascii=in_ascii), "1.50", "true"]
        if draw(st.booleans()):
            values[1] = "null"
        if is_odd:
            values[2] = draw(PRICE)
        members = [f'"{name}"{colon}{value}' for name, value in zip(NAMES, values, strict=True)]
        if nested:
            members[2:] = [f'"of{colon}"{colon}{{{comma.join(members[2:])}}}']
        if is_odd and draw(st.booleans()):
            members = draw(st.permutations(members))[: draw(st.integers(0, 4))]
        line = ("{" + comma.join(members) + "}").encode()
        found.append((draw(DAMAGE)(line) if is_odd else line).replace(b"\n", b""))
    return [stripped for line in found if (stripped := line.rstrip(b" \t\r"))]


def without(*unwanted: str) -> Any:
    return lambda name: None if name in unwanted else pa.string()


def judged(rows: Rows) -> list[Any]:
    """What became of each object, in order: its values, those that are null left out, or why it has none."""
    positions = range(rows.batch.num_rows) if rows.positions is None else rows.positions
    found: dict[int, Any] = {
        position: {name: value for name, value in values.items() if value is not None}
        for position, values in zip(positions, rows.batch.to_pylist(), strict=True)
    }
    found |= {row.position: (row.reason, row.raw) for row in rows.malformed}
    assert list(range(rows.count)) == sorted(found)
    assert list(positions) == sorted(positions)
    return [found[position] for position in sorted(found)]


@settings(max_examples=600, deadline=None)
@given(lines(), st.sampled_from((without(), without("of:", "of"), without("of: ", "price"), without("of : ", "id"))))
def test_alike_or_not_every_object_is_judged_as_by_itself(objects: list[bytes], wanted: Any) -> None:
    alike = rows_alike(objects, wanted, LIMITS, parsed)
    if alike is not None:
        assert judged(alike) == judged(rows_of([parsed(line) for line in objects], wanted, LIMITS))
        assert alike.raw(range(len(objects))) == [line.strip().decode(errors="backslashreplace") for line in objects]


ROWS = [
    {"id": f"T{n:04}", "title": f'The "Æ": {n}, {{a}}', "count": n, "card": None if n % 3 else "C\\1"}
    for n in range(40)
]
STYLES: Sequence[Mapping[str, Any]] = (
    {"separators": (",", ":"), "ensure_ascii": False},
    {"separators": (",", ":")},
    {"ensure_ascii": False},
    {},
)


@pytest.mark.parametrize("style", STYLES)
def test_the_styles_that_machines_write_are_known(style: Mapping[str, Any]) -> None:
    objects = [json.dumps(row, **style).encode() for row in ROWS]

    def never(_: bytes) -> None:
        raise AssertionError("an object was read by itself")

    alike = rows_alike(objects, text, LIMITS, never)
    assert alike is not None
    assert alike.batch.to_pylist() == [{**row, "count": str(row["count"])} for row in ROWS]


DAMAGED = [
    b'{"id": "T, "title": "x", "count": 1, "card": null}',
    b'{"id": "T\xe9", "title": "x", "count": 1, "card": null}',
    b'{"id": "T\\x", "title": "x", "count": 1, "card": null}',
    b'{"id": "T\\ud800", "title": "x", "count": 1, "card": null}',
    b'{"id": "T\t", "title": "x", "count": 1, "card": null}',
    b'{"id": "T", "title": "x""", "count": 1, "card": null}',
    b'{"id": "T", "title": "x"y, "count": 1, "card": null}',
    b'{"id": "T", "title": "x" "count": 1, "card": null}',
    b'{"id": "T", "title": "x", "count": 01, "card": null}',
    b'{"id": "T", "title": "x", "count": "1", "card": null}',
    b'{"id": "T", "title": 7, "count": 1, "card": null}',
]


@pytest.mark.parametrize("odd", [*DAMAGED, b'{"id":', b'{"card":1}', b"[]"])
def test_an_odd_object_among_many_alike_is_read_by_itself(odd: bytes) -> None:
    objects = [json.dumps(row).encode() for row in ROWS]
    objects.insert(7, odd)
    asked: list[bytes] = []

    def note(line: bytes) -> Any:
        asked.append(line)
        return parsed(line)

    assert rows_alike(objects, text, LIMITS, note) is not None
    assert asked == [odd]


def test_the_place_of_a_fault_counts_the_space_before_an_object() -> None:
    objects = [b"  " + json.dumps(row).encode() for row in [*ROWS, {"id": "bad"}]]
    objects[7] = b'  {"id": oops}'
    alike = rows_alike(objects, text, LIMITS, parsed)
    assert alike is not None
    assert [(row.position, row.raw) for row in alike.malformed] == [(7, '{"id": oops}')]
    assert "column 10" in alike.malformed[0].reason


def test_names_of_odd_objects_count_against_the_limits() -> None:
    objects = [json.dumps(row).encode() for row in ROWS]
    objects[5:8] = [json.dumps({f"n{n}": n}).encode() for n in range(3)]
    with pytest.raises(MalformedFile, match=r"limits\.cells"):
        rows_alike(objects, text, replace(LIMITS, cells=6 * len(objects)), parsed)


def test_a_name_with_a_dot_is_no_way_to_a_value() -> None:
    assert rows_alike([b'{"a.b":1,"a":{"b":2}}'] * 20, text, LIMITS, parsed) is None


def test_objects_of_two_kinds_are_not_alike() -> None:
    assert rows_alike([b'{"a":1}', b'{"b":1}'] * 20, text, LIMITS, parsed) is None


@pytest.mark.parametrize("odd", ["two", [2], 2.5, True, None])
def test_a_value_that_is_not_as_wanted_spoils_no_other(odd: Any) -> None:
    def wanted(name: str) -> pa.DataType:
        return pa.int64() if name == "count" else pa.string()

    rows: list[Any] = [*ROWS[:20], {**ROWS[20], "count": odd}, *ROWS[21:]]
    shown = [row.values for row in read(NdJson(), "".join(json.dumps(row) + "\n" for row in rows).encode(), wanted)]
    as_array = "[" + ",\n".join(json.dumps(row) for row in [*rows, {"id": "end"}]) + "]"
    elements = [row for block in blocks(Json(), as_array.encode(), wanted) for row in block.parse().batch.to_pylist()]
    for found in (shown, elements[:-1]):
        assert [values and values["title"] for values in found] == [row["title"] for row in rows]
        assert [str(values and values["count"]) for values in found[:20]] == [str(n) for n in range(20)]
        expected = None if odd is None else json.dumps(odd).strip('"')
        assert found[20] is not None
        assert found[20]["count"] == expected
