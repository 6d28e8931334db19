"""XML: elements beside the rows are told, as rows that can't be taken or as what was passed over."""

import io
from collections import Counter
from dataclasses import replace

import pytest

from formats import AS_FOUND, Structure, TableDialect, xml_reader
from formats.limits import Limits
from formats.reading import Row, Trickle, head_of, read, rows_of, text
from formats.xml import Xml

SALE = "<sale><sku>1</sku><qty>2</qty><price>3</price></sale>"
RETURN = "<return><sku>1</sku><qty>2</qty><price>3</price></return>"
REASON = "the element stands where rows do, and has another name; export it as a row, or to a file of its own"


def told(document: str, dialect: TableDialect = AS_FOUND) -> tuple[list[str], dict[str, int]]:
    """The rows of a file, those refused with a mark, and what was passed over."""
    structure = Xml().inspect(head_of(document.encode()), dialect)
    blocks = [*Xml().read(io.BytesIO(document.encode()), structure, text)]
    found = rows_of(blocks)
    assert all(row.reason == REASON for row in found if row.values is None)
    passed_over: Counter[str] = sum((Counter(block.parse().passed_over) for block in blocks), Counter())
    return [row.raw if row.values is not None else f"refused: {row.raw}" for row in found], dict(passed_over)


@pytest.mark.parametrize(
    "document",
    [
        f"<sales>{SALE}{SALE}{RETURN}{SALE}</sales>",
        f"<sales>{SALE}{SALE}{SALE}{RETURN}</sales>",
        f"<sales>{RETURN}{SALE}{SALE}{SALE}</sales>",
    ],
    ids=["among the rows", "behind them", "before them"],
)
def test_a_row_by_another_name_is_refused_in_its_place(document: str) -> None:
    rows, passed_over = told(document)
    assert Counter(rows) == {SALE: 3, f"refused: {RETURN}": 1}
    assert "".join(rows).replace("refused: ", "") == document.removeprefix("<sales>").removesuffix("</sales>")
    assert passed_over == {}


def test_a_header_before_the_rows_and_a_total_behind_them_are_passed_over_and_counted() -> None:
    header, total = "<meta><shop>7</shop><qty>9</qty></meta>", '<total price="6"/>'
    rows, passed_over = told(f"<sales>{header}{header}{SALE * 3}{total}</sales>")
    assert rows == [SALE] * 3
    assert passed_over == {"sales.meta": 2, "sales.total": 1}


def test_an_element_between_two_rows_is_no_header_whatever_it_holds() -> None:
    rows, passed_over = told(f"<sales>{SALE}<day/>{SALE}<day/><end/></sales>")
    assert rows == [SALE, "refused: <day/>", SALE]
    assert passed_over == {"sales.day": 1, "sales.end": 1}


def test_an_element_with_half_of_the_rows_columns_is_a_row_by_another_name() -> None:
    half, less = "<x><sku>1</sku><qty>2</qty></x>", "<y><sku>1</sku><note/></y>"
    assert told(f"<sales>{half}{SALE * 3}{less}{half}{less}</sales>") == (
        [f"refused: {half}", *[SALE] * 3, f"refused: {less}", f"refused: {half}"],
        {"sales.y": 1},
    )


def test_what_stands_further_out_is_counted_as_a_whole() -> None:
    sales = f"<sales>{SALE}<sku/></sales><sales>{SALE}</sales>"
    document = f"<export><meta><a/></meta>{sales}<stock>{SALE}</stock></export>"
    rows, passed_over = told(document, TableDialect(property="sales.sale"))
    assert rows == [SALE, "refused: <sku/>", SALE]
    assert passed_over == {"export.meta": 1, "export.stock": 1}


def test_text_beside_the_rows_is_counted() -> None:
    row = "<r><a>1</a><b>2</b></r>"
    for rows in (row, row * 3):
        document = f"<s> one <!-- --> <d>\n{rows} two {rows}<r><a/></r></d><m>other</m></s>"
        assert told(document, TableDialect(property="d.r"))[1] == {"s.#text": 1, "s.d.#text": 1, "s.m": 1}


@pytest.mark.parametrize("place", ["", SALE])
def test_what_is_longer_than_a_row_may_be_is_passed_over(place: str) -> None:
    long = f"<products>{'<product>x</product>' * 100_000}</products>"
    rows, passed_over = told(f"<sales>{place}{long}{SALE}</sales>", TableDialect(property="sale"))
    assert set(rows) == {SALE}
    assert passed_over == {"sales.products": 1}


def test_what_has_more_columns_than_a_row_may_have_is_no_harm() -> None:
    wide = f"<products>{''.join(f'<p{number}/>' for number in range(20_000))}</products>"
    assert told(f"<sales>{wide}{SALE}</sales>", TableDialect(property="sale")) == ([SALE], {"sales.products": 1})


def test_many_elements_behind_the_last_row_are_refused_and_never_held() -> None:
    limits = Limits(row_bytes=1000)
    data = f"<sales>{SALE}{'<a/>' * 1000}</sales>".encode()
    structure = replace(Xml().inspect(head_of(data)), dialect=replace(AS_FOUND, limits=limits))
    found = [block.parse() for block in Xml().read(io.BytesIO(data), structure, text)]
    refused, passed_over = (
        sum(len(rows.malformed) for rows in found),
        sum(rows.passed_over.get("sales.a", 0) for rows in found),
    )
    assert refused + passed_over == 1000
    assert refused > 700


@pytest.mark.parametrize("patterns", [0, 4])
@pytest.mark.parametrize("most", [1, 7, 64 * 1024])
def test_it_is_the_same_however_the_file_comes_and_rows_are_taken(
    patterns: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xml_reader, "_PATTERNS", patterns)
    document = f"<s><meta/>{SALE * 3}{RETURN}\n{SALE * 2}<x/> <y a='1'>z</y>{SALE}{SALE}<end/></s>".encode()
    structure = Structure(("sku", "qty", "price"), {"rows under": "s.sale"})
    found: list[Row] = read(Xml(), document, most=most)
    assert [row.raw for row in found] == [*[SALE] * 3, RETURN, *[SALE] * 2, "<x/>", "<y a='1'>z</y>", SALE, SALE]
    passed = [block.parse().passed_over for block in Xml().read(Trickle(document, most), structure, text)]  # type: ignore[arg-type]
    assert sum(map(Counter, passed), Counter()) == {"s.meta": 1, "s.end": 1}
