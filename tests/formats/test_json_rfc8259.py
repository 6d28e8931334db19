"""JSON as RFC 8259 has it: what it allows is taken, what it forbids is refused with line and column.

In the categories of the public test suites: what has to be taken, what has to be refused, and what the standard leaves
to a reader, for which the outcome here is the one that loses nothing and guesses nothing.
"""

import io
import json
import re
from dataclasses import replace

import pyarrow as pa
import pytest

from formats import MalformedFile, MisjudgedCutError, Registry, TableDialect
from formats.json import Json, NdJson
from formats.limits import LIMITS
from formats.reading import Row, head_of, read, rows_of, values_of

TYPES = [pa.string(), pa.decimal128(8, 2), pa.int64(), pa.bool_()]
"""Each sends values another way: only what is as wanted is read many rows at once."""

ALLOWED = {
    "zero": "0",
    "minus zero": "-0",
    "a fraction": "-0.5",
    "a fraction of many digits": "0." + "1" * 400,
    "an exponent": "1e2",
    "an exponent with a sign": "1E+2",
    "a negative exponent": "123.456e-78",
    "a large whole number": "1" * 400,
    "true": "true",
    "false": "false",
    "null": "null",
    "an empty text": '""',
    "a space": '" "',
    "every short escape": r'"\"\\\/\b\f\n\r\t"',
    "an escape of four digits": r'"\u0041\u00e9\u20AC"',
    "an escaped null character": r'"a\u0000b"',
    "two escapes for one character": r'"\ud83d\udcda"',
    "an escaped backslash before a u": r'"\\u0000"',
    "letters of two, three and four bytes": '"é€📚"',
    "a delete character": '"\x7f"',
    "line separators": '"\u2028\u2029"',
    "a character that is none": '"\uffff\U0010ffff"',
    "a byte order mark within a text": '"\ufeff"',
    "an empty array": "[]",
    "an array": "[1, null, true]",
    "an array in an array": "[[]]",
    "an empty object": "{}",
    "an object": '{"a": {"b": []}}',
    "an empty name": '{"": 0}',
    "a name with an escape": r'{"a\u0062": 0}',
    "space of every kind": " \t1 \t",
}

FORBIDDEN = {
    "nothing": "",
    "a leading zero": "01",
    "a leading zero behind a minus": "-01",
    "a plus": "+1",
    "two minuses": "--1",
    "a minus alone": "-",
    "a point alone": ".",
    "no digit before the point": ".5",
    "no digit after the point": "1.",
    "no digit between point and exponent": "1.e2",
    "no digit in the exponent": "1e",
    "no digit behind the exponent's sign": "1e+",
    "a fraction in the exponent": "1e1.5",
    "hexadecimal digits": "0x1F",
    "a space in a number": "1 000",
    "an underscore in a number": "1_000",
    "a decimal comma": "1,5",
    "digits of another script": "１",
    "NaN": "NaN",
    "minus NaN": "-NaN",
    "nan in lower case": "nan",
    "Infinity": "Infinity",
    "minus Infinity": "-Infinity",
    "Inf": "Inf",
    "True as Python spells it": "True",
    "None": "None",
    "undefined": "undefined",
    "a word cut off": "tru",
    "single quotes": "'x'",
    "no quotes": "x",
    "curly quotes": "“x”",
    "an escape that is none": r'"\x41"',
    "an escaped letter": r'"\a"',
    "an escape of three digits": r'"\u00e"',
    "an escape with a letter that is no digit": r'"\u00eg"',
    "an escape with a sign": r'"\u+0e9"',
    "an escaped line end": '"\\\t"',
    "a tab in a text": '"a\tb"',
    "a null character in a text": '"a\0b"',
    "an escape character in a text": '"a\x1bb"',
    "a null character": "\0",
    "a form feed": "\f1",
    "a space without a break": "\u00a01",
    "a word joiner": "\u20601",
    "a byte order mark": "\ufeff1",
    "a comma at the end of an array": "[1,]",
    "a comma at its beginning": "[,1]",
    "two commas": "[1,,2]",
    "no comma": "[1 2]",
    "a colon in an array": "[1:2]",
    "an array not closed": "[1",
    "an array closed as an object": "[1}",
    "an array closed twice": "[1]]",
    "a comma at the end of an object": '{"a": 1,}',
    "two commas in an object": '{"a": 1,,"b": 2}',
    "no colon": '{"a" 1}',
    "two colons": '{"a":: 1}',
    "no name": "{: 1}",
    "no value": '{"a": }',
    "a name without quotes": "{a: 1}",
    "a number for a name": "{1: 1}",
    "a name in single quotes": "{'a': 1}",
    "an object closed as an array": '{"a": 1]',
    "a comment": "/* x */ 1",
    "a comment at the end": "1 // x",
    "a comment of a shell": "1 # x",
    "a tag": "<null>",
    "two values": '"a" "b"',
}

