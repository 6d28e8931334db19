"""What the bytes of a workbook show before anything is unpacked: its kind, its lock, and how large it would get."""

from __future__ import annotations

import zipfile
from typing import BinaryIO

from formats.format import Head, MalformedFile

UNPACKED_LIMIT = 256 * 1024 * 1024
"""The most bytes that a workbook may unpack to. It is held in memory whole, about twice as large, by its reader."""

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""What a compound file begins with (MS-CFB section 2.2): an old workbook, or a new one under a password."""
ZIP = b"PK\x03\x04"
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


def refuse_bomb(stream: BinaryIO) -> None:
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
        if unpacked > UNPACKED_LIMIT:
            raise MalformedFile(
                f"the workbook unpacks to {unpacked:,} bytes, more than the {UNPACKED_LIMIT:,} allowed; "
                "split it, or export its sheet as CSV"
            )
        if any(part.flag_bits & 1 for part in parts):
            raise MalformedFile("the workbook is under a password; save it without one and upload it again")
    stream.seek(0)
