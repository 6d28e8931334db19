"""Workbooks of Excel and LibreOffice: ``.xlsx``, ``.xls``, ``.ods``.

Cells come as they are, not as they are shown: 12 and 12.5 for numbers, ISO 8601 for dates, the text of texts (a
leading zero and a leading ``=`` stay), what a formula gave when the workbook was saved. Hidden sheets, and rows
without a value, are passed over. The raw text of a row is the JSON array of its cells.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO

from formats.dialect import AS_FOUND, TableDialect
from formats.excel_file import kind_of
from formats.format import Block, Format, Head, Structure, Wanted
from formats.hookspecs import hookimpl


class Excel(Format):
    """A sheet of a workbook: the one the contract names, or of those visible the first with rows, and of several under
    a contract the one whose header is its."""

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
        from formats import workbook  # a tenth of the start of a run, which most runs have no use for

        return workbook.structure_of(head, dialect)

    def read(self, stream: BinaryIO, structure: Structure, wanted: Wanted) -> Iterator[Block]:
        """Blocks of rows below the header."""
        from formats import workbook

        return workbook.blocks(stream, structure, wanted)


@hookimpl
def register_formats() -> Sequence[Format]:
    """The hook of this plugin."""
    return [Excel()]