CONSTANTS = ("NaN", "Infinity", "-Infinity")
"""Of what is forbidden, what other readers of JSON take, and many writers write."""

UNDECIDED = {
    "half a character": (r'"\ud83d"', "surrogate"),
    "the other half": (r'"\udcda"', "surrogate"),
    "two first halves": (r'"\ud83d\ud83d"', "surrogate"),
    "the halves exchanged": (r'"\udcda\ud83d"', "surrogate"),
    "half a character in a name": (r'{"\ud83d": 1}', "surrogate"),
    "a name twice": ('{"a": 1, "a": 2}', "a name stands twice"),
    "a name twice, once with an escape": (r'{"a": 1, "\u0061": 2}', "a name stands twice"),
}
"""The standard lets a reader do as it likes (RFC 8259, sections 4, 8.2): who guesses gives a shop a wrong sale."""


class Pieces(io.BytesIO):
    """A stream that gives a few bytes at a time, as a socket may."""

    def __init__(self, data: bytes, most: int | None) -> None:
        super().__init__(data)
        self._most = most

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(size if self._most is None else self._most)


def rows_under(data: bytes, property_: str | None, most: int | None = None, head: bytes | None = None) -> list[Row]:
    """The rows of a document, of which the head shows what it shows, read again exactly where that is asked for."""
    dialect = TableDialect(property=property_)
    structure = Json().inspect(head_of(data if head is None else head), dialect)

    def attempt(*, exact: bool) -> list[Row]:
        return rows_of(Json().read(Pieces(data, most), replace(structure, exact=exact), lambda _: pa.string()))

    try:
        return attempt(exact=False)
    except MisjudgedCutError:
        return attempt(exact=True)


def document(value: str) -> bytes:
    return f'[{{"v": null}},\n{{"v": {value}}},\n{{"v": null}}]'.encode()


def lines(value: str) -> bytes:
    return f'{{"v": null}}\n{{"v": {value}}}\n{{"v": null}}\n'.encode()


@pytest.mark.parametrize("wanted", TYPES, ids=str)
@pytest.mark.parametrize("value", ALLOWED.values(), ids=ALLOWED)
def test_what_the_standard_allows_is_taken(value: str, wanted: pa.DataType) -> None:
    for format_, data in ((Json(), document(value)), (NdJson(), lines(value))):
        _, row, _ = read(format_, data, lambda _: wanted)
        assert row.reason == ""
        assert json.loads(row.raw) == json.loads(f'{{"v": {value}}}')
        assert row.values is not None
        found = row.values["v"]
        expected = json.loads(value, parse_int=str, parse_float=str)
        if isinstance(found, str) and not isinstance(expected, list | dict | bool):
            assert found == expected
        elif found is None:
            assert expected is None


@pytest.mark.parametrize("wanted", TYPES, ids=str)
@pytest.mark.parametrize("value", [value for value in FORBIDDEN.values() if value not in CONSTANTS])
def test_what_it_forbids_refuses_a_document_with_line_and_column(value: str, wanted: pa.DataType) -> None:
    with pytest.raises(MalformedFile, match=r"line [23], column [0-9]+: "):
        read(Json(), document(value), lambda _: wanted)


@pytest.mark.parametrize("wanted", TYPES, ids=str)
@pytest.mark.parametrize("value", CONSTANTS)
def test_constants_that_it_forbids_cost_a_row_of_a_document_since_its_end_is_known(
    value: str, wanted: pa.DataType
) -> None:
    _, row, _ = read(Json(), document(value), lambda _: wanted)
    assert row.values is None
    assert f"{value} is no JSON number" in row.reason


@pytest.mark.parametrize("wanted", TYPES, ids=str)
@pytest.mark.parametrize("value", FORBIDDEN.values(), ids=FORBIDDEN)
def test_what_it_forbids_costs_a_line_of_ndjson_itself_only(value: str, wanted: pa.DataType) -> None:
    before, row, after = read(NdJson(), lines(value), lambda _: wanted)
    assert row.values is None
    assert "the row is not JSON: " in row.reason
    assert before.values == after.values == {"v": None}


@pytest.mark.parametrize("wanted", TYPES, ids=str)
@pytest.mark.parametrize(("value", "reason"), UNDECIDED.values(), ids=UNDECIDED)
def test_what_it_leaves_open_costs_the_row_in_ndjson(value: str, reason: str, wanted: pa.DataType) -> None:
    before, row, after = read(NdJson(), lines(value), lambda _: wanted)
    assert row.values is None
    assert reason in row.reason
    assert before.values == after.values == {"v": None}


