"""Text with delimiters, as tills and spreadsheets write it."""

import csv
import io
from collections.abc import Mapping, Sequence

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from formats import MalformedFile
from formats.conformance import FormatConformance, Sample
from formats.csv import Csv
from formats.limits import LIMITS
from formats.reading import blocks, head_of, read, rows_of, values_of

SIZES = [1, 2, 7, 61, 4 * 1024 * 1024]
"""How many bytes the stream gives at a time."""


class TestCsv(FormatConformance):
    format = Csv()
    faulty = Sample(b"a,b\n1,x\n2,x,surplus\n2,y\n", rows=[{"a": "1", "b": "x"}, None, {"a": "2", "b": "y"}])
    refused = b"a,b\n1," + b"x" * 32 * LIMITS.row_bytes + b"\n"

    def encode(self, rows: Sequence[Mapping[str, str]]) -> bytes:
        out = io.StringIO()
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
        return out.getvalue().encode()


class TestTabSeparated(FormatConformance):
    format = Csv()
    clean = Sample(b'a\tb\n1\tx, y\n2\t5" disk\n', rows=[{"a": "1", "b": "x, y"}, {"a": "2", "b": '5" disk'}])
    faulty = Sample(b"a\tb\n1\tx\n2\n2\ty\n", rows=[{"a": "1", "b": "x"}, None, {"a": "2", "b": "y"}])
    refused = b"a\tb\n1\t" + b"x" * 32 * LIMITS.row_bytes + b"\n"

    def encode(self, rows: Sequence[Mapping[str, str]]) -> bytes:
        lines = ["\t".join(rows[0]), *("\t".join(row.values()).replace('"', "'") for row in rows)]
        return "\n".join(lines).encode()


@pytest.fixture(params=SIZES)
def most(request: pytest.FixtureRequest) -> int:
    """How many bytes the stream gives at a time."""
    return int(request.param)


def rows(data: bytes, most: int | None = None) -> list[tuple[str, ...] | str]:
    """The values of each row, or the raw text of a row that has no place in the columns."""
    found = read(Csv(), data, most=most)
    return [row.raw if row.values is None else tuple(row.values.values()) for row in found]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(delimiter: str) -> None:
    data = "sku,title,price\n01,Salt,1.5\n02,Moons,2.5\n".replace(",", delimiter).encode()
    structure = Csv().inspect(head_of(data))
    assert structure.columns == ("sku", "title", "price")
    assert structure.details["delimiter"] == delimiter
    assert rows(data) == [("01", "Salt", "1.5"), ("02", "Moons", "2.5")]


def test_a_delimiter_within_values_is_not_taken_for_the_files_own() -> None:
    data = b'sku;title;price\n01;"a, b, c, d";1,50\n02;e, f;2,50\n'
    assert rows(data) == [("01", "a, b, c, d", "1,50"), ("02", "e, f", "2,50")]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("final", [True, False], ids=["with a final line end", "without"])
def test_lines_may_end_in_any_way(line_end: str, final: bool, most: int) -> None:
    data = line_end.join(["a,b", "1,x", "2,y"]) + line_end * final
    assert rows(data.encode(), most) == [("1", "x"), ("2", "y")]


def test_a_byte_order_mark_is_no_part_of_the_first_column(most: int) -> None:
    data = b'\xef\xbb\xbf"a",b\r\n1,x\r\n'
    assert Csv().inspect(head_of(data)).columns == ("a", "b")
    assert rows(data, most) == [("1", "x")]


def test_quoted_values_hold_delimiters_quotes_and_line_ends(most: int) -> None:
    data = b'a,b\n1,"x, y"\n2,"say ""hi"""\n3,"two\nlines"\n4,"three\r\n\r\nlines"\n"5",""\n6,""""\n'
    assert rows(data, most) == [
        ("1", "x, y"),
        ("2", 'say "hi"'),
        ("3", "two\nlines"),
        ("4", "three\r\n\r\nlines"),
        ("5", ""),
        ("6", '"'),
    ]


def test_the_raw_text_of_a_row_keeps_its_quotes_and_inner_line_ends(most: int) -> None:
    found = read(Csv(), b'a,b\r\n1,"two\r\nlines"\r\n"2",y\r\n', most=most)
    assert [row.raw for row in found] == ['1,"two\r\nlines"', '"2",y']


def test_a_header_may_hold_a_line_end(most: int) -> None:
    data = b'a,"b\n(net)"\n1,x\n'
    assert Csv().inspect(head_of(data)).columns == ("a", "b\n(net)")
    assert rows(data, most) == [("1", "x")]


