"""Workbooks, as shopkeepers keep them."""

import datetime
import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import xlsxwriter

from formats import Head, MalformedFile, TableDialect
from formats.conformance import FormatConformance, Sample
from formats.excel import Excel
from formats.limits import LIMITS
from formats.reading import head_of, read, rows_of, values_of
from formats.sheet import letters
from runtime.cli import main

Fill = Callable[[Any], None]


def workbook(fill: Fill) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False}) as book:
        fill(book)
    return out.getvalue()


def sheet(*lines: Sequence[Any]) -> bytes:
    def fill(book: Any) -> None:
        made = book.add_worksheet()
        for number, line in enumerate(lines):
            made.write_row(number, 0, line)

    return workbook(fill)


class TestExcel(FormatConformance):
    format = Excel()
    faulty = Sample(
        sheet(["a", "b"], ["1", "x"], ["2", "x", "surplus"], ["2", "y"]),
        rows=[{"a": "1", "b": "x"}, None, {"a": "2", "b": "y"}],
    )
    refused = sheet(["a", "b"], ["1", "x"])[:-200]
    raw_is_in_the_file = False
    shows_columns_beyond_the_head = False

    def encode(self, rows: Sequence[Mapping[str, str]]) -> bytes:
        return sheet(list(rows[0]), *(list(row.values()) for row in rows))


def rows(data: bytes) -> list[Mapping[str, Any] | None]:
    return values_of(read(Excel(), data))


def test_cells_come_as_exact_texts() -> None:
    def fill(book: Any) -> None:
        made = book.add_worksheet()
        made.write_row(0, 0, ["sku", "n", "price", "day", "at", "sold", "sum"])
        made.write_row(1, 0, ["0012", 12, 26.42])
        made.write_datetime(1, 3, datetime.datetime(2025, 1, 2), book.add_format({"num_format": "dd.mm.yyyy"}))  # noqa: DTZ001
        made.write_datetime(1, 4, datetime.datetime(2025, 1, 2, 18, 5), book.add_format({"num_format": "d.m.yy hh:mm"}))  # noqa: DTZ001
        made.write_boolean(1, 5, boolean=True)
        made.write_formula(1, 6, "=B2*C2", None, 317.04)

    [row] = rows(workbook(fill))
    assert row is not None
    assert row["sku"] == "0012"
    assert [row[name] for name in ("n", "price", "sold", "sum")] == ["12", "26.42", "true", "317.04"]
    assert row["day"].startswith("2025-01-02")
    assert row["at"] == "2025-01-02T18:05:00"


@pytest.mark.parametrize(
    ("number", "text"),
    [(12345678901234567, "12345678901234570"), (-(10**18), "-1000000000000000000"), (10**19, "1e+19"), (0.5, "0.5")],
)
def test_a_whole_number_comes_as_its_digits_as_long_as_an_integer_field_could_hold_it(number: float, text: str) -> None:
    assert rows(sheet(["id"], [number], ["x"])) == [{"id": text}, {"id": "x"}]
    assert rows(sheet(["id"], [number], [1])) == [{"id": text}, {"id": "1"}]


def test_totals_at_the_end_and_a_header_within_the_rows_are_no_records() -> None:
    header = ["sku", "title", "n", "price"]
    lines: list[list[Any]] = [
        ["Sales of May"],
        [],
        header,
        ["1", "Salt", 2, 3.5],
        header,
        ["2", "Moons", 3, 4.5],
        ["Total", None, 5, 8],
    ]
    found = read(Excel(), sheet(*lines))
    assert [row.values and row.values["sku"] for row in found] == ["1", None, "2", None]
    assert "repeats the header" in found[1].reason
    assert "total" in found[3].reason
    assert found[3].raw == '["Total", null, "5", "8"]'


def test_a_title_that_begins_as_a_total_does_is_a_record_where_all_columns_have_values() -> None:
    assert rows(sheet(["sku", "n"], ["Total", 2])) == [{"sku": "Total", "n": "2"}]


def test_a_text_that_looks_like_a_formula_stays_text() -> None:
    assert rows(sheet(["a", "b"], ["=1+1", "+x"])) == [{"a": "=1+1", "b": "+x"}]