@pytest.mark.parametrize("wanted", TYPES, ids=str)
@pytest.mark.parametrize(("value", "reason"), UNDECIDED.values(), ids=UNDECIDED)
def test_what_it_leaves_open_costs_the_row_or_the_document(value: str, reason: str, wanted: pa.DataType) -> None:
    try:
        _, row, _ = read(Json(), document(value), lambda _: wanted)
    except MalformedFile as error:
        assert re.search(f"line 2, column 1: .*{reason}", str(error))  # noqa: PT017 - a row at fault is as right
    else:
        assert row.values is None
        assert reason in row.reason


@pytest.mark.parametrize("wanted", TYPES, ids=str)
@pytest.mark.parametrize(
    "row", ['{"v": 1, "w": 2, "w": 3}', '{"v": 1, "o": {"a": 1, "a": 2}}', '{"v": 1, "l": [{"a": 1, "a": 2}]}']
)
def test_a_name_that_stands_twice_counts_even_where_nobody_wants_it(row: str, wanted: pa.DataType) -> None:
    def only_v(name: str) -> pa.DataType | None:
        return wanted if name == "v" else None

    [found] = read(NdJson(), row.encode(), only_v)
    assert found.values is None
    assert "stands twice" in found.reason
    [found] = read(Json(), f"[{row}]".encode(), only_v)
    assert found.values is None
    assert "stands twice" in found.reason


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" ",
        b"\xef\xbb\xbf",
        b"[",
        b"{",
        b"]",
        b"[}",
        b'[{"v": 1}',
        b'[{"v": 1}}',
        b'[{"v": 1}]]',
        b'[{"v": 1}],',
        b'[{"v": 1}] x',
        b'[{"v": 1}]\0',
        b'[{"v": 1},]',
        b'[{"v": 1},,{"v": 2}]',
        b'[,{"v": 1}]',
        b'[{"v": 1} {"v": 2}]',
        b'[{"v": 1};{"v": 2}]',
        b'\xef\xbb\xbf\xef\xbb\xbf[{"v": 1}]',
        b'[\xef\xbb\xbf{"v": 1}]',
        b'/* x */ [{"v": 1}]',
        b'rows = [{"v": 1}]',
        b'{"rows": [{"v": 1}]',
        b'{"rows": [{"v": 1}],}',
        b'{"rows": [{"v": 1}], "n": 01}',
        b'{"rows" [{"v": 1}]}',
        b'{"rows": [{"v": 1}]}{}',
    ],
)
def test_a_document_whose_structure_the_standard_forbids_is_refused_with_its_place(data: bytes) -> None:
    with pytest.raises(MalformedFile, match=r"line 1, column [0-9]+: "):
        rows_under(data, None, head=b"[]")


@pytest.mark.parametrize(
    "sequence",
    [b"\xe9", b"\xff", b"\x80", b"\xc0\xaf", b"\xe0\x80\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xf0\x9f\x93"],
    ids=["latin", "no byte of any", "a rest alone", "overlong", "overlong too", "surrogate", "too large", "cut off"],
)
@pytest.mark.parametrize("wanted", TYPES, ids=str)
def test_bytes_that_are_not_utf8_are_refused_with_their_place(sequence: bytes, wanted: pa.DataType) -> None:
    with pytest.raises(MalformedFile, match=r"line 2, column 8: the text is not UTF-8.*export the file as UTF-8"):
        read(Json(), b'[{"v": 1},\n{"v": "' + sequence + b'"}]', lambda _: wanted)
    before, row = read(NdJson(), b'{"v": null}\n{"v": "' + sequence + b'"}\n', lambda _: wanted)
    assert before.values == {"v": None}
    assert row.values is None
    assert "UTF-8" in row.reason


# Hostile documents


def test_a_null_byte_is_refused_where_it_stands_and_not_as_an_unknown_format() -> None:
    document, lines = b'[{"v": "1"},\n{"v": "\0"}]', b'{"v": "1"}\n{"v": "\0"}\n{"v": "2"}\n'
    assert Registry().detect(head_of(document)).name == "json"
    with pytest.raises(MalformedFile, match="line 2, column 8: "):
        read(Json(), document)
    assert Registry().detect(head_of(lines)).name == "ndjson"
    assert values_of(read(NdJson(), lines)) == [{"v": "1"}, None, {"v": "2"}]


