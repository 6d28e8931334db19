"""What the bytes of a workbook show before anything is unpacked: its kind, its lock, and how large it would get."""

from __future__ import annotations

import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Mapping
from typing import BinaryIO
from xml.parsers import expat

from formats.format import Head, MalformedFile
from formats.limits import READER_MEMORY, READER_SECONDS, SHEET_BYTES, Limits
from formats.xml_expat import refuse_doctype

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""What a compound file begins with (MS-CFB section 2.2): an old workbook, or a new one under a password."""
ZIP = b"PK\x03\x04"
LOCKED = "the workbook is under a password; save it without one and upload it again"
_TRIAL = """
import resource, sys
memory, seconds, *sys.path = sys.argv[1:]
resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds)))
import io, python_calamine
try:
    workbook = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read()))
    for name in workbook.sheet_names:
        workbook.get_sheet_by_name(name)
except (python_calamine.CalamineError, OSError, ValueError):
    pass  # is said where it is opened in earnest
"""
UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError)
"""What reading a part of an archive raises where it is damaged."""
_END_OF_ZIP = b"PK\x05\x06"
_MANIFEST, _CONTENT, _ENCRYPTION = "META-INF/manifest.xml", "content.xml", "encryption-data"
"""Of OpenDocument: the list of its parts, its text, and what its list has where they are under a password."""
_ODS = b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet"
_SHEETS = "xl/worksheets/"
_XLSX_PARTS = (b"xl/workbook", b"xl/worksheets/", b"xl/styles.xml", b"xl/sharedStrings.xml", b"xl/theme/", b"xl/_rels/")
_WORKBOOK_STREAMS = ["Workbook".encode("utf-16-le"), "Book".encode("utf-16-le")]
_ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")


def kind_of(head: Head) -> str | None:
    """``xlsx``, ``ods``, ``xls``, ``encrypted``, or None when it is no workbook."""
    seen = head.data + (head.tail or b"")
    if head.data.startswith(ZIP):
        first = _first_name(head.data)
        if first == b"mimetype" and _ODS in head.data[:256]:
            return "ods"
        # An archive with a workbook in it, stored as it is, shows that one's parts too.
        own = first.startswith(b"xl/") or first.endswith((b".xml", b".rels", b"/"))
        return "xlsx" if own and any(part in seen for part in _XLSX_PARTS) else None
    if head.data.startswith(OLE):
        if _ENCRYPTED_STREAM in seen:
            return "encrypted"
        # The directory lies anywhere in a compound file: where it is out of sight, the name has to tell.
        if any(name in seen for name in _WORKBOOK_STREAMS) or head.name.lower().endswith(".xls"):
            return "xls"
    return None


def _first_name(data: bytes) -> bytes:
    """The name of an archive's first member (APPNOTE.TXT, section 4.3.7)."""
    return data[30 : 30 + int.from_bytes(data[26:28], "little")]


def refuse_locked_or_cut(head: Head) -> None:
    """Raises :class:`~formats.MalformedFile` when head and tail show that the workbook can't be opened."""
    kind = kind_of(head)
    if kind == "encrypted":
        raise MalformedFile(f"{head.name}: {LOCKED}")
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
            raise MalformedFile("the workbook is damaged or cut off; save and upload it again", str(error)) from error
        sheets = sum(part.file_size for part in parts if part.filename.startswith(_SHEETS))
        rest = sum(part.file_size for part in parts) - sheets
        if sheets > SHEET_BYTES:
            raise MalformedFile(
                f"the workbook's sheets unpack to {sheets:,} bytes, more than the {SHEET_BYTES:,} allowed; split it, "
                "or export its sheet as CSV"
            )
        if rest > limits.workbook_bytes:
            raise MalformedFile(
                f"the workbook unpacks to {rest:,} bytes, more than {limits.workbook_bytes:,} "
                "(limits.workbookBytes of the contract); split it, or export its sheet as CSV"
            )
        if any(part.flag_bits & 1 for part in parts):
            raise MalformedFile(LOCKED)
    stream.seek(0)


def is_open_xml(stream: BinaryIO) -> bool:
    """Whether a workbook is an ``.xlsx``, and not one of the same archive with parts that aren't XML, ``.xlsb``."""
    stream.seek(0)
    if stream.read(len(ZIP)) != ZIP:
        return False
    with zipfile.ZipFile(stream) as archive:
        names = [name.lower() for name in archive.namelist()]
    return "xl/workbook.bin" not in names and "content.xml" not in names


def refuse_huge(stream: BinaryIO) -> None:
    """Raises :class:`~formats.MalformedFile` when python-calamine would exceed ``READER_MEMORY`` or ``READER_SECONDS``.

    It makes a place for each cell between the first and the last, and it never finds the end of some damaged sheets, so
    it is tried in a process that may die. An ``.ods`` that isn't well-formed, whose end it awaits for ever, is refused
    before that.
    """
    _refuse_unclosed(stream)
    stream.seek(0)
    command = [sys.executable, "-c", _TRIAL, str(READER_MEMORY), str(READER_SECONDS), *sys.path]
    if subprocess.run(command, input=stream.read(), capture_output=True, check=False).returncode:
        raise MalformedFile("the workbook is damaged, or its sheets are too large; export the sheet as CSV")
    stream.seek(0)


def _refuse_unclosed(stream: BinaryIO) -> None:
    """Raises :class:`~formats.MalformedFile` where an ``.ods`` isn't well-formed, has a cell with an error, or is under
    a password, with which it is no XML (OpenDocument part 2, section 4.8.1)."""
    stream.seek(0)
    if stream.read(len(ZIP)) != ZIP:
        return
    try:
        with zipfile.ZipFile(stream) as archive:
            parts = archive.namelist()
            within: set[str] = set()
            if _MANIFEST in parts:
                _parse(archive, _MANIFEST, StartElementHandler=lambda name, _: within.add(name.rpartition(":")[2]))
            if _ENCRYPTION in within:
                raise MalformedFile(LOCKED)
            if _CONTENT in parts:
                _parse(archive, _CONTENT, StartDoctypeDeclHandler=refuse_doctype, StartElementHandler=_refuse_error)
    except (*UNREADABLE, expat.ExpatError, LookupError) as error:
        raise MalformedFile("the workbook is damaged; save and upload it again", str(error)) from error


def _refuse_error(_name: str, attributes: Mapping[str, str]) -> None:
    """Raises :class:`~formats.MalformedFile` for a cell that is an error, as LibreOffice marks it: python-calamine
    gives nothing for it, or even a number."""
    if attributes.get("calcext:value-type") == "error":
        raise MalformedFile(
            "the workbook has a cell with an error, such as #N/A, which can't be told from an empty one in an .ods; "
            "correct its formula, or save the workbook as .xlsx, of which only the row is left out"
        )


def _parse(archive: zipfile.ZipFile, part: str, **handlers: Callable[..., None]) -> None:
    parser = expat.ParserCreate()
    for name, handler in handlers.items():
        setattr(parser, name, handler)
    with archive.open(part) as stream:
        parser.ParseFile(stream)