def test_titles_above_the_header_and_empty_rows_and_columns_are_passed_over() -> None:
    data = sheet(["Sales of January"], [], ["sku", "title", "price", ""], ["1", "x", 2], [], ["2", "y", 3], [""])
    assert rows(data) == [{"sku": "1", "title": "x", "price": "2"}, {"sku": "2", "title": "y", "price": "3"}]


def test_a_merged_title_and_a_table_off_the_corner_are_found() -> None:
    def fill(book: Any) -> None:
        made = book.add_worksheet()
        made.merge_range(1, 2, 1, 4, "Sales")
        made.write_row(3, 2, ["sku", "title", "price"])
        made.write_row(4, 2, ["1", "x", 2])

    assert rows(workbook(fill)) == [{"sku": "1", "title": "x", "price": "2"}]


def test_hidden_sheets_are_passed_over_and_the_contract_may_name_one() -> None:
    def fill(book: Any) -> None:
        for name, value in (("Notes", "1"), ("Sales", "2"), ("Old", "3")):
            made = book.add_worksheet(name)
            made.write_row(0, 0, ["sku", name])
            made.write_row(1, 0, [value, value])
            if name == "Notes":
                made.hide()
            if name == "Sales":
                made.activate()
                made.set_first_sheet()

    head = head_of(workbook(fill))
    assert Excel().inspect(head).columns == ("sku", "Sales")
    assert Excel().inspect(head, TableDialect(sheet_name="Old")).columns == ("sku", "Old")
    assert Excel().inspect(head, TableDialect(sheet_number=1)).columns == ("sku", "Notes")
    with pytest.raises(MalformedFile, match="no sheet 'March'; its sheets are 'Notes', 'Sales', 'Old'"):
        Excel().inspect(head, TableDialect(sheet_name="March"))
    with pytest.raises(MalformedFile, match=r"no sheet number 9; .*; correct dialect\.sheetNumber of the contract"):
        Excel().inspect(head, TableDialect(sheet_number=9))


def test_a_header_over_two_rows_is_joined_and_one_without_is_the_contracts() -> None:
    head = head_of(sheet(["Book", "Price"], ["title", "EUR"], ["x", 2]))
    assert Excel().inspect(head, TableDialect(header_rows=(1, 2))).columns == ("Book title", "Price EUR")
    assert Excel().inspect(head, TableDialect(header=False, columns=("a", "b"))).columns == ("a", "b")


CONTRACT = TableDialect(columns=("id", "qty"), known=frozenset({"id", "qty"}))


def under_contract(data: bytes) -> list[Mapping[str, Any] | None]:
    structure = Excel().inspect(head_of(data), CONTRACT)
    unseen = Excel().inspect(Head("upload", len(data), data[:100], data[-100:]), CONTRACT)
    found, again = (
        values_of(rows_of(Excel().read(io.BytesIO(data), one, lambda _: pa.string()))) for one in (structure, unseen)
    )
    assert found == again, "whether the head shows the sheet or not"
    return found


def test_the_contracts_header_is_found_under_a_row_of_other_words() -> None:
    data = sheet(["Shop", "Berlin", "Export"], ["ID", "qty", "note"], ["1", "2", "x"])
    assert under_contract(data) == [{"ID": "1", "qty": "2", "note": "x"}]


def test_of_several_sheets_the_one_with_the_contracts_header_is_read() -> None:
    def fill(book: Any) -> None:
        for name, lines in (("Notes", [["who", "what"], ["Ada", "closed early"]]), ("Sales", [["id", "qty"], [1, 2]])):
            made = book.add_worksheet(name)
            for number, line in enumerate(lines):
                made.write_row(number, 0, line)

    assert under_contract(workbook(fill)) == [{"id": "1", "qty": "2"}]
    assert rows(workbook(fill)) == [{"who": "Ada", "what": "closed early"}], "without a contract the first"


def test_a_sheet_without_a_header_has_the_contracts_if_it_is_as_wide() -> None:
    assert under_contract(sheet([1, 2], [3, 4])) == [{"id": "1", "qty": "2"}, {"id": "3", "qty": "4"}]
    with pytest.raises(MalformedFile, match="has no header"):
        under_contract(sheet([1, 2, 3], [3, 4, 5]))


