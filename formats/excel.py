"""Workbooks of Excel and LibreOffice: ``.xlsx``, ``.xls``, ``.ods``.

Cells come as they are, not as they are shown: 12 and 12.5 for numbers, ISO 8601 for dates, the text of texts (a
leading zero and a leading ``=`` stay), what a formula gave when the workbook was saved. Hidden sheets, and rows
without a value, are passed over; a cell with an error, such as #DIV/0!, is empty. The raw text of a
row is the JSON array of its cells.

The reader is python-calamine, the extra ``excel``, which holds the sheet in memory: ``Limits.workbook_bytes``
bounds it.
"""

from __future__ import annotations

import datetime
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO, cast

from formats.columns import batch_of, refuse_too_many
from formats.dialect import AS_FOUND, TableDialect
from formats.excel_file import kind_of, refuse_bomb, refuse_locked_or_cut, refuse_sparse
from formats.format import Block, Format, Head, MalformedFile, MalformedRow, Rows, Structure, Wanted
from formats.hookspecs import hookimpl
from formats.seeking import seekable

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook

Cell = int | float | str | bool | datetime.time | datetime.date | datetime.datetime | datetime.timedelta
Line = tuple[int, Sequence[Cell]]
"""A row of a sheet with its number from 1, as people see it."""

_BLOCK_ROWS = 8192
_ROWS_TO_THE_HEADER = 50
_EXACT = 2**53
MISSING = (
    "reading Excel and OpenDocument workbooks needs python-calamine: pip install 'retail-pipeline[excel]'; "
    "or export the sheet as CSV"
)


class Excel(Format):
    """A sheet of a workbook: the one the contract names, or the first that is visible and has rows."""

    name = "excel"
    title = "Excel and OpenDocument workbooks"
    suffixes = (".xlsx", ".xlsm", ".xls", ".ods")
    seeks = True
    is_text = False

    def likelihood(self, head: Head) -> float:
        """Certain by the names within; less so for compound files, which hold other documents too."""
        kind = kind_of(head)
        return 0.0 if kind is None else 0.8 if kind == "xls" else 1.0

    def inspect(self, head: Head, dialect: TableDialect = AS_FOUND) -> Structure:
        """The header of a workbook that the head holds whole, where its reader is installed; else no columns."""
        refuse_locked_or_cut(head)
        details = _details(dialect)
        if not head.complete:
            return Structure(dialect.columns if dialect.header is False else None, details)
        try:
            refuse_bomb(stream := io.BytesIO(head.data), dialect.limits)
            refuse_sparse(stream, dialect.limits)
            with _opened(stream) as workbook:
                sheet = _sheet(workbook, details)
                lines, names = _header(sheet, details, dialect.columns)
        except _MissingReaderError:
            return Structure(dialect.columns if dialect.header is False else None, details)
        except MalformedFile as error:
            raise MalformedFile(f"{head.name}: {error}") from error
        shown = ",".join(map(str, lines)) or "none"
        return Structure(tuple(filter(None, names)), {**details, "sheet": sheet.name, "header rows": shown})

    def read(self, stream: BinaryIO, structure: Structure, wanted: Wanted) -> Iterator[Block]:
        """Blocks of rows below the header."""
        limits = structure.dialect.limits
        with seekable(stream) as file:
            refuse_bomb(file, limits)
            refuse_sparse(file, limits)
            with _opened(file) as workbook:
                sheet = _sheet(workbook, structure.details)
                lines, names = _header(sheet, structure.details, structure.columns or ())
                refuse_too_many(len(names), limits)
                first = max(lines, default=0)
                rows = (line for line in _lines(sheet) if line[0] > first)
                while block := [cells for _, cells in islice(rows, _BLOCK_ROWS)]:
                    yield _Cells(block, names, wanted, (sheet.start or (0, 0))[1])


class _MissingReaderError(MalformedFile):
    """The extra is not installed."""


def _opened(stream: BinaryIO) -> CalamineWorkbook:
    try:
        from python_calamine import CalamineError, CalamineWorkbook, PasswordError
    except ImportError as error:
        raise _MissingReaderError(MISSING) from error
    try:
        return CalamineWorkbook.from_filelike(stream)
    except PasswordError as error:
        raise MalformedFile("the workbook is under a password; save it without one and upload it again") from error
    except (CalamineError, OSError, ValueError) as error:
        raise MalformedFile(f"the workbook is damaged or cut off ({error}); save and upload it again") from error


def _details(dialect: TableDialect) -> dict[str, str]:
    """What the contract says, for :meth:`Excel.read`, which may be the first to see the sheet."""
    details: dict[str, str] = {}
    if dialect.sheet_name is not None:
        details["sheet"] = dialect.sheet_name
    if dialect.sheet_number is not None:
        details["sheet number"] = str(dialect.sheet_number)
    if dialect.header is False:
        details["header rows"] = "none"
    elif dialect.header_rows:
        details["header rows"] = ",".join(map(str, dialect.header_rows))
    return details | ({"header join": dialect.header_join} if len(dialect.header_rows) > 1 else {})