def test_a_number_of_a_million_digits_is_a_number() -> None:
    digits = "9" * 1_000_000
    for format_, data in ((Json(), f'[{{"v": {digits}}}]'), (NdJson(), f'{{"v": {digits}}}\n')):
        assert values_of(read(format_, data.encode(), lambda _: pa.decimal128(8, 2))) == [{"v": digits}]


@pytest.mark.parametrize("document", [b"[%s]", b'[{"v": %s}]', b'{"n": %s, "rows": []}'])
def test_a_number_without_end_is_refused_with_its_place(document: bytes) -> None:
    with pytest.raises(MalformedFile, match=r"line 1, column [0-9]+: .*at most 1,048,576 characters"):
        read(Json(), document % (b"9" * 32 * LIMITS.row_bytes))


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":'])
def test_a_document_of_opening_brackets_only_is_refused(opening: bytes) -> None:
    with pytest.raises(MalformedFile, match=r"line 1, column [0-9]+: "):
        rows_under(b"[" + opening * 100_000, None, head=b"[]")


def test_a_row_of_very_many_names_costs_no_more_than_itself() -> None:
    row = "{" + ",".join(f'"n{number}": 1' for number in range(60_000)) + "}"
    data = f'{{"v": 1}}\n{row}\n{{"v": 2}}\n'.encode()
    found = read(NdJson(), data, lambda name: pa.string() if name == "v" else None)
    assert values_of(found) == [{"v": "1"}, {"v": None}, {"v": "2"}]


# Rows under a path that the contract names


def under(property_: str, data: bytes, most: int | None = None) -> list[dict[str, str | None] | None]:
    rows = rows_under(data, property_, most)
    return [None if row.values is None else dict(row.values) for row in rows]


NESTED = (
    b'{"meta": [{"page": 1}], "data": {"count": 2, "data": [], "sales": [{"v": "1"}, {"v": "2"}],'
    b' "more": [{"v": "3"}]}, "sales": [{"v": "4"}]}'
)


@pytest.mark.parametrize("most", [1, 2, 7, None])
@pytest.mark.parametrize(
    ("property_", "expected"),
    [("data.sales", ["1", "2"]), ("data.more", ["3"]), ("sales", ["4"]), ("data.data", [])],
)
def test_rows_are_where_the_contract_says(property_: str, expected: list[str], most: int | None) -> None:
    assert under(property_, NESTED, most) == [{"v": value} for value in expected]


def test_where_the_contract_says_is_shown_with_the_columns_there() -> None:
    structure = Json().inspect(head_of(NESTED), TableDialect(property="data.sales"))
    assert structure.columns == ("v",)
    assert structure.details == {"property": "data.sales"}


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b'{"data": {"lines": []}}', "line 1, column 22: 'data' has no 'sales', where the contract's dialect.property"),
        (b'{"lines": []}', "the document has no 'data'"),
        (b'{"data": []}', "'data' is no object"),
        (b'{"data": {"sales": {"v": 1}}}', "'data.sales' is no array"),
        (b'[{"v": 1}]', "the document is no object"),
        (b'{"data": ]}', "expected an object"),
        (b'{"data": {"sales": ]}', "expected an array"),
        (b'{"data": {"sales": [{"v": 1}], "sales": [{"v": 2}]}}', "'sales' stands twice"),
        (b'{"data": {"sales": [{"v": 1}]}, "data": {}}', "'data' stands twice"),
        (b'{"data": {"sales": [{"v": 1}]}', "the object's end"),
    ],
)
def test_a_document_without_rows_there_or_with_two_of_them_is_refused(data: bytes, what: str) -> None:
    with pytest.raises(MalformedFile, match=re.escape(what)):
        rows_under(data, "data.sales", head=b'{"data": {"sales": [{"v": 1}]}}')


@pytest.mark.parametrize("line", [b'{"data": {"sales": {"v": 1}}}', b'{"data": {"sales": [{"v": 1}]}}'])
def test_lines_that_hold_rows_where_the_contract_says_are_refused(line: bytes) -> None:
    with pytest.raises(MalformedFile, match=r"dialect\.property leads into each line"):
        NdJson().inspect(head_of(line + b"\n" + line), TableDialect(property="data.sales"))


def test_lines_of_a_shop_that_has_documents_too_are_rows() -> None:
    assert NdJson().inspect(head_of(b'{"v": 1}\n{"v": 2}\n'), TableDialect(property="data.sales")).columns == ("v",)


def test_one_line_that_holds_its_rows_within_an_object_is_a_document() -> None:
    head = head_of(b'{"data": {"sales": [{"v": 1}]}}')
    assert NdJson().likelihood(head) < Json().likelihood(head)