def test_a_sheet_of_texts_without_a_header_has_the_contracts_if_it_has_data_as_csv_has() -> None:
    assert under_contract(sheet(["A1", "2"], ["A2", "4"])) == [{"id": "A1", "qty": "2"}, {"id": "A2", "qty": "4"}]
    assert under_contract(sheet(["number", "count"], ["1", "2"])) == [{"number": "1", "count": "2"}]


def test_where_the_contract_says_that_there_is_a_header_no_row_is_taken_for_the_first() -> None:
    data = sheet(["A1", "2"], ["A2", "4"])
    structure = Excel().inspect(head_of(data), replace(CONTRACT, header=True))
    assert structure.columns == ("A1", "2")


def test_a_sheet_without_a_header_begins_where_its_first_whole_row_does() -> None:
    assert under_contract(sheet(["", 1, 2], ["x", 3, 4]))[0] == {"id": "1", "qty": "2"}


@pytest.mark.parametrize("upper", [["id", ""], ["id", "sold"], ["Sales", ""]])
def test_a_header_over_two_rows_is_found_where_both_name_more_of_the_contracts_columns(upper: list[str]) -> None:
    [found] = under_contract(sheet(["Shop 7"], upper, ["id" if upper[0] == "Sales" else "", "qty"], [1, 2]))
    assert found == {"id": "1", "qty": "2"}


def test_names_of_a_header_over_two_rows_are_joined_and_go_on_over_empty_cells() -> None:
    data = sheet(["", "price", ""], ["sku", "net", "gross"], ["1", 1.5, 1.8])
    names = ("sku", "price net", "price gross")
    structure = Excel().inspect(
        head_of(data), TableDialect(columns=names, known=frozenset({"sku", "price_net", "price_gross"}))
    )
    assert structure.columns == names
    assert structure.details["header rows"] == "1,2"
    stated = Excel().inspect(head_of(data), TableDialect(header_rows=(1, 2), header_join="/"))
    assert stated.columns == ("sku", "price/net", "price/gross")


def test_two_rows_that_name_each_column_once_are_a_header_whatever_the_names() -> None:
    assert rows(sheet(["sku", "title", "", ""], ["", "", "qty", "price"], ["1", "Salt", 2, 1.5])) == [
        {"sku": "1", "title": "Salt", "qty": "2", "price": "1.5"}
    ]


def test_two_columns_of_one_name_are_told_with_the_remedy_of_a_header_over_two_rows() -> None:
    with pytest.raises(MalformedFile, match=r"several columns of one name.*dialect\.headerRows"):
        rows(sheet(["id", "sales", "sales"], ["", "qty", "price"], [1, 2, 3]))


def test_a_value_beside_the_table_quarantines_its_row_alone() -> None:
    first, second = read(Excel(), sheet(["a", "b"], ["1", "2", "", "note"], ["3", "4"]))
    assert first.values is None
    assert first.reason == "the row has a value in column D, which the header doesn't name"
    assert first.raw == '["1", "2", null, "note"]'
    assert second.values == {"a": "3", "b": "4"}


