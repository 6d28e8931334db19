"""JSON documents and JSON lines."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formats import Format, MalformedFile
from formats.conformance import FormatConformance, Sample
from formats.json import Json, NdJson
from formats.limits import LIMITS
from formats.reading import Row, blocks, head_of, read, values_of

SIZES = [1, 2, 7, 61, 4 * 1024 * 1024]
"""How many bytes the stream gives at a time."""


class TestJson(FormatConformance):
    format = Json()
    faulty = Sample(b'[{"a": "1"}, "oops", {"a": "2"}]', rows=[{"a": "1"}, None, {"a": "2"}])
    refused = b'[{"a": "1"}, {"a": '

    def encode(self, rows: Sequence[Mapping[str, str]]) -> bytes:
        return json.dumps(rows, indent=1, ensure_ascii=False).encode()


class TestJsonUnderAKey(FormatConformance):
    format = Json()
    faulty = Sample(b'{"sales": [{"a": "1"}, null, {"a": "2"}]}', rows=[{"a": "1"}, None, {"a": "2"}])
    refused = b'{"monday": [{"a": 1}], "tuesday": [{"a": 2}]}'

    def encode(self, rows: Sequence[Mapping[str, str]]) -> bytes:
        return json.dumps({"shop": "Éire", "count": 1.5, "sales": rows, "end": [1, 2]}, ensure_ascii=False).encode()


class TestNdJson(FormatConformance):
    format = NdJson()
    faulty = Sample(b'{"a": "1"}\n{"a": oops}\n{"a": "2"}\n', rows=[{"a": "1"}, None, {"a": "2"}])
    refused = b'{"a": "1"}\n{"long": "' + b"x" * 32 * LIMITS.row_bytes + b'"}\n'

    def encode(self, rows: Sequence[Mapping[str, str]]) -> bytes:
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


@pytest.fixture(params=SIZES)
def most(request: pytest.FixtureRequest) -> int:
    """How many bytes the stream gives at a time."""
    return int(request.param)


def values(data: bytes, most: int | None = None) -> list[Mapping[str, Any] | None]:
    return values_of(read(Json(), data, most=most))


@pytest.mark.parametrize(
    "document",
    [
        '[{"a": "1"}, {"a": "2"}]',
        '{"rows": [{"a": "1"}, {"a": "2"}]}',
        '{"shop": {"id": 1.5e3, "tags": []}, "open": true, "ids": [1, 2.5, [3]], "rows": [{"a": "1"}, {"a": "2"}]}',
        '{"rows": [{"a": "1"}, {"a": "2"}], "total": -12.75, "next": null, "more": {"a": [{"a": "3"}]}}',
        '\ufeff\n\t [ {"a":"1"}\r\n,{"a"\n:\n"2"}\n]\n\n',
    ],
)
def test_rows_are_found_in_an_array_or_under_a_key_with_members_before_and_after(document: str, most: int) -> None:
    assert values(document.encode(), most) == [{"a": "1"}, {"a": "2"}]


def test_the_key_that_the_rows_are_under_is_told() -> None:
    assert Json().inspect(head_of(b'{"shop": 1, "sales": [{"a": 1}]}')).details == {"rows under": "sales"}


def test_an_empty_array_before_the_rows_is_not_taken_for_the_rows(most: int) -> None:
    assert values(b'{"warnings": [], "sales": [{"a": "1"}]}', most) == [{"a": "1"}]


@pytest.mark.parametrize("document", [b"[]", b'{"rows": []}', b'{"shop": 1, "rows": [ ], "total": 0}'])
def test_an_array_without_rows_is_a_file_without_rows(document: bytes) -> None:
    assert values(document) == []


@pytest.mark.parametrize("space", ["", " ", "\n", "\r\n"], ids=["none", "blank", "line end", "line end of Windows"])
@pytest.mark.parametrize("document", ['{@"rows":[]@}', '{@"meta":{"page":1},@"rows":[]@}', '{@"shop":{@"sales":[]@}@}'])
def test_an_object_around_no_rows_is_a_document_whatever_its_white_space(document: str, space: str) -> None:
    head = head_of(document.replace("@", space).encode())
    assert Json().likelihood(head) > NdJson().likelihood(head)


@pytest.mark.parametrize("row", ['{"sku": "1", "tags": []}', '{"sale": {"sku": "1", "tags": []}}'])
def test_one_line_with_an_empty_list_beside_values_of_its_own_is_a_row(row: str) -> None:
    head = head_of(row.encode())
    assert NdJson().likelihood(head) > Json().likelihood(head)


@pytest.mark.parametrize("document", [b"{}", b'{"a": 1}', b'{"ids": [1, 2]}'])
def test_an_object_without_rows_under_any_key_is_refused(document: bytes) -> None:
    with pytest.raises(MalformedFile):
        read(Json(), document)


@pytest.mark.parametrize(
    "number", ["0.1", "1.10", "12345678901234567890.123456789", "1e2", "1E-7", "-0", "-0.0", "100", "1e400"]
)
def test_a_number_keeps_the_text_that_the_file_has(number: str) -> None:
    document = f'[{{"price": {number}, "more": {{"net": [{number}]}}}}]'
    assert values(document.encode()) == [{"price": number, "more": f'{{"net":[{number}]}}'}]
    line = f'{{"price": {number}, "more": {{"net": [{number}]}}}}'
    assert values_of(read(NdJson(), line.encode())) == [{"price": number, "more": f'{{"net":[{number}]}}'}]


def test_a_value_comes_as_its_text_and_a_nested_one_as_json(most: int) -> None:
    document = '[{"t": "é\\n\\u00e9", "n": null, "b": true, "f": false, "o": {"x": [1.50, "é", null]}, "l": []}, {}]'
    first, second = values(document.encode(), most)
    assert first == {"t": "é\né", "n": None, "b": "true", "f": "false", "o": '{"x":[1.50,"é",null]}', "l": "[]"}
    assert second is not None
    assert all(value is None for value in second.values())


def test_columns_that_only_later_rows_have_are_there(most: int) -> None:
    found = values(b'[{"a": "1"}, {"b": "2"}, {"a": "3", "c": "4"}]', most)
    assert [{name: value for name, value in (row or {}).items() if value} for row in found] == [
        {"a": "1"},
        {"b": "2"},
        {"a": "3", "c": "4"},
    ]


def test_an_element_that_is_no_object_is_a_malformed_row_with_its_text(most: int) -> None:
    found = read(Json(), b'[{"a": "1"}, 2.50, "x", null, [1], true, {"a": "2"}]', most=most)
    assert [row.raw for row in found if row.values is None] == ["2.50", '"x"', "null", "[1]", "true"]
    assert [row.position for row in found if row.values] == [0, 6]
    assert all("no object" in row.reason for row in found if row.values is None)


@pytest.mark.parametrize(
    ("lines", "place", "what"),
    [
        (['[{"a": 1},', ' {"a": 2},', ' {"a" 3}]'], (3, 7), "delimiter"),
        (['[{"a": 1},', ' {"a": 2}', ' {"a": 3}]'], (3, 2), "comma"),
        (['{"at": NaN, "rows": [{"a": 1}]}'], (1, 8), "NaN is no JSON number"),
        (['{"at": {"a": 2, "a": 3}, "rows": [{"a": 1}]}'], (1, 8), "a name stands twice"),
        (['[{"a": 1}] x'], (1, 12), "expected the document's end, but more follows"),
        (['{"a": 1} {"a": 2}'], (1, 10), "more follows; rows without an array around them belong on a line each"),
        (['[{"a": }]'], (1, 8), "from here on: expected value"),
        (['[{"a": 1 2}]'], (1, 10), "from here on: expected ',' delimiter"),
        (['[{"a": "\t"}]'], (1, 9), "from here on: invalid control character;"),
        (['[{"a": 1},', '{"a": "2'], (2, 7), "the file is cut off: unterminated string;"),
        (['[{"a": 1}'], (1, 10), "the file is cut off: expected a comma or the array's end"),
        (['[{"a": 1},', " {\"a\": '2'}]"], (2, 8), "value"),
        (['[{"a": 1}]', "]"], (2, 1), "document's end"),
        (['{"rows": [{"a": 1}],', '"b" 2}'], (2, 5), "colon"),
        (['{"rows": [{"a": 1}],', "2}"], (2, 1), "name in quotes"),
    ],
)
def test_a_fault_is_told_with_line_and_column(lines: list[str], place: tuple[int, int], what: str, most: int) -> None:
    with pytest.raises(MalformedFile, match=rf"line {place[0]}, column {place[1]}: .*{what}"):
        read(Json(), "\n".join(lines).encode(), most=most)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ('{"a": NaN}', "NaN is no JSON number"),
        ('{"a": -Infinity, "b": 1}', "-Infinity is no JSON number"),
        ('{"a": 2, "a": 3}', "a name stands twice in one object"),
        ('{"a": {"b": 1, "b": 2}, "c": ["]}"]}', "a name stands twice in one object"),
        ('{"a": ' + "[" * 100_000 + '"]"' + "]" * 100_000 + "}", "it is nested too deeply"),
    ],
)
def test_a_row_that_can_not_be_taken_but_ends_costs_itself_alone(row: str, reason: str, most: int) -> None:
    if len(row) > 1000 and most < 61:
        pytest.skip("takes long, a few bytes at a time")
    first, found, last = read(Json(), f'[{{"a": 1}}, {row}, {{"a": 3}}]'.encode(), most=most)
    assert (first.values, last.values) == ({"a": "1"}, {"a": "3"})
    assert (found.values, found.raw, found.reason) == (None, row, f"the row is not JSON: {reason}")


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ('{"a": {"b": [1, {"c": NaN}]}, "d": NaN}', "a.b.c"),
        ('{"a": 1, "b": NaN, "a": 2}', "b"),
        ('{"a": {"b": 1, "b": 2}, "c": NaN}', "a.b"),
        ('{"a": NaN, "a": 2}', "a"),
        ('{"a": 1, "a": NaN}', ""),
        ('{"a": ' + "[" * 200 + "NaN" + "]" * 200 + "}", ""),
        ("NaN", ""),
    ],
)
def test_what_a_row_is_refused_for_is_told_with_its_column_where_that_is_known(row: str, column: str) -> None:
    for format_, data in ((Json(), f"[{row}]"), (NdJson(), f"{row}\n")):
        [block] = blocks(format_, data.encode())
        [found] = block.parse().malformed
        assert found.column == column


def test_rows_deeper_in_a_document_are_told_with_what_to_write() -> None:
    with pytest.raises(MalformedFile, match=r"dialect: \{property: data.rows\} \(there are rows at web.sales\)"):
        Json().inspect(head_of(b'{"id": 1, "web": {"n": 1, "sales": [{"a": 1}]}}'))


def test_line_and_column_are_right_far_into_the_file(most: int) -> None:
    rows = ",\n".join(f'  {{"a": "é{number}"}}' for number in range(300))
    document = f'[\n{rows},\n  {{"é": "é", "b": oops}}\n]'
    column = document.splitlines()[301].index("oops") + 1
    with pytest.raises(MalformedFile, match=f"line 302, column {column}: "):
        read(Json(), document.encode(), most=most)


@pytest.mark.parametrize("document", [b'[{"a": 1}, {"a": ', b'[{"a": 1}', b'{"rows": [{"a": 1}]', b'[{"a": "1}]'])
def test_a_document_that_is_cut_off_is_refused(document: bytes) -> None:
    with pytest.raises(MalformedFile):
        read(Json(), document)


def test_a_document_cut_off_between_two_rows_is_refused_by_its_tail_alone() -> None:
    data = b"[" + b'{"a": "0123456789"},\n' * 10_000
    with pytest.raises(MalformedFile, match="cut off"):
        Json().inspect(head_of(data))


@pytest.mark.parametrize(
    ("begin", "end", "place"),
    [
        (b"[", b"]\nExported by till 7", (10_001, 1)),
        (b"[", b"]\n7", (10_001, 1)),
        (b'{"rows": [', b"]}  {}, {", (10_000, 24)),
        (b"sku,price\n", b"", (1, 1)),
    ],
)
def test_what_follows_a_document_far_behind_the_head_is_told_with_line_and_column(
    begin: bytes, end: bytes, place: tuple[int, int]
) -> None:
    rows = b",\n".join([b'{"a": "0123456789"}'] * 10_000)
    with pytest.raises(MalformedFile, match=rf"line {place[0]}, column {place[1]}: the file is not JSON from here on"):
        read(Json(), begin + rows + end)


def test_two_documents_in_one_file_are_refused() -> None:
    with pytest.raises(MalformedFile, match="document's end"):
        read(Json(), b'[{"a": 1}] [{"a": 2}]')


def test_half_a_character_costs_its_row_only(most: int) -> None:
    found = read(Json(), b'[{"a": "1"}, {"a": "\\ud83d"}, {"\\udc00": "3"}, {"a": "\\ud83d\\udcda"}]', most=most)
    assert values_of(found) == [{"a": "1"}, None, None, {"a": "📚"}]
    assert "surrogate" in found[1].reason
    assert found[1].raw == '{"a": "\\ud83d"}'


def test_nesting_without_end_costs_a_line_or_refuses_the_document_in_words() -> None:
    deep = b'{"a": ' + b"[" * 100_000
    with pytest.raises(MalformedFile, match="nested too deeply"):
        read(Json(), b"[" + deep + b"]")
    [good, bad] = read(NdJson(), b'{"a": "1"}\n' + deep)
    assert good.values == {"a": "1"}
    assert "nested too deeply" in bad.reason


@pytest.mark.parametrize("data", [b'[{"a": "caf\xe9"}]', b'[{"a": "1"}, {"a": "\xff"}]'])
def test_a_document_that_is_not_utf8_is_refused_with_the_remedy(data: bytes) -> None:
    with pytest.raises(MalformedFile, match=r"line 1.*export the file as UTF-8"):
        read(Json(), data)


def test_a_value_longer_than_a_row_may_be_is_refused_with_its_place() -> None:
    with pytest.raises(MalformedFile, match=r"line 2, column 1: .*at most 1,048,576 characters"):
        read(Json(), b'[{"a": "1"},\n{"a": "' + b"x" * 32 * LIMITS.row_bytes + b'"}]')


_awkward = st.text('{}[],:"\\ \na', max_size=8)
_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | _awkward,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
_objects = st.lists(st.dictionaries(st.text(max_size=3) | _awkward, _json, max_size=4), max_size=6)


def is_text_of(found: str | None, value: Any) -> bool:
    """Whether this is how a value is delivered: texts and null as they are, all else as its JSON."""
    if value is None or isinstance(value, str):
        return bool(found == value)
    return found is not None and json.loads(found, parse_float=str) == json.loads(json.dumps(value), parse_float=str)


@settings(max_examples=120, deadline=None)
@given(_objects, st.sampled_from([None, 0, 1, "\t"]), st.booleans(), st.sampled_from(SIZES))
def test_any_list_of_objects_in_any_white_space_comes_back(
    objects: list[dict[str, Any]], indent: int | str | None, ascii_only: bool, most: int
) -> None:
    try:
        data = json.dumps(objects, indent=indent, ensure_ascii=ascii_only).encode()
    except UnicodeEncodeError:
        data = json.dumps(objects, indent=indent).encode()
    found = read(Json(), data, most=most)
    assert len(found) == len(objects)
    for row, value in zip(found, objects, strict=True):
        if row.values is None:
            assert "surrogate" in row.reason
            assert "\\ud" in json.dumps(value)
        else:
            assert all(is_text_of(row.values[name], value[name]) for name in value)
            assert all(row.values[name] is None for name in row.values if name not in value)
        assert json.loads(row.raw) == value


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text('{}[],:"\\ a', max_size=12), max_size=12), st.sampled_from(SIZES[:-1]))
def test_brackets_within_texts_do_not_matter_wherever_blocks_end(texts: list[str], most: int) -> None:
    data = json.dumps([{"a": text} for text in texts]).encode()
    assert values(data, most) == [{"a": text} for text in texts]


def test_a_large_document_is_never_in_memory_whole() -> None:
    data = b"[" + b",".join([b'{"a": "x{y]z", "b": 1.50}'] * 250_000) + b"]"
    types = {"a": pa.string(), "b": pa.decimal128(8, 2)}
    counts = [block.parse().count for block in blocks(Json(), data, types.__getitem__)]
    assert sum(counts) == 250_000
    assert max(counts) < 225_000


# JSON lines


def lines_of(data: bytes) -> list[bytes]:
    return [line for line in data.removeprefix(b"\xef\xbb\xbf").split(b"\n") if line.strip(b" \t\r")]


def test_blank_lines_line_ends_of_windows_and_a_missing_last_one_are_all_the_same(most: int) -> None:
    data = b'\xef\xbb\xbf{"a": "1"}\r\n\n  \r\n{"a": "2"}\n\n{"a": "3"}'
    assert values_of(read(NdJson(), data, most=most)) == [{"a": "1"}, {"a": "2"}, {"a": "3"}]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"a":', "is not JSON: column 6"),
        (b'{"a": 1} {"a": 2}', "is not JSON: column 10"),
        (b'{"a": NaN}', "NaN is no JSON number"),
        (b'{"a": Infinity}', "Infinity is no JSON number"),
        (b'{"a": 1, "a": 2}', "a name stands twice"),
        (b'{"a": "\xe9"}', "not UTF-8"),
        (b'{"a": "\\ud800"}', "surrogate"),
        (b'{"a": "x\ty"}', "is not JSON"),
        (b"{'a': 1}", "is not JSON"),
        (b'{"a": 01}', "is not JSON"),
        (b"[1]", "no object"),
        (b"7", "no object"),
        (b"oops", "is not JSON"),
    ],
)
@pytest.mark.parametrize("wanted", [pa.string(), pa.decimal128(8, 2), pa.int64()], ids=str)
def test_a_line_that_is_no_object_costs_itself_only(line: bytes, reason: str, wanted: pa.DataType, most: int) -> None:
    found = read(NdJson(), b'{"a": 1}\n' + line + b'\n{"a": 2}\n', lambda _: wanted, most)
    assert [row.values is None for row in found] == [False, True, False]
    assert reason in found[1].reason
    assert found[1].raw == line.decode(errors="backslashreplace")


def test_lines_that_only_together_are_objects_are_each_malformed(most: int) -> None:
    found = read(NdJson(), b'{"a": "1"} {"a": "2"}\n{"a":\n"3"}\n', most=most)
    assert [row.values for row in found] == [None, None, None]


def test_the_columns_are_those_of_all_lines_of_the_head() -> None:
    assert NdJson().inspect(head_of(b'{"a": 1}\noops\n{"b": 2, "a": 3}\n')).columns == ("a", "b")


def test_a_wanted_column_that_the_head_did_not_show_is_delivered_all_the_same() -> None:
    head_rows = b'{"a": "1"}\n' * 10_000
    assert read(NdJson(), head_rows + b'{"b": "2"}\n')[-1].values == {"a": None, "b": "2"}


def test_a_line_longer_than_the_limit_is_refused_showing_where_it_begins() -> None:
    with pytest.raises(MalformedFile, match=r"longer than 1,048,576 bytes.*long"):
        read(NdJson(), b'{"a": "1"}\n{"long": "' + b"x" * 32 * LIMITS.row_bytes + b'"}\n')


@pytest.mark.parametrize("format_", [Json(), NdJson()])
def test_a_byte_order_mark_may_arrive_in_pieces(format_: Json | NdJson, most: int) -> None:
    data = b'\xef\xbb\xbf{"a": "1"}' if isinstance(format_, NdJson) else b'\xef\xbb\xbf[{"a": "1"}]'
    assert values_of(read(format_, data, most=most)) == [{"a": "1"}]


def test_numbers_are_read_exactly_into_the_wanted_type_or_stay_text() -> None:
    types = {"price": pa.decimal128(6, 2), "count": pa.int64(), "gift": pa.bool_()}
    data = b'{"price": 1.50, "count": 7, "gift": true}\n{"price": 2, "count": -1, "gift": null}\n'
    assert values_of(read(NdJson(), data, types.__getitem__)) == [
        {"price": Decimal("1.50"), "count": 7, "gift": True},
        {"price": Decimal("2.00"), "count": -1, "gift": None},
    ]
    too_exact = b'{"price": 1.505, "count": 7.5, "gift": "yes"}\n'
    assert values_of(read(NdJson(), too_exact, types.__getitem__)) == [
        {"price": "1.505", "count": "7.5", "gift": "yes"}
    ]


_line = st.sampled_from(
    [
        b'{"a": 1}',
        b'{"a": "x"}',
        b'{"b": null}',
        b"{}",
        b" ",
        b"\r",
        b"oops",
        b'{"a":',
        b"[1]",
        b"\xff",
        b"\xef\xbb\xbf",
    ]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(_line | st.binary(max_size=6), max_size=12).map(b"\n".join), st.sampled_from(SIZES))
def test_every_line_of_any_bytes_comes_out_once(data: bytes, most: int) -> None:
    def found(wanted: pa.DataType) -> list[Row]:
        return read(NdJson(), data, lambda _: wanted, most)

    assert len(found(pa.string())) == len(lines_of(data))
    assert [row.raw for row in found(pa.int64())] == [row.raw for row in found(pa.string())]


_READ_NULL_FIRST = r"""
import io
import pyarrow as pa
from formats import Structure
from formats.json import NdJson
lines = b'null\n{"a": "1"}\n'
[block] = NdJson().read(io.BytesIO(lines), Structure(("a",)), lambda _: pa.string())
print(*(row.reason for row in block.parse().malformed), sep="\n")
"""


def test_a_null_in_place_of_the_first_object_does_not_end_the_process() -> None:
    # In a process of its own: Arrow's parser has a segmentation fault here.
    process = subprocess.run([sys.executable, "-c", _READ_NULL_FIRST], capture_output=True, check=False)
    assert process.returncode == 0, process.stderr.decode()
    assert process.stdout.decode().strip() == "the row is no object with names and values, but null"


@pytest.mark.parametrize("wanted", [pa.string(), pa.decimal128(8, 2), pa.int64()], ids=str)
def test_a_null_in_place_of_an_object_is_malformed_in_a_clean_block_too(wanted: pa.DataType) -> None:
    found = read(NdJson(), b'{"a": 1}\nnull\n{"a": 2}\n', lambda _: wanted)
    assert [row.values is None for row in found] == [False, True, False]


def test_rows_under_two_keys_are_refused_since_one_table_cannot_be_both() -> None:
    with pytest.raises(MalformedFile, match="'tuesday'"):
        read(Json(), b'{"monday": [{"a": 1}], "tuesday": [{"a": 2}], "total": 2}')


def test_a_line_of_what_is_no_space_of_json_is_a_row_that_is_refused() -> None:
    one, none, two = read(NdJson(), b'{"a": 1}\n\x0c\n{"a": 2}\n')
    assert (one.values, none.values, two.values) == ({"a": "1"}, None, {"a": "2"})
    assert "is not JSON" in none.reason


@pytest.mark.parametrize("format_", [Json(), NdJson()], ids=["array", "lines"])
@pytest.mark.parametrize("number", ["9" * 128, "1" + "0" * 128, "340282366920938463463374607431768211606"])
def test_a_number_of_more_digits_than_a_decimal_has_keeps_them(format_: Format, number: str) -> None:
    lines = [f'{{"a":{number}}}' if row == 500 else f'{{"a":{row}.5}}' for row in range(1_000)]
    data = "\n".join(lines) if format_.name == "ndjson" else f"[{','.join(lines)}]"
    found = values_of(read(format_, data.encode(), lambda _: pa.decimal128(38, 4)))
    assert found[500] == {"a": number}


@pytest.mark.parametrize("bad", ['{"a":1,"a":2}', '{"a":NaN}', '{"a":-Infinity}'])
def test_lines_of_which_the_first_are_bad_are_json_lines_all_the_same(bad: str) -> None:
    head = head_of(f'{bad}\n{bad}\n{{"a":1}}\n'.encode())
    assert NdJson().likelihood(head) > Json().likelihood(head)