def test_a_quote_within_a_value_is_just_a_character(most: int) -> None:
    data = b'a,b\n1,5" disk\n2,x "y" z\n3,z"\n4,w\n'
    assert rows(data, most) == [("1", '5" disk'), ("2", 'x "y" z'), ("3", 'z"'), ("4", "w")]


def test_a_quote_left_open_costs_one_row_not_the_file(most: int) -> None:
    data = b'a,b\n1,x\n2,"open\n3,y\n4,z\n5,w'
    assert rows(data, most) == [("1", "x"), '2,"open', ("3", "y"), ("4", "z"), ("5", "w")]


def test_a_quote_left_open_is_named_as_the_reason() -> None:
    [row] = [row for row in read(Csv(), b'a,b\n1,x\n2,"open\n3,y\n') if row.values is None]
    assert row.position == 1
    assert "none closes it" in row.reason


def test_a_quote_left_open_far_from_the_end_costs_one_row_too() -> None:
    line = "x" * 1000
    lines = [f"{number},{line}" for number in range(2500)]
    lines[10] = f'10,"{line}'
    data = "\n".join(["a,b", *lines]).encode()
    assert len(data) > 2 * LIMITS.row_bytes
    assert rows(data, 100_000) == [line if '"' in line else tuple(line.split(",")) for line in lines]


def test_a_row_with_too_few_or_too_many_values_is_given_back_as_it_stands(most: int) -> None:
    data = b'a,b\n1,x\n2\n3,y,"z\nz"\n4,w\n'
    assert rows(data, most) == [("1", "x"), "2", '3,y,"z\nz"', ("4", "w")]
    reasons = [row.reason for row in read(Csv(), data, most=most) if row.values is None]
    assert reasons == [
        "the row has 1 value, the header has 2 columns; fill in all values, quote line ends, or drop what is no record",
        "the row has 3 values, the header has 2 columns; put quotes around a value that holds the delimiter",
    ]


def test_blank_lines_are_no_rows(most: int) -> None:
    assert rows(b"\n\r\na,b\n\n1,x\n\r\n\n2,y\n\n\n", most) == [("1", "x"), ("2", "y")]


def test_a_header_alone_is_a_file_without_rows() -> None:
    assert rows(b"a,b\n") == []
    assert rows(b"a,b") == []


def test_an_empty_value_is_an_empty_text_not_a_missing_one() -> None:
    assert rows(b'a,b\n,x\n"",NULL\n') == [("", "x"), ("", "NULL")]


def test_a_row_that_is_not_utf8_is_given_back_and_the_others_stay(most: int) -> None:
    data = "a,b\n1,x\n2,caf\xe9\n3,caf\xc3\xa9\n".encode("latin-1")
    assert rows(data, most) == [("1", "x"), "2,caf\\xe9", ("3", "café")]
    [row] = [row for row in read(Csv(), data) if row.values is None]
    assert "UTF-8" in row.reason


@pytest.mark.parametrize("bad", [b"\xe9", b"1,2,\xe9", b"1,2,3,\xff\xfe"])
def test_a_row_that_is_neither_utf8_nor_as_wide_as_the_header_is_given_back(bad: bytes, most: int) -> None:
    assert rows(b"a,b\n1,x\n" + bad + b"\n2,y\n", most) == [
        ("1", "x"),
        bad.decode(errors="backslashreplace"),
        ("2", "y"),
    ]


def test_bytes_that_are_not_utf8_in_a_column_that_nobody_wants_cost_nothing(most: int) -> None:
    found = read(Csv(), b"a,b\n1,\xe9\n2,y\n", lambda name: pa.string() if name == "a" else None, most)
    assert values_of(found) == [{"a": "1"}, {"a": "2"}]


@pytest.mark.parametrize("before", [1, 20_000], ids=["within the head", "beyond the head"])
@pytest.mark.parametrize("bad", [b"2,\0y", b'2,"\0\ny"', b"\0", b"2,x,\0", b"\0\0\0\0"])
def test_a_row_with_a_nul_byte_is_given_back_wherever_it_stands(bad: bytes, before: int) -> None:
    found = read(Csv(), b"a,b\n" + b"1,x\n" * before + bad + b"\n3,z\n")
    assert [row.position for row in found if row.values is None] == [before]
    assert "NUL byte" in found[before].reason
    assert found[before].raw == bad.decode()
    assert found[-1].values == {"a": "3", "b": "z"}


def test_a_header_with_a_nul_byte_is_refused() -> None:
    with pytest.raises(MalformedFile, match="upload: the header has a NUL byte"):
        read(Csv(), b"a,\0b\n1,x\n2,y\n")