def _sheet(workbook: CalamineWorkbook, details: Mapping[str, str]) -> CalamineSheet:
    from python_calamine import CalamineError, SheetTypeEnum, SheetVisibleEnum

    sheets = [sheet for sheet in workbook.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
    names = [sheet.name for sheet in sheets]
    if "sheet" in details:
        asked = [name for name in names if name == details["sheet"]]
    elif "sheet number" in details:
        number = int(details["sheet number"])
        asked = names[number - 1 : number]
    else:
        asked = [sheet.name for sheet in sheets if sheet.visible == SheetVisibleEnum.Visible]
    try:
        found = [workbook.get_sheet_by_name(name) for name in asked]
    except (CalamineError, OSError, ValueError) as error:
        raise MalformedFile(f"a sheet of the workbook is damaged ({error}); save and upload it again") from error
    if not found:
        wish = details.get("sheet") or details.get("sheet number")
        what = f"no sheet {wish!r}" if wish else "no visible sheet"
        raise MalformedFile(f"the workbook has {what}; its sheets are {', '.join(map(repr, names)) or 'none'}")
    return next((sheet for sheet in found if sheet.height), found[0])


def _lines(sheet: CalamineSheet) -> Iterator[Line]:
    """The rows that have a value, from the first column that has one."""
    for number, cells in enumerate(sheet.iter_rows(), 1):
        if cells and (cells[0] != "" or any(cell != "" for cell in cells)):
            yield number, cells


def _header(sheet: CalamineSheet, details: Mapping[str, str], columns: Sequence[str]) -> tuple[list[int], list[str]]:
    """Which rows name the columns, and the names; a column without one has an empty text."""
    asked = details.get("header rows")
    if asked == "none":
        return [], list(columns)
    if asked:
        numbers = [int(number) for number in asked.split(",")]
        chosen = [line for line in islice(_lines(sheet), max(numbers)) if line[0] in numbers]
    else:
        chosen = _likely_header([*islice(_lines(sheet), _ROWS_TO_THE_HEADER)])
    if not chosen:
        raise MalformedFile(f"sheet {sheet.name!r} has no header; name another sheet, or its headerRows")
    texts = [[_text(cell) or "" for cell in cells] for _, cells in chosen]
    join = details.get("header join", " ")
    names = [join.join(filter(None, map(str.strip, column))) for column in zip(*texts, strict=True)]
    while names and not names[-1]:
        names.pop()
    repeated = sorted({name for name in names if name and names.count(name) > 1})
    if repeated:
        raise MalformedFile(f"sheet {sheet.name!r} has several columns named {', '.join(repeated)}; rename them")
    return [number for number, _ in chosen], names


def _likely_header(lines: Sequence[Line]) -> list[Line]:
    """The first row of texts only that fills more than half of the columns: a title above fills one or two."""
    widest = max((_filled(cells) for _, cells in lines), default=0)
    for line in lines:
        filled = [cell for cell in line[1] if cell != ""]
        if 2 * len(filled) > widest and all(isinstance(cell, str) for cell in filled):
            return [line]
    return []


def _filled(cells: Iterable[Cell]) -> int:
    return sum(cell != "" for cell in cells)


@dataclass(frozen=True)
class _Cells(Block):
    rows: Sequence[Sequence[Cell]]
    names: Sequence[str]
    wanted: Wanted
    margin: int
    """How many columns left of the first are empty."""

    def parse(self) -> Rows:
        import pyarrow as pa

        unnamed = [column for column, name in enumerate(self.names) if not name]
        malformed = [row for row in map(self._misplaced, range(len(self.rows)), [unnamed] * len(self.rows)) if row]
        bad = {row.position for row in malformed}
        positions = [position for position in range(len(self.rows)) if position not in bad]
        rows = [self.rows[position] for position in positions]
        columns = {}
        for column, name in enumerate(self.names):
            if name and self.wanted(name) is not None:
                cells = [row[column] if column < len(row) else "" for row in rows]
                columns[name] = pa.array(_texts(cells), pa.string())
        batch = batch_of(list(columns), list(columns.values()), len(positions))
        return Rows(batch, self._raw, positions, malformed, native=True)

    def _misplaced(self, position: int, unnamed: Sequence[int]) -> MalformedRow | None:
        row = self.rows[position]
        for column in (*unnamed, *range(len(self.names), len(row))):
            if column < len(row) and row[column] != "":
                reason = (
                    f"the row has a value in column {_letters(self.margin + column)}, which the header doesn't name"
                )
                return MalformedRow(position, reason, _json(row))
        return None

    def _raw(self, positions: Sequence[int]) -> list[str]:
        return [_json(self.rows[position]) for position in positions]


def _json(row: Sequence[Cell]) -> str:
    cells = [cell if isinstance(cell, str | int) else _text(cell) for cell in row]
    return json.dumps([None if cell == "" else cell for cell in cells], ensure_ascii=False)


def _texts(cells: Sequence[Cell]) -> Sequence[str | None]:
    """Cells as exact texts; quickly where all are of one type, as most columns are."""
    types = set(map(type, cells))
    if types == {str} and "" not in cells:
        return cells  # type: ignore[return-value]
    if types == {float}:
        numbers = cast(Sequence[float], cells)
        return [str(int(n)) if n.is_integer() and abs(n) < _EXACT else repr(n) for n in numbers]
    return [_text(cell) for cell in cells]


def _text(cell: Cell) -> str | None:
    """A cell as exact text; None when it is empty."""
    if isinstance(cell, str):
        return cell or None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < _EXACT else repr(cell)
    if isinstance(cell, datetime.timedelta):
        return str(cell)
    return str(cell) if isinstance(cell, int) else cell.isoformat()


def _letters(column: int) -> str:
    """What a spreadsheet calls a column, from 0."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


@hookimpl
def register_formats() -> Sequence[Format]:
    """The hook of this plugin."""
    return [Excel()]
