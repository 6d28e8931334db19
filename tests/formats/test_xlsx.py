"""Sheets of Office Open XML: read alike however their writer spells them, and as python-calamine reads them."""

import datetime
import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from formats import MalformedFile, xlsx_pattern, xlsx_rows
from formats.calamine_sheets import _text
from formats.excel import Excel
from formats.limits import LIMITS
from formats.reading import Row, blocks, head_of, read, text
from runtime.cli import main

_NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_HEADER = '<row r="1"><c r="A1" t="inlineStr"><is><t>a</t></is></c><c r="B1" t="inlineStr"><is><t>b</t></is></c></row>'


def book(
    rows: str = "",
    *,
    sheet: str | None = None,
    shared: Sequence[str] = (),
    formats: Sequence[str] = (),
    encoding: str = "utf-8",
    **workbook: str,
) -> bytes:
    """A workbook whose sheet has a header of ``a`` and ``b`` and some more rows, or the XML given."""
    sheet = sheet or f'<worksheet xmlns="{_NAMESPACE}"><sheetData>{_HEADER}{rows}</sheetData></worksheet>'
    codes = "".join(f'<numFmt numFmtId="{164 + n}" formatCode={quoteattr(code)}/>' for n, code in enumerate(formats))
    cells = "".join(f'<xf numFmtId="{164 + n}"/>' for n in range(len(formats)))
    settings_ = "".join(f' {name}="{value}"' for name, value in workbook.items())
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    kinds = {"rId1": ("worksheet", "worksheets/sheet1.xml"), "rId2": ("sharedStrings", "/xl/sharedStrings.xml")}
    kinds["rId3"] = ("styles", "styles.xml")
    relations = "".join(
        f'<Relationship Id="{key}" Type="{relation}/{kind}" Target="{target}"/>'
        for key, (kind, target) in kinds.items()
    )
    parts = {
        "xl/workbook.xml": f'<workbook xmlns="{_NAMESPACE}" xmlns:r="{relation}"><workbookPr{settings_}/><sheets>'
        '<sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": "<Relationships "
        f'xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{relations}</Relationships>',
        "xl/sharedStrings.xml": f'<sst xmlns="{_NAMESPACE}">{"".join(shared)}</sst>',
        "xl/styles.xml": f'<styleSheet xmlns="{_NAMESPACE}"><numFmts>{codes}</numFmts><cellStyleXfs><xf numFmtId="14"/>'
        f'</cellStyleXfs><cellXfs><xf numFmtId="0"/>{cells}</cellXfs></styleSheet>',
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
        archive.writestr("xl/worksheets/sheet1.xml", sheet.encode(encoding))
    return out.getvalue()


@pytest.fixture(autouse=True, scope="module", params=["cells in groups", "cell by cell"])
def _way(request: pytest.FixtureRequest) -> Iterator[None]:
    """Rows of many columns are found in another way than others: nothing but the time may tell."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "cell by cell":
            patch.setattr(xlsx_pattern, "_MOST_GROUPS", 0)
        yield


def only(found: Sequence[Row]) -> Mapping[str, Any]:
    [row] = found
    assert row.values is not None, row.reason
    return row.values


@pytest.mark.parametrize(
    "row",
    {
        "as Excel": '<row r="2" spans="1:2" x14ac:dyDescent="0.25"><c r="A2" t="s"><v>0</v></c>'
        '<c r="B2"><v>1.5</v></c></row>',
        "a formula": '<row r="2"><c r="A2" t="str"><f>"x"</f><v>x &amp; y</v></c>'
        '<c r="B2"><f t="shared" si="0"/><v>1.5</v></c></row>',
        "spread out": '\n <row r="2">\n  <c r="A2" t="s">\n <v>0</v>\n </c>\n <c r="B2"><v>1.5</v></c>\n </row>\n',
        "without references": '<row><c t="s"><v>0</v></c><c><v>1.5</v></c></row>',
        "attributes in any order": "<row r='2'><c t='s' r='A2'><v>0</v></c><c s='0' r='B2'><v>1.5</v></c></row>",
        "cells in any order": '<row r="2"><c r="B2"><v>1.5</v></c><c r="A2" t="s"><v>0</v></c></row>',
        "in runs": '<row r="2"><c r="A2" t="inlineStr"><is><r><t>x </t></r><r><rPr/><t>&amp; y</t></r></is></c>'
        '<c r="B2"><v>1.5</v></c></row>',
        "as character data": '<row r="2"><c r="A2" t="inlineStr"><is><t><![CDATA[x & y]]></t></is></c>'
        '<c r="B2"><v>1.5</v></c></row>',
        "empty cells beside it": '<row r="2"><c r="A2" t="s"><v>0</v></c><c r="B2"><v>1.50</v></c>'
        '<c r="C2" s="1"/></row>',
        "empty rows around it": '<row r="2" ht="5"/><row r="3"><c r="A3"/></row><row r="4"><c r="A4" t="s"><v>0</v></c>'
        '<c r="B4"><v>15E-1</v></c></row><row r="5"/>',
    }.items(),
    ids=lambda item: item[0],
)
def test_a_row_is_the_same_however_it_is_written(row: tuple[str, str]) -> None:
    data = book(row[1], shared=["<si><t>x &amp; y</t></si>"])
    assert only(read(Excel(), data)) == {"a": "x & y", "b": "1.5"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_sheet_may_have_a_prefix_and_either_encoding(encoding: str) -> None:
    rows = _HEADER + '<row r="2"><c r="A2" t="inlineStr"><is><t>Ü東</t></is></c><c r="B2"><v>1</v></c></row>'
    prefixed = rows.replace("</", "\0").replace("<", "<x:").replace("\0", "</x:")
    sheet = f'<x:worksheet xmlns:x="{_NAMESPACE}"><x:sheetData>{prefixed}</x:sheetData></x:worksheet>'
    assert only(read(Excel(), book(sheet=sheet, encoding=encoding))) == {"a": "Ü東", "b": "1"}


@pytest.mark.parametrize(
    ("item", "text"),
    [
        ("<si><t>x</t></si>", "x"),
        ('<si><t xml:space="preserve"> x </t></si>', " x "),
        ("<si><r><t>x</t></r><r><t>y</t></r><rPh><t>ksi</t></rPh></si>", "xy"),
        ("<si><t>a_x000D_b _x005F_x0041_</t></si>", "a\rb _x0041_"),
        ("<si><t>&lt;&#228;&#x41;&gt;</t></si>", "<äA>"),
        ("<si/>", None),
        ("<si><t/></si>", None),
    ],
)
def test_shared_texts_come_as_they_are(item: str, text: str | None) -> None:
    row = '<row r="2"><c r="A2" t="s"><v>1</v></c><c r="B2" t="s"><v>2</v></c></row>'
    data = book(row, shared=["<si/>", item, "<si><t>z</t></si>"])
    assert only(read(Excel(), data)) == {"a": text, "b": "z"}


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("12", "12"),
        ("12.0", "12"),
        ("012.50", "12.5"),
        ("1.1000000000000001", "1.1"),
        ("1E-3", "0.001"),
        ("9007199254740993", "9007199254740993"),
        ("-0", "0"),
        ("-0.5", "-0.5"),
        ("abc", "abc"),
        ("nan", "nan"),
        ("1e-400", "1e-400"),
        ("-0.0" + 400 * "0" + "1", "-0.0" + 400 * "0" + "1"),
        ("0e-400", "0"),
    ],
)
def test_numbers_have_the_fewest_digits_that_tell_them_from_all_others(number: str, text: str) -> None:
    row = '<row r="{0}"><c r="A{0}"><v>{1}</v></c><c r="B{0}"><v>7</v></c></row>'
    for others in ("7", "x"):  # by themselves, and among cells that need a closer look
        rows = read(Excel(), book(row.format(2, number) + row.format(3, others)))
        assert rows[0].values == {"a": text, "b": "7"}


@pytest.mark.parametrize(
    ("code", "days", "text"),
    [
        ("dd.mm.yyyy", "45659", "2025-01-02"),
        ("d/m/yy h:mm AM/PM", "45659.753472222219", "2025-01-02T18:05:00"),
        ("hh:mm:ss", "0.5", "12:00:00"),
        ("[h]:mm", "1.5", "36:00:00"),
        ("[s]", "0.00001446759259", "00:00:01.250"),
        ("yyyy", "59", "1900-02-28"),
        ("yyyy", "61", "1900-03-01"),
        ("yyyy", "-1", "-1"),
        ("yyyy", "1e12", "1000000000000"),
        ('0.00 "days"', "45659", "45659"),
        ("[Red]0", "45659", "45659"),
        ("0\\d", "45659", "45659"),
    ],
)
def test_a_number_is_a_date_where_its_format_says_so(code: str, days: str, text: str) -> None:
    row = f'<row r="2"><c r="A2" s="1"><v>{days}</v></c><c r="B2"><v>45659</v></c></row>'
    assert only(read(Excel(), book(row, formats=[code]))) == {"a": text, "b": "45659"}


def test_days_may_count_from_1904() -> None:
    row = '<row r="2"><c r="A2" s="1"><v>44197</v></c></row>'
    assert only(read(Excel(), book(row, formats=["yyyy-mm-dd"], date1904="1")))["a"] == "2025-01-02"


@pytest.mark.parametrize("before", [0, 99])
@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ('<row r="2"><c r="A2"><v>1</v></row>', "not well-formed"),
        ('<row r="2"><c r="A2" t="inlineStr"><is><t>&bomb;</t></is></c></row>', "no character of XML|undefined entity"),
        ('<!-- <row r="2"><c r="A2"><v>1</v></c></row> -->', "not well-formed"),
        ('<row r="2"><c r="A2" t="s"><v>7</v></c></row>', "shared text"),
        ('<row r="2"><c r="ZZZZ2"><v>7</v></c></row>', "that no sheet has"),
        (f'<row r="2"><c r="{"A" * 900_000}2"><v>1</v></c></row>', "cell that no sheet has"),
        (f'<row r="{"9" * 5000}"><c r="A2"><v>1</v></c></row>', "number that no sheet has"),
        (f'<row r="2"><c r="A2"><v>{"1" * 2 * LIMITS.row_bytes}</v></c></row>', "longer than"),
    ],
)
def test_what_is_no_row_is_refused(row: str, reason: str, before: int) -> None:
    good = '<row r="2"><c r="A2"><v>1</v></c></row>'
    with pytest.raises(MalformedFile, match=reason):
        read(Excel(), book(good * before + row))


def test_empty_rows_without_end_are_passed_over() -> None:
    empty = "".join(f'<row r="{number}" ht="12.75" customHeight="1"/>' for number in range(2, 50_000))
    assert len(empty) > LIMITS.row_bytes
    row = '<row r="50000"><c r="A50000"><v>1</v></c></row>'
    assert only(read(Excel(), book(empty + row + empty)))["a"] == "1"


_ROW = '<row r="{0}"><c r="A{0}"><v>1</v></c></row>'


@pytest.mark.parametrize("first", [_HEADER + "".join(map(_ROW.format, range(2, 100))), ""], ids=["last", "alone"])
def test_more_rows_than_a_sheet_can_have_are_refused_though_they_are_empty(
    first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = 200_000  # of which the search for a header sees some alone, unless it finds no row
    monkeypatch.setattr(xlsx_rows, "ROWS", most)
    sheet = f'<worksheet xmlns="{_NAMESPACE}"><sheetData>{first}{"<row/>" * most}<row/></sheetData></worksheet>'
    with pytest.raises(MalformedFile, match=r"goes on after row 200,000, .*export it as CSV"):
        read(Excel(), book(sheet=sheet))


def test_as_many_rows_as_a_sheet_can_have_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx_rows, "ROWS", 3)
    assert len(read(Excel(), book(_ROW.format(2) + _ROW.format(3)))) == 2


def test_space_without_end_is_passed_over() -> None:
    row = '<row r="2"><c r="A2"><v>1</v></c></row>'
    assert only(read(Excel(), book(row + " " * (LIMITS.row_bytes // 2))))["a"] == "1"


def test_a_sheet_that_is_cut_off_is_refused() -> None:
    sheet = f'<worksheet xmlns="{_NAMESPACE}"><sheetData>{_HEADER}<row r="2"><c r="A2"><v>1</v></c></row>'
    with pytest.raises(MalformedFile, match="cut off"):
        read(Excel(), book(sheet=sheet))


def test_a_damaged_part_is_refused() -> None:
    data = bytearray(book('<row r="2"><c r="A2"><v>1234567</v></c></row>'))
    data[data.index(b"1234567")] ^= 1
    with pytest.raises(MalformedFile, match=r"sheet1\.xml in the workbook is damaged"):
        read(Excel(), bytes(data))


def test_a_cell_with_an_error_shows_it_and_tells_where_it_is() -> None:
    row = '<row r="5"><c r="A5" t="e"><f>1/0</f><v>#DIV/0!</v></c><c r="B5"><v>1</v></c></row>'
    [block] = [found.parse() for found in blocks(Excel(), book(row))]
    assert block.batch.to_pylist() == [{"a": "#DIV/0!", "b": "1"}]
    assert block.errors == {"a": {0: "A5"}}


@pytest.mark.parametrize("type_", ["string", "number"])
@pytest.mark.parametrize(("missing", "taken"), [("", 1), ("#N/A", 2)])
def test_a_row_with_an_error_is_quarantined_unless_the_contract_names_it_as_missing(
    type_: str, missing: str, taken: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    upload, contract, lake = tmp_path / "sales.xlsx", tmp_path / "sales.yaml", tmp_path / "lake"
    good = '<row r="2"><c r="A2"><v>1</v></c><c r="B2"><v>1</v></c></row>'
    upload.write_bytes(book(good + '<row r="5"><c r="A5"><v>2</v></c><c r="B5" t="e"><f>NA()</f><v>#N/A</v></c></row>'))
    fields = f"[{{name: a}}, {{name: b, type: {type_}, missingValues: ['', '{missing}']}}]"
    contract.write_text(f"{{name: sales, schema: {{fields: {fields}}}}}")
    main(["run", str(upload), "--lake", str(lake), "--contract", str(contract)])
    capsys.readouterr()
    main(["query", "select count(*) from sales", "--lake", str(lake)])
    assert capsys.readouterr().out.split()[-1] == str(taken)
    if taken == 1:
        main(["query", "select reason from sales_quarantine", "--lake", str(lake)])
        assert 'b: "#N/A" in cell B5 is an error of the workbook' in capsys.readouterr().out


_numbers = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(-1e11, 1e11),
    st.floats(0, 3e6),
    st.integers(0, 100),
    st.sampled_from([0.5 / 86_400_000, 59.9999999999, 2_958_464.75, 2_958_465.9999999995, 2_958_466]),
).map(repr)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(_numbers, _numbers), min_size=1, max_size=6), st.sampled_from(["0", "1"]))
def test_a_column_s_texts_are_those_of_its_cells_one_by_one(table: list[tuple[str, str]], from_1904: str) -> None:
    cells = '<row r="{0}"><c r="A{0}"><v>{1}</v></c><c r="B{0}" s="1"><v>{2}</v></c></row>'
    sheet = "".join(cells.format(number, *row) for number, row in enumerate(table, 2))
    found = read(Excel(), book(sheet, formats=["yyyy-mm-dd hh:mm"], date1904=from_1904))
    assert [[*(row.values or {}).values()] for row in found] == [json.loads(row.raw) for row in found]


@pytest.mark.parametrize(("from_1904", "day"), [("0", "2958465.9999999995"), ("1", "2958465")])
def test_a_day_beyond_the_calendar_is_shown_as_its_number(from_1904: str, day: str) -> None:
    row = f'<row r="2"><c r="A2" s="1"><v>{day}</v></c></row>'
    assert only(read(Excel(), book(row, formats=["yyyy-mm-dd"], date1904=from_1904)))["a"] == day


_times = st.datetimes(datetime.datetime(1900, 3, 1), datetime.datetime(2200, 1, 1))  # noqa: DTZ001
_cells = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**12), 10**12),
    st.floats(-1e12, 1e12, allow_subnormal=False),
    st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=8),
    _times.map(lambda time: time.replace(microsecond=0)),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.lists(_cells, min_size=3, max_size=3), min_size=1, max_size=12), st.booleans())
def test_cells_are_those_that_python_calamine_reads(table: list[list[Any]], inline: bool) -> None:
    out = io.BytesIO()
    options = {"in_memory": True, "constant_memory": inline, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(out, {**options, "strings_to_numbers": False}) as made:
        sheet = made.add_worksheet()
        time = made.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        sheet.write_row(0, 0, ["a", "b", "c"])
        writers: dict[type, Callable[..., Any]] = {str: sheet.write_string, bool: sheet.write_boolean}
        for number, row in enumerate(table, 1):
            for column, cell in enumerate(row):
                if isinstance(cell, datetime.datetime):
                    sheet.write_datetime(number, column, cell, time)
                elif cell is not None:
                    writers.get(type(cell), sheet.write_number)(number, column, cell)
    theirs = CalamineWorkbook.from_filelike(io.BytesIO(out.getvalue())).get_sheet_by_index(0).to_python()[1:]
    expected = [texts for row in theirs if any(texts := [_text(cell) for cell in [*row, "", "", ""][:3]])]
    assert [list((row.values or {}).values()) for row in read(Excel(), out.getvalue())] == expected


def test_a_number_beyond_all_that_a_workbook_can_hold_keeps_its_spelling() -> None:
    assert only(read(Excel(), book('<row r="2"><c r="A2"><v>1e999</v></c></row>')))["a"] == "1e999"


def test_shared_texts_are_held_to_the_limit_wherever_they_lie() -> None:
    data = book('<row r="2"><c r="A2" t="s"><v>0</v></c></row>', shared=["x" * 5000])
    moved = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as before, zipfile.ZipFile(moved, "w", zipfile.ZIP_DEFLATED) as after:
        for part in before.namelist():
            content = before.read(part).replace(b"sharedStrings.xml", b"worksheets/shared.xml")
            after.writestr(part.replace("sharedStrings.xml", "worksheets/shared.xml"), content)
    structure = Excel().inspect(head_of(moved.getvalue()))
    limits = replace(LIMITS, workbook_bytes=4000)
    structure = replace(structure, dialect=replace(structure.dialect, limits=limits))
    with pytest.raises(MalformedFile, match=r"worksheets/shared\.xml .*limits\.workbookBytes"):
        [*Excel().read(moved, structure, text)]


def test_a_sheet_with_too_many_places_for_cells_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = "".join(f'<row r="{n}"><c r="A{n}"><v>1</v></c></row>' for n in range(2, 40_000))
    assert len(read(Excel(), book(rows))) == 39_998
    monkeypatch.setattr(xlsx_rows, "SHEET_CELLS", 1000)
    with pytest.raises(MalformedFile, match="2 columns and more than"):
        read(Excel(), book(rows))


def test_a_part_that_is_no_text_is_refused() -> None:
    with pytest.raises(MalformedFile, match="no text where it should be"):
        read(Excel(), book(sheet="\x80<worksheet/>", encoding="latin-1"))


_CELLS = [
    *(f'<c r="{name}1" s="2"><v>{number}</v></c>' for number, name in enumerate(("A", "B", "C", "D", "AA"))),
    *('<c r="A1"/>', '<c r="B1" t="s"><v>0</v></c>', '<c r="C1"><f>A1</f><v>7</v></c>', '<c r="E1" s="1"/>'),
    *('<c r="D1" t="inlineStr"><is><t>x</t></is></c>', '<c r="B1"><f>A1</f></c>', '<c r="1"><v>1</v></c>', "<x/>", " "),
]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from(_CELLS), max_size=5), max_size=4),
    st.sampled_from(["", "\n", '<row r="9"/>', "z"]),
)
def test_rows_are_the_same_in_groups_or_cell_by_cell_or_left_to_the_parser(rows: list[list[str]], between: str) -> None:
    sheet = "".join(f'{between}<row r="{number}">{"".join(cells)}</row>' for number, cells in enumerate(rows))
    ways = []
    for most in (100, 0):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(xlsx_pattern, "_MOST_GROUPS", most)
            ways.append(xlsx_pattern.row_finder(4, "").find(sheet))
    assert [(a, b) for a, b in zip(*ways, strict=True) if a != b and not b[-1]] == []


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from(_CELLS), max_size=5), max_size=4),
    st.dictionaries(st.integers(0, 3), st.sampled_from([' s="2"', ' t="s"', ' s="1"', ""])),
)
def test_rows_like_the_first_ones_are_the_same_as_found_by_themselves(
    rows: list[list[str]], alike: dict[int, str]
) -> None:
    sheet = "".join(f'<row r="{number}">{"".join(cells)}</row>' for number, cells in enumerate(rows))
    quick, any_rows = xlsx_pattern.row_finder(4, "", alike), xlsx_pattern.row_finder(4, "")
    found = zip(quick.find(sheet), any_rows.find(sheet), strict=True)
    for one, other in ((one, other) for one, other in found if not one[-1]):
        cells = zip(quick.cells(one), any_rows.cells(other), strict=True)
        assert (one[0], other[-1]) == (other[0], "")
        assert [pair for pair in cells if pair[0] != pair[1] and pair[0][1] + pair[1][1]] == []


@pytest.mark.parametrize("at", [1, 70, 5000])
@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ('<c r="B{}" t="str"><v>7x</v></c>', "7x"),
        ('<c r="B{}" t="b"><v>1</v></c>', "true"),
        ('<c r="B{}" s="1"/>', None),
        ('<c r="B{}"><v>0.30000000000000004</v></c>', "0.30000000000000004"),
    ],
)
def test_a_cell_of_another_kind_than_those_before_it_is_read_as_what_it_is(
    at: int, cell: str, expected: str | None
) -> None:
    cells = {number: f'<c r="B{number}"><v>{number}</v></c>' for number in range(2, 5100)}
    cells[at + 1] = cell.format(at + 1)
    body = "".join(f'<row r="{n}"><c r="A{n}" t="str"><v>k</v></c>{text}</row>' for n, text in cells.items())
    found = read(Excel(), book(body))
    assert [row.values for row in found] == [
        {"a": "k", "b": expected if number == at + 1 else str(number)} for number in cells
    ]


def test_a_sheet_of_ten_thousand_columns_takes_no_longer_to_begin_than_to_read() -> None:
    began = time.process_time()
    xlsx_pattern.row_finder(10_000, "")
    assert time.process_time() - began < 1