def test_other_control_characters_are_characters_wherever_they_stand() -> None:
    assert rows(b"a,b\n1,x\x01\n2,y\n" + b"1,x\n" * 20_000 + b"3,\x01")[::20_002] == [("1", "x\x01"), ("3", "\x01")]


def test_a_carriage_return_alone_in_a_file_of_line_feeds_keeps_rows_and_raw_texts_together(most: int) -> None:
    found = read(Csv(), b"a,b\n1,x\ry\n2,z\n", most=most)
    assert found[-1].values == {"a": "2", "b": "z"}
    assert found[-1].raw == "2,z"


def test_a_line_feed_within_quotes_does_not_hide_that_lines_end_in_carriage_returns(most: int) -> None:
    assert rows(b'a,b\r1,"x\ny"\r2,z\r', most) == [("1", "x\ny"), ("2", "z")]


@pytest.mark.parametrize("value", [b"y", b'"y'], ids=["unquoted", "quoted"])
def test_a_row_longer_than_the_limit_is_refused_showing_where_it_begins(value: bytes) -> None:
    data = b"a,b\n1,x\n2," + value + b"y" * 32 * LIMITS.row_bytes + value[:1] + b"\n3,z\n"
    reason = (
        r"longer than 1,048,576 bytes \(limits\.rowBytes of the contract\), the one after the first .* bytes"
        r" .*it begins '2,\"?yyy"
    )
    with pytest.raises(MalformedFile, match=reason):
        read(Csv(), data)


def test_a_row_of_many_lines_within_the_limit_is_one_row() -> None:
    value = "line\n" * 100_000
    assert rows(f'a,b\n1,"{value}"\n2,y\n'.encode(), 100_000) == [("1", value), ("2", "y")]


def test_a_header_longer_than_the_head_is_refused_by_the_limit_that_it_is_over() -> None:
    header = ",".join(f"column_nr_{number}" for number in range(6_004))
    with pytest.raises(MalformedFile, match="longer than 65,536 bytes, a fixed limit of CSV"):
        Csv().inspect(head_of(header.encode() + b"\n"))


def test_a_large_file_is_never_in_memory_whole() -> None:
    data = b"a,b\n" + b"1,xxxxxxxxxxxxx\n" * 1_000_000
    counts = [block.parse().count for block in blocks(Csv(), data)]
    assert sum(counts) == 1_000_000
    assert max(counts) < 500_000


_LINE_ENDS = {"\n": "\n\r", "\r\n": "\n\r", "\r": "\r"}


@st.composite
def tables(draw: st.DrawFn) -> tuple[bytes, list[tuple[str, ...]], int]:
    """A file as a careful program writes it, its values but for blank rows, and how many bytes come at a time."""
    line_end = draw(st.sampled_from(sorted(_LINE_ENDS)))
    delimiter = draw(st.sampled_from(",;\t|"))
    letters = st.sampled_from('"",;\t|' + _LINE_ENDS[line_end] + "ab é📚' ")
    width = draw(st.integers(2, 4))
    table = draw(st.lists(st.tuples(*[st.text(letters, max_size=6)] * width), max_size=8))

    def quoted(value: str) -> str:
        needed = any(character in value for character in '"\r\n' + delimiter)
        return '"' + value.replace('"', '""') + '"' if needed or draw(st.booleans()) else value

    header = delimiter.join(f"c{number}" for number in range(width))
    lines = [header, *(delimiter.join(map(quoted, row)) for row in table)]
    data = line_end.join(lines) + (line_end if draw(st.booleans()) else "")
    filled = [row for row, line in zip(table, lines[1:], strict=True) if line.strip(delimiter)]
    return data.encode(), filled, draw(st.sampled_from(SIZES))


@settings(max_examples=150, deadline=None)
@given(tables())
def test_what_was_written_by_the_rules_is_read_as_it_was(written: tuple[bytes, list[tuple[str, ...]], int]) -> None:
    data, table, most = written
    assert rows(data, most) == table


@settings(max_examples=200, deadline=None)
@example(b"h,i\n", '""a,\na"a', 1)
@given(
    st.sampled_from([b"h,i\n", b'h, "i"\n']),
    st.lists(st.sampled_from(['"', ",", ", ", "\n", "\r\n", "a"]), max_size=40).map("".join),
    st.sampled_from(SIZES[:-1]),
)
def test_a_files_rows_do_not_depend_on_where_its_blocks_end(header: bytes, content: str, most: int) -> None:
    data = header + content.encode()
    assert read(Csv(), data, most=most) == read(Csv(), data)


