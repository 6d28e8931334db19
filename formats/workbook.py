"""Finds the sheet of a workbook that has the rows, and reads it, by the reader that its kind needs."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import BinaryIO

from formats.calamine_sheets import MissingReaderError, calamine_sheets
from formats.columns import refuse_too_many
from formats.dialect import TableDialect
from formats.excel_file import is_open_xml, refuse_bomb, refuse_huge, refuse_locked_or_cut
from formats.extras import with_last
from formats.format import Block, Head, MalformedFile, Structure, Wanted
from formats.limits import Limits
from formats.seeking import seekable
from formats.sheet import RecordsOnly, Sheet, find_header, most_known
from formats.xlsx import open_xml_sheets


def structure_of(head: Head, dialect: TableDialect) -> Structure:
    """The header of a workbook that the head holds whole, where its reader is installed; else no columns."""
    refuse_locked_or_cut(head)
    details = _details(dialect)
    if not head.complete:
        return Structure(dialect.columns if dialect.header is False else None, details, dialect=dialect)
    try:
        with _opened(io.BytesIO(head.data), dialect.limits) as sheets:
            sheet = _chosen(sheets, details, dialect)
            header = find_header(sheet, details, dialect)
    except MissingReaderError:
        return Structure(dialect.columns if dialect.header is False else None, details, dialect=dialect)
    except MalformedFile as error:
        raise error.at(head.name) from error
    shown = ",".join(map(str, header.rows)) or "none"
    found = {**details, "sheet": sheet.name, "header rows": shown}
    return Structure(tuple(header.names.values()), found, dialect=dialect)


def blocks(stream: BinaryIO, structure: Structure, wanted: Wanted) -> Iterator[Block]:
    """Blocks of rows below the header."""
    details, dialect, limits = structure.details, structure.dialect, structure.dialect.limits
    with seekable(stream) as file, _opened(file, limits) as sheets:
        sheet = _chosen(sheets, details, dialect)
        header = find_header(sheet, details, dialect)
        refuse_too_many(header.width, limits)
        passed_over = _passed_over(sheets, sheet, dialect)
        for block, last in with_last(sheet.blocks(header, wanted)):
            yield RecordsOnly(block, header, last, passed_over)
            passed_over = {}


@contextmanager
def _opened(stream: BinaryIO, limits: Limits) -> Iterator[Sequence[Sheet]]:
    """The sheets of a workbook while it is open."""
    refuse_bomb(stream, limits)
    if is_open_xml(stream):
        with zipfile.ZipFile(stream) as archive:
            yield open_xml_sheets(archive, limits)
    else:
        refuse_huge(stream)
        yield calamine_sheets(stream)


def _details(dialect: TableDialect) -> dict[str, str]:
    """What the contract says, for :func:`blocks`, which may be the first to see the sheet."""
    details: dict[str, str] = {}
    if dialect.sheet_name is not None:
        details["sheet"] = dialect.sheet_name
    if dialect.sheet_number is not None:
        details["sheet number"] = str(dialect.sheet_number)
    if dialect.header is False:
        details["header rows"] = "none"
    elif dialect.header_rows:
        details["header rows"] = ",".join(map(str, dialect.header_rows))
    return details


def _chosen(sheets: Sequence[Sheet], details: Mapping[str, str], dialect: TableDialect) -> Sheet:
    """The sheet that the contract names, or of those visible the first that has rows and names most of the columns
    that it knows."""
    names = [sheet.name for sheet in sheets]
    if "sheet" in details:
        found = [sheet for sheet in sheets if sheet.name == details["sheet"]]
    elif "sheet number" in details:
        number = int(details["sheet number"])
        found = [*sheets[number - 1 : number]]
    else:
        found = [sheet for sheet in sheets if sheet.visible]
    if not found:
        what, remedy = "no visible sheet", "show the one with the rows, or name it in the contract's dialect.sheetName"
        if "sheet" in details:
            what, remedy = f"no sheet {details['sheet']!r}", "correct dialect.sheetName of the contract"
        elif "sheet number" in details:
            what, remedy = f"no sheet number {details['sheet number']}", "correct dialect.sheetNumber of the contract"
        raise MalformedFile(
            f"the workbook has {what}; its sheets are {', '.join(map(repr, names)) or 'none'}; {remedy}"
        )
    filled = [sheet for sheet in found if next(sheet.lines(), None)] or found
    many = dialect.known and len(filled) > 1
    return max(filled, key=lambda sheet: most_known(sheet, dialect)) if many else filled[0]


def _passed_over(sheets: Sequence[Sheet], chosen: Sheet, dialect: TableDialect) -> Mapping[str, int]:
    """The other visible sheets that have rows, unless the contract names one: then nobody expects them to be read."""
    if dialect.sheet_name is not None or dialect.sheet_number is not None:
        return {}
    others = (sheet for sheet in sheets if sheet.visible and sheet is not chosen)
    return Counter(f"sheet {sheet.name}" for sheet in others if next(sheet.lines(), None))
