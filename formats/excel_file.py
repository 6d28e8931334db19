"""What the bytes of a workbook show before anything is unpacked: its kind, its lock, and how large it would get."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
import zlib
from typing import BinaryIO

from formats.format import Head, MalformedFile
from formats.limits import READER_MEMORY, Limits

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""What a compound file begins with (MS-CFB section 2.2): an old workbook, or a new one under a password."""
ZIP = b"PK\x03\x04"
_ROWS = 1024 * 1024
_NARROW = 26
"""Columns of one letter."""
_CELL = re.compile(rb"""r\s*=\s*["']([A-Za-z]+)([0-9]+)""")
_WIDE = re.compile(rb'<c r="(?:[A-Z]{2}|[a-z])')
_ODD_CELLS = (b"<c\t", b"<c\n", b"<c\r", b":c")
_TRIAL = """
import resource, sys
memory, *sys.path = sys.argv[1:]
resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
import io, python_calamine
try:
    workbook = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read()))
    for name in workbook.sheet_names:
        workbook.get_sheet_by_name(name)
except (python_calamine.CalamineError, OSError, ValueError):
    pass  # is said where it is opened in earnest
"""
_UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError)
_END_OF_ZIP = b"PK\x05\x06"
_ODS = b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet"
_XLSX_PARTS = (b"xl/workbook", b"xl/worksheets/", b"xl/styles.xml", b"xl/sharedStrings.xml", b"xl/theme/", b"xl/_rels/")
_WORKBOOK_STREAMS = ["Workbook".encode("utf-16-le"), "Book".encode("utf-16-le")]
_ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")


def kind_of(head: Head) -> str | None:
    """``xlsx``, ``ods``, ``xls``, ``encrypted``, or None when it is no workbook."""
    seen = head.data + (head.tail or b"")
    if head.data.startswith(ZIP):
        if _ODS in head.data[:256]:
            return "ods"
        return "xlsx" if any(part in seen for part in _XLSX_PARTS) else None
    if head.data.startswith(OLE):
        if _ENCRYPTED_STREAM in seen:
            return "encrypted"
        # The directory lies anywhere in a compound file: where it is out of sight, the name has to tell.
        if any(name in seen for name in _WORKBOOK_STREAMS) or head.name.lower().endswith(".xls"):
            return "xls"
    return None


def refuse_locked_or_cut(head: Head) -> None:
    """Raises :class:`~formats.MalformedFile` when head and tail show that the workbook can't be opened."""
    kind = kind_of(head)
    if kind == "encrypted":
        raise MalformedFile(f"{head.name}: the workbook is under a password; save it without one and upload it again")
    if kind in ("xlsx", "ods") and head.tail is not None and _END_OF_ZIP not in head.tail:
        raise MalformedFile(f"{head.name}: the workbook is cut off: its end is missing; upload it again")


def refuse_bomb(stream: BinaryIO, limits: Limits) -> None:
    """Raises :class:`~formats.MalformedFile` when a workbook would unpack to more than it may, or has locked parts.

    The sizes are those that its directory states; a reader unpacks no more of a part than is stated.
    """
    stream.seek(0)
    if stream.read(len(ZIP)) == ZIP:
        try:
            with zipfile.ZipFile(stream) as archive:
                parts = archive.infolist()
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise MalformedFile(f"the workbook is damaged or cut off ({error}); save and upload it again") from error
        unpacked = sum(part.file_size for part in parts)
        if unpacked > limits.workbook_bytes:
            raise MalformedFile(
                f"the workbook unpacks to {unpacked:,} bytes, more than {limits.workbook_bytes:,} "
                "(limits.workbookBytes of the contract); split it, or export its sheet as CSV"
            )
        if any(part.flag_bits & 1 for part in parts):
            raise MalformedFile("the workbook is under a password; save it without one and upload it again")
    stream.seek(0)


def refuse_sparse(stream: BinaryIO, limits: Limits) -> None:
    """Raises :class:`~formats.MalformedFile` when two cells of a sheet lie so far apart that its reader would die.

    Of an ``.xlsx`` the cells' names say so. Any other workbook is opened on trial, in a process that may die.
    """
    stream.seek(0)
    if stream.read(len(ZIP)) == ZIP:
        with zipfile.ZipFile(stream) as archive:
            sheets = [name for name in archive.namelist() if name.startswith("xl/worksheets/")]
            for name in sheets:
                try:
                    columns, rows = _extent(archive.read(name), limits.cells)
                except _UNREADABLE as error:
                    raise MalformedFile(
                        f"{name} in the workbook is damaged ({error}); save and upload it again"
                    ) from error
                if columns * rows > limits.cells:
                    raise MalformedFile(
                        f"a sheet of the workbook spans {columns:,} columns and {rows:,} rows, more than "
                        f"{limits.cells:,} cells (limits.cells of the contract); delete the cells that "
                        "lie apart from the table, or export it as CSV"
                    )
        if sheets:
            stream.seek(0)
            return
    stream.seek(0)
    command = [sys.executable, "-c", _TRIAL, str(READER_MEMORY), *sys.path]
    if subprocess.run(command, input=stream.read(), capture_output=True, check=False).returncode:
        raise MalformedFile("the workbook is damaged, or its sheets are too large; export the sheet as CSV")
    stream.seek(0)


def _extent(sheet: bytes, most: int) -> tuple[int, int]:
    """How many columns and rows a sheet has, or may have where that is few enough."""
    # What all writers write needs one look: columns of one letter can't be too many.
    usual = sheet.count(b"<c ") == sheet.count(b'<c r="') and not any(odd in sheet for odd in _ODD_CELLS)
    if usual and most >= _NARROW * _ROWS and not _WIDE.search(sheet):
        return _NARROW, _ROWS
    columns = rows = 0
    for letters, number in set(_CELL.findall(sheet)):
        column = 0
        for letter in letters.upper():
            column = 26 * column + letter - ord("@")
        columns, rows = max(columns, column), max(rows, int(number))
    return columns, rows