def test_a_quote_left_open_does_not_reach_into_a_later_rows_quotes() -> None:
    data = b'h,i\n"a,1\nb,2\n"c",3\nd,4\n'
    found = read(Csv(), data)
    assert [row.values for row in found] == [None, {"h": "b", "i": "2"}, {"h": "c", "i": "3"}, {"h": "d", "i": "4"}]
    assert found[0].raw == '"a,1'


def test_rows_that_all_have_a_quote_left_open_come_together_each_with_its_text() -> None:
    found = list(blocks(Csv(), b"a,b\n" + b'"x,1\n' * 100_000 + b"y,2\n", exact=True))
    rows = rows_of(found)
    assert len(found) < 10
    assert {row.raw for row in rows[:-1]} == {'"x,1'}
    assert all("none closes it" in row.reason for row in rows[:-1])
    assert (len(rows), rows[-1].values) == (100_001, {"a": "y", "b": "2"})


@pytest.mark.parametrize(
    ("header", "part", "outcomes"),
    [
        (b"a,b\n", b'w,0\n"x,1\nb,2\n"c",3\n', [("w", "0"), '"x,1', ("b", "2"), ("c", "3")]),
        (b"a\n", b'w\n"x\nb\n"c"\n', [("w",), '"x', ("b",), ("c",)]),
    ],
    ids=["two columns", "one column"],
)
def test_rows_with_a_quote_left_open_come_together_with_the_rows_between_them(
    header: bytes, part: bytes, outcomes: list[tuple[str, ...] | str]
) -> None:
    found = list(blocks(Csv(), header + part * 30_000, exact=True))
    outcome = [row.raw if row.values is None else tuple(row.values.values()) for row in rows_of(found)]
    assert len(found) < 10
    assert outcome == outcomes * 30_000


def test_a_row_with_a_quote_left_open_is_told_from_rows_of_any_text() -> None:
    text = "\ufffd"
    data = f'a,b\n{text}\n"x,1\nb,2\n"c",3\n{text},{text}\n'
    assert rows(data.encode()) == [text, '"x,1', ("b", "2"), ("c", "3"), (text, text)]


def test_bytes_that_are_no_text_are_told_from_a_long_run_of_what_stands_for_them() -> None:
    run = "\ufffd" * 300_000
    found = rows(f"a,b\n1,{run}\n2,".encode() + b"\xe9\n")
    assert found == [("1", run), "2,\\xe9"]


def test_a_header_that_does_not_end_within_the_head_is_refused_and_not_cut() -> None:
    names = ",".join(f"a_rather_long_name_{number}" for number in range(5_000))
    with pytest.raises(MalformedFile, match="upload: the first line is longer than 65,536 bytes"):
        read(Csv(), f"{names}\n1,2\n".encode())


_VALUES = st.sampled_from(
    ["a", '"a"', '"a"b', '"a""b"', 'a"b', '"a" b', '"a" ', ' "a"', '"', '""', "", '"a,b"', '"a\nb"']
)


@pytest.mark.parametrize("filler", [b"1,2\n", b'"1","2"\n'], ids=["rare", "everywhere"])
@settings(deadline=None, max_examples=50)
@example(b'","a,b"\na,a')
@given(st.lists(st.tuples(_VALUES, _VALUES).filter(any).map(",".join), max_size=4).map("\n".join).map(str.encode))
def test_rows_come_out_alike_wherever_quotes_are_rare_in_a_file_and_wherever_they_are_not(
    filler: bytes, rows: bytes
) -> None:
    # With a quote, so that both are of one dialect; and no blank line, below which another table begins where most rows
    # have numbers.
    header, few, many = b'x,"y"\n', 2, 20_000
    among_few = [(row.values, row.reason, row.raw) for row in read(Csv(), header + b"1,2\n" * few + rows)][few:]
    among_many = [(row.values, row.reason, row.raw) for row in read(Csv(), header + filler * many + rows)]
    assert among_many[many:] == among_few


def test_rows_between_two_with_a_quote_left_open_are_read_in_a_small_file() -> None:
    plain = [("2", "y")] * 2_000
    assert rows(b'a,b\n1,"x\n' + b"2,y\n" * 2_000 + b'4,"x,"y\n') == ['1,"x', *plain, '4,"x,"y']


@given(st.lists(st.tuples(_VALUES, _VALUES).map(",".join), max_size=6).map("\n".join).map(str.encode))
def test_a_quick_reading_and_an_exact_one_give_the_same_rows(data: bytes) -> None:
    data = b'x,"y"\n1,2\n' + data
    quick, exact = read(Csv(), data), rows_of(blocks(Csv(), data, exact=True))
    assert [(row.values, row.raw) for row in quick] == [(row.values, row.raw) for row in exact]
