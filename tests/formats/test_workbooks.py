"""Workbooks as Excel 97 (``.xls``, by xlwt) and LibreOffice (``.ods``, by odfpy) write them, and packed ones."""

import datetime
import gzip
import io
import warnings
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from formats import MalformedFile
from formats.excel import Excel
from formats.reading import head_of, read, values_of
from runtime.cli import main

DAY, TIME = datetime.date(2025, 1, 2), datetime.datetime(2025, 1, 2, 18, 5)  # noqa: DTZ001
TABLE: Sequence[Sequence[Any]] = [
    ["sku", "price", "count", "day", "at", "sold"],
    ["0012", 26.42, 3, DAY, TIME, True],
    ["=1+1", 0.1, 1000000, DAY, TIME, False],
]
ROWS = [
    {"sku": "0012", "price": "26.42", "count": "3", "day": "2025-01-02", "at": "2025-01-02T18:05:00", "sold": "true"},
    {
        "sku": "=1+1",
        "price": "0.1",
        "count": "1000000",
        "day": "2025-01-02",
        "at": "2025-01-02T18:05:00",
        "sold": "false",
    },
]


def xls() -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # xlwt is as old as its format
        import xlwt

    book, out = xlwt.Workbook(), io.BytesIO()
    notes, sales = book.add_sheet("Notes"), book.add_sheet("Sales")
    notes.visibility = 1
    notes.write(0, 0, "not to be read")
    book.set_active_sheet(1)
    sales.write_merge(0, 0, 0, 5, "Sales of January")
    styles = {datetime.date: "dd.mm.yyyy", datetime.datetime: "dd.mm.yyyy hh:mm"}
    for row, cells in enumerate(TABLE, 2):
        for column, cell in enumerate(cells):
            code = styles.get(type(cell))
            sales.write(row, column, cell, xlwt.easyxf(num_format_str=code) if code else xlwt.Style.default_style)
    book.save(out)
    return out.getvalue()


def ods() -> bytes:
    from odf.opendocument import OpenDocumentSpreadsheet
    from odf.table import CoveredTableCell, Table, TableCell, TableRow
    from odf.text import P

    def cell_of(value: Any) -> Any:
        if isinstance(value, bool):
            return TableCell(valuetype="boolean", booleanvalue=str(value).lower())
        if isinstance(value, int | float):
            return TableCell(valuetype="float", value=str(value))
        if isinstance(value, datetime.date):
            return TableCell(valuetype="date", datevalue=value.isoformat())
        cell = TableCell(valuetype="string")
        cell.addElement(P(text=value))
        return cell

    document, sales = OpenDocumentSpreadsheet(), Table(name="Sales")
    title, merged = TableRow(), TableCell(valuetype="string", numbercolumnsspanned=6)
    merged.addElement(P(text="Sales of January"))
    title.addElement(merged)
    title.addElement(CoveredTableCell(numbercolumnsrepeated=5))
    sales.addElement(title)
    for cells in TABLE:
        row = TableRow()
        for value in cells:
            row.addElement(cell_of(value))
        sales.addElement(row)
    document.spreadsheet.addElement(sales)
    document.spreadsheet.addElement(Table(name="Notes"))
    out = io.BytesIO()
    document.write(out)
    return out.getvalue()


@pytest.mark.parametrize("make", [xls, ods])
def test_its_cells_come_as_exact_texts(make: Callable[[], bytes]) -> None:
    found = values_of(read(Excel(), make()))
    assert [{**(row or {}), "day": str((row or {})["day"])[:10]} for row in found] == ROWS


@pytest.mark.parametrize("make", [xls, ods])
def test_its_sheet_and_the_header_below_a_merged_title_are_found(make: Callable[[], bytes]) -> None:
    structure = Excel().inspect(head_of(make()))
    assert structure.columns == tuple(TABLE[0])
    assert structure.details["sheet"] == "Sales"


@pytest.mark.parametrize("make", [xls, ods])
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_truncated_one_is_refused(make: Callable[[], bytes], share: float) -> None:
    data = make()
    with pytest.raises(MalformedFile, match=r"cut off|damaged"):
        read(Excel(), data[: int(len(data) * share)])


def test_an_error_in_an_ods_is_not_taken_for_an_empty_cell_or_a_number() -> None:
    number = b'office:value="0.1"'
    with zipfile.ZipFile(io.BytesIO(ods())) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    assert number in parts["content.xml"]
    parts["content.xml"] = parts["content.xml"].replace(number, number + b' calcext:value-type="error"')
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    with pytest.raises(MalformedFile, match=r"a cell with an error.*save the workbook as \.xlsx"):
        read(Excel(), out.getvalue())


def xlsx() -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for number, cells in enumerate(TABLE):
            sheet.write_row(number, 0, cells[:3])
    return out.getvalue()


def zipped(data: bytes, how: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as archive:
        archive.writestr("monday.xlsx", data)
    return out.getvalue()


def stored(data: bytes) -> bytes:
    return zipped(data, zipfile.ZIP_STORED)


@pytest.mark.parametrize(("suffix", "pack"), [("", bytes), (".gz", gzip.compress), (".zip", zipped), (".zip", stored)])
def test_a_workbook_is_checked_and_taken_packed_as_it_comes(
    suffix: str, pack: Callable[[bytes], bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    contract, upload, lake = tmp_path / "stock.yaml", tmp_path / f"monday.xlsx{suffix}", tmp_path / "lake"
    contract.write_text("{name: stock, schema: {fields: [{name: sku}, {name: price, type: number}, {name: count}]}}")
    upload.write_bytes(pack(xlsx()))
    assert main(["check", str(upload), "--contract", str(contract)]) == 0
    assert main(["run", str(upload), "--lake", str(lake), "--contract", str(contract)]) == 0
    capsys.readouterr()
    assert main(["query", "select count(*), sum(price) from stock", "--lake", str(lake)]) == 0
    assert capsys.readouterr().out.split()[-2:] == ["2", "26.5200"]


def _of_several_sheets() -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        for name in ("January", "February", "Empty", "Hidden"):
            sheet = book.add_worksheet(name)
            for number, cells in enumerate(TABLE if name != "Empty" else ()):
                sheet.write_row(number, 0, cells[:3])
        sheet.hide()
    return out.getvalue()


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ("", "passed over 1 sheet February"),
        ("dialect: {sheetName: January}", ""),
        ("dialect: {sheetNumber: 1}", ""),
        ("personal", "passed over 1 others"),
    ],
    ids=["none named", "named", "numbered", "personal fields"],
)
def test_other_visible_sheets_with_rows_are_told_unless_the_contract_names_one(
    settings: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    contract, upload, lake = tmp_path / "stock.yaml", tmp_path / "year.xlsx", tmp_path / "lake"
    sku = "{name: sku, personal: mask}" if settings == "personal" else "{name: sku}"
    dialect = settings if settings.startswith("dialect") else ""
    contract.write_text(f"{{name: stock, schema: {{fields: [{sku}, {{name: price}}, {{name: count}}]}}, {dialect}}}")
    upload.write_bytes(_of_several_sheets())
    assert main(["check", str(upload), "--contract", str(contract)]) == 0
    shown = capsys.readouterr().out
    assert main(["run", str(upload), "--lake", str(lake), "--contract", str(contract)]) == 0
    capsys.readouterr()
    main(["query", "select details from ledger", "--lake", str(lake)])
    ledger = capsys.readouterr().out
    for text in (shown, ledger):
        assert told in text
        assert ("passed over" in text) == bool(told)
