"""The sheets of ``.xls`` and ``.ods`` workbooks, by python-calamine, the extra ``excel``.

It holds a workbook in memory: see ``formats.excel_file`` for what bounds that. It gives no cell with an error, such as
#DIV/0!, but an empty one.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO, cast

from formats.columns import batch_of
from formats.excel_file import LOCKED
from formats.format import Block, MalformedFile, MalformedRow, Rows, Wanted
from formats.sheet import Header, Line, Sheet, duration, letters, shortest

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook

Cell = int | float | str | bool | datetime.time | datetime.date | datetime.datetime | datetime.timedelta

_BLOCK_ROWS = 8192
MISSING = (
    "reading .xls and .ods workbooks needs python-calamine: pip install 'retail-pipeline[excel]'; "
    "or save the workbook as .xlsx, or export its sheet as CSV"
)


class MissingReaderError(MalformedFile):
    """The extra is not installed."""


def calamine_sheets(stream: BinaryIO) -> Sequence[Sheet]:
    """The sheets of a workbook.

    Raises :class:`~formats.MalformedFile` when it can't be read, :class:`MissingReaderError` when there's no reader.
    """
    try:
        import python_calamine as calamine
    except ImportError as error:
        raise MissingReaderError(MISSING) from error
    try:
        workbook = calamine.CalamineWorkbook.from_filelike(stream)
    except calamine.PasswordError as error:
        raise MalformedFile(LOCKED) from error
    except (calamine.CalamineError, OSError, ValueError) as error:
        raise MalformedFile("the workbook is damaged or cut off; save and upload it again", str(error)) from error
    return [
        _Sheet(workbook, sheet.name, sheet.visible == calamine.SheetVisibleEnum.Visible)
        for sheet in workbook.sheets_metadata
        if sheet.typ == calamine.SheetTypeEnum.WorkSheet
    ]


@dataclass(frozen=True)
class _Sheet(Sheet):
    workbook: CalamineWorkbook
    name: str
    visible: bool

    def lines(self) -> Iterator[Line]:
        for number, cells in _filled(self._loaded):
            texts = {column: text for column, cell in enumerate(cells, self._margin) if (text := _text(cell))}
            yield Line(number, texts, all(isinstance(cell, str) for cell in cells))

    def blocks(self, header: Header, wanted: Wanted) -> Iterator[Block]:
        rows = (cells for number, cells in _filled(self._loaded) if number > header.last)
        while block := [*islice(rows, _BLOCK_ROWS)]:
            yield _Cells(block, header, wanted, self._margin)

    @property
    def _margin(self) -> int:
        """How many columns left of the first are empty."""
        return (self._loaded.start or (0, 0))[1]

    @cached_property
    def _loaded(self) -> CalamineSheet:
        from python_calamine import CalamineError

        try:
            return self.workbook.get_sheet_by_name(self.name)
        except (CalamineError, OSError, ValueError) as error:
            raise MalformedFile("a sheet of the workbook is damaged; save and upload it again", str(error)) from error


def _filled(sheet: CalamineSheet) -> Iterator[tuple[int, Sequence[Cell]]]:
    """The rows that have a value, with their numbers."""
    for number, cells in enumerate(sheet.iter_rows(), 1):
        if cells and (cells[0] != "" or any(cell != "" for cell in cells)):
            yield number, cells


@dataclass(frozen=True)
class _Cells(Block):
    rows: Sequence[Sequence[Cell]]
    header: Header
    wanted: Wanted
    margin: int

    def parse(self) -> Rows:
        import pyarrow as pa

        malformed = [row for row in map(self._misplaced, range(len(self.rows))) if row]
        bad = {row.position for row in malformed}
        positions = [position for position in range(len(self.rows)) if position not in bad]
        columns = {}
        for column, name in self.header.names.items():
            if self.wanted(name) is not None:
                cells = [self._cell(self.rows[position], column) for position in positions]
                columns[name] = pa.array(_texts(cells), pa.string())
        batch = batch_of(list(columns), list(columns.values()), len(positions))
        return Rows(batch, self._raw, positions, malformed, native=True)

    def _cell(self, row: Sequence[Cell], column: int) -> Cell:
        place = column - self.margin
        return row[place] if 0 <= place < len(row) else ""

    def _misplaced(self, position: int) -> MalformedRow | None:
        row = self.rows[position]
        for column, cell in enumerate(row, self.margin):
            if cell != "" and column not in self.header.names:
                reason = f"the row has a value in column {letters(column)}, which the header doesn't name"
                return MalformedRow(position, reason, _json(row))
        return None

    def _raw(self, positions: Sequence[int]) -> list[str]:
        return [_json(self.rows[position]) for position in positions]


def _json(row: Sequence[Cell]) -> str:
    return json.dumps([_text(cell) for cell in row], ensure_ascii=False)


def _texts(cells: Sequence[Cell]) -> Sequence[str | None]:
    """Cells as exact texts; quickly where all are of one type, as most columns are."""
    types = set(map(type, cells))
    if types == {str} and "" not in cells:
        return cells  # type: ignore[return-value]
    if types == {float}:
        return [*map(shortest, cast(Sequence[float], cells))]
    return [_text(cell) for cell in cells]


def _text(cell: Cell) -> str | None:
    """A cell as exact text; None when it is empty."""
    if isinstance(cell, str):
        return cell or None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return shortest(cell)
    if isinstance(cell, datetime.timedelta):
        return duration(round(cell / datetime.timedelta(milliseconds=1)))
    return str(cell) if isinstance(cell, int) else cell.isoformat()