@pytest.mark.parametrize("part", ["xl/sharedStrings.xml", "xl/media/image1.png"])
def test_a_bomb_is_refused_before_it_is_unpacked(part: str) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        with archive.open(part, "w") as member:
            for _ in range(LIMITS.workbook_bytes // 2**20 + 1):
                member.write(bytes(2**20))
    with pytest.raises(MalformedFile, match="unpacks to"):
        read(Excel(), out.getvalue())


@pytest.mark.parametrize("place", [(1048575, 16383), (99_999, 999), (1048575, 40)])
def test_a_cell_far_apart_quarantines_its_row_alone(place: tuple[int, int]) -> None:
    def fill(book: Any) -> None:
        made = book.add_worksheet()
        made.write_row(0, 0, ["a", "b"])
        made.write_row(1, 0, ["1", "2"])
        made.write(*place, "x")

    first, far = read(Excel(), workbook(fill))
    assert first.values == {"a": "1", "b": "2"}
    assert far.reason == f"the row has a value in column {letters(place[1])}, which the header doesn't name"


def test_an_honest_sheet_is_not_too_large() -> None:
    def fill(book: Any) -> None:
        made = book.add_worksheet()
        made.write_row(0, 0, [f"c{number}" for number in range(30)])
        made.write(200_000, 29, "x")

    assert len(rows(workbook(fill))) == 1


_MANIFEST = (
    '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><manifest:file-entry '
    'manifest:full-path="/" manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/></manifest:manifest>'
)


_OPENDOCUMENT_END = "</table:table></office:spreadsheet></office:body></office:document-content>"


def opendocument(*table_rows: str, end: str = _OPENDOCUMENT_END) -> bytes:
    out, spaces = io.BytesIO(), ("office", "table", "text")
    names = "".join(f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in spaces)
    content = (
        f'<?xml version="1.0"?><office:document-content{names}><office:body><office:spreadsheet>'
        f'<table:table table:name="S">{"".join(table_rows)}{end}'
    )
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
        archive.writestr("META-INF/manifest.xml", _MANIFEST)
    return out.getvalue()


def opendocument_row(*texts: str, rows: int = 1, columns: int = 1) -> str:
    cell = '<table:table-cell office:value-type="string" table:number-columns-repeated="{}"><text:p>{}</text:p>'
    cells = "".join(f"{cell.format(columns, text)}</table:table-cell>" for text in texts)
    return f'<table:table-row table:number-rows-repeated="{rows}">{cells}</table:table-row>'


def test_a_sheet_of_libreoffice_is_read() -> None:
    data = opendocument(opendocument_row("sku", "title"), opendocument_row("001", "Über"))
    assert Excel().likelihood(head_of(data)) == 1
    assert rows(data) == [{"sku": "001", "title": "Über"}]


def test_an_opendocument_sheet_that_is_not_closed_is_refused_before_its_reader_looks_for_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("formats.excel_file.subprocess", None)
    with pytest.raises(MalformedFile, match=r"damaged.* \(no element found: line 1"):
        rows(opendocument(opendocument_row("sku"), end=""))


def test_an_opendocument_workbook_under_a_password_is_refused_as_that() -> None:
    locked = _MANIFEST.replace(
        "/></manifest:manifest>", "><manifest:encryption-data/></manifest:file-entry></manifest:manifest>"
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", b"\0")
        archive.writestr("META-INF/manifest.xml", locked)
    with pytest.raises(MalformedFile, match="under a password"):
        rows(out.getvalue())


def test_cells_that_an_opendocument_sheet_repeats_without_end_are_refused() -> None:
    with pytest.raises(MalformedFile, match=r"damaged|too large"):
        read(Excel(), opendocument(opendocument_row("x", rows=1_048_576, columns=16_384)))


def test_a_truncated_workbook_is_refused() -> None:
    with pytest.raises(MalformedFile, match="cut off"):
        Excel().inspect(head_of(sheet(["a"], ["1"])[:-100]))


def test_a_workbook_under_a_password_is_refused() -> None:
    data = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + "EncryptedPackage".encode("utf-16-le") + bytes(500)
    with pytest.raises(MalformedFile, match="under a password"):
        Excel().inspect(head_of(data))


def test_a_workbook_goes_through_the_pipeline_with_its_dates_and_prices_as_they_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def fill(book: Any) -> None:
        made = book.add_worksheet()
        made.write_row(0, 0, ["sku", "price", "day"])
        made.write_row(1, 0, ["0012", 26.42])
        made.write_datetime(1, 2, datetime.datetime(2025, 1, 2), book.add_format({"num_format": "dd.mm.yyyy"}))  # noqa: DTZ001

    contract, upload, lake = tmp_path / "stock.yaml", tmp_path / "monday.xlsx", tmp_path / "lake"
    contract.write_text(
        "{name: stock, schema: {fields: [{name: sku}, {name: price, type: number, decimalChar: ','}, "
        "{name: day, type: date, format: '%d.%m.%Y'}]}}"
    )
    upload.write_bytes(workbook(fill))
    assert main(["run", str(upload), "--lake", str(lake), "--contract", str(contract)]) == 0
    capsys.readouterr()
    assert main(["query", "select sku, price, day from stock", "--lake", str(lake)]) == 0
    assert capsys.readouterr().out.split()[-3:] == ["0012", "26.4200", "2025-01-02"]


def test_an_empty_sheet_before_that_of_the_rows_is_passed_over() -> None:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        book.add_worksheet()
        filled = book.add_worksheet()
        filled.write_row(0, 0, ["sku", "title"])
        filled.write_row(1, 0, ["1", "Salt"])
    assert rows(out.getvalue()) == [{"sku": "1", "title": "Salt"}]
