"""Any delimiter that a contract states, and headers that begin as JSON and XML do."""

from dataclasses import replace
from typing import BinaryIO, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formats import AS_FOUND, Head, MalformedFile, MisjudgedCutError, TableDialect
from formats.csv import Csv
from formats.csv_delimiter import with_stand_in
from formats.format import HEAD_SIZE
from formats.reading import Row, Trickle, head_of, rows_of, text, values_of
from formats.registry import Registry

DELIMITERS = ("||", "::", "§", "¦", "\u2063", " - ", "\x01", "\x1f", "\x1e", "!")


def stream(data: bytes, most: int) -> BinaryIO:
    return cast(BinaryIO, Trickle(data, most))


def read(content: str, dialect: TableDialect, most: int = 1 << 20) -> list[Row]:
    data = content.encode()
    structure = Csv().inspect(head_of(data), dialect)
    try:
        return rows_of(Csv().read(stream(data, most), structure, text))
    except MisjudgedCutError:
        return rows_of(Csv().read(stream(data, most), replace(structure, exact=True), text))


@pytest.mark.parametrize("delimiter", DELIMITERS)
@pytest.mark.parametrize("most", [1, 2, 3, 1 << 20])
def test_any_delimiter_can_be_stated(delimiter: str, most: int) -> None:
    content = 'sku,title,price\nA1,"Ulysses, a ""novel""",9.50\nB2,,7\nC3,"one\nline",1\n'.replace(",", delimiter)

    rows = read(content, replace(AS_FOUND, delimiter=delimiter), most)

    assert values_of(rows) == [
        {"sku": "A1", "title": f'Ulysses{delimiter} a "novel"', "price": "9.50"},
        {"sku": "B2", "title": "", "price": "7"},
        {"sku": "C3", "title": "one\nline", "price": "1"},
    ]


@pytest.mark.parametrize("delimiter", DELIMITERS)
def test_a_row_of_the_wrong_width_is_given_back_as_it_stands(delimiter: str) -> None:
    content = "sku,title,price\nA1,Ulysses\nB2,Emma,7\n".replace(",", delimiter)

    rows = read(content, replace(AS_FOUND, delimiter=delimiter))

    assert [row.values for row in rows] == [None, {"sku": "B2", "title": "Emma", "price": "7"}]
    assert rows[0].raw == f"A1{delimiter}Ulysses"
    assert [row.raw for row in rows[1:]] == [f"B2{delimiter}Emma{delimiter}7"]


def test_the_delimiter_that_is_told_is_the_files_own() -> None:
    structure = Csv().inspect(head_of(b"sku||price\nA1||9\n"), replace(AS_FOUND, delimiter="||"))
    assert structure.details["delimiter"] == "||"
    assert structure.columns == ("sku", "price")


def test_a_name_may_hold_the_delimiter() -> None:
    rows = read('\ufeff"a||b"||price\nA||9\n', replace(AS_FOUND, delimiter="||"))
    assert values_of(rows) == [{"a||b": "A", "price": "9"}]


def test_a_file_with_the_character_that_stands_for_a_long_delimiter_is_refused_with_the_remedy() -> None:
    with pytest.raises(MalformedFile, match=r"U\+001F.*export it with a delimiter of one byte"):
        read("sku||price\nA\x1f1||9\n", replace(AS_FOUND, delimiter="||"))


@settings(max_examples=300, deadline=None)
@given(st.text("ab|-", max_size=30), st.sampled_from(["||", "|-", "|||", "|-|"]), st.integers(1, 9))
def test_delimiters_are_found_from_the_left_wherever_reads_end(content: str, delimiter: str, most: int) -> None:
    changed = with_stand_in(stream(content.encode(), most), delimiter)
    assert b"".join(iter(lambda: changed.read(8), b"")).decode() == content.replace(delimiter, "\x1f")


@pytest.mark.parametrize(
    ("content", "format_name"),
    [
        ("[id],[name],[price]\n1,Emma,9\n", "csv"),
        ("<Date>,<Open>,<Close>\n2025-03-01,1.5,1.6\n", "csv"),
        ("<Ticker>;name\nA;Emma\n", "csv"),
        ("[id]\tname\n1\tEmma\n", "csv"),
        ('[{"id": 1}, {"id": 2}]', "json"),
        ("[1, 2]", "json"),
        ('{"id": 1}\n{"id": 2}\n', "ndjson"),
        ("<rows><row><id>1</id></row></rows>", "xml"),
        ('<?xml version="1.0"?><rows/>', "xml"),
    ],
)
def test_a_name_in_brackets_before_a_delimiter_is_a_header(content: str, format_name: str) -> None:
    data = content.encode()
    head = Head("upload.txt", len(data), data[:HEAD_SIZE], data[-HEAD_SIZE:])
    assert Registry(outsiders=False).detect(head).name == format_name
