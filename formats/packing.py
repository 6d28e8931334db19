"""What is packed around a file: gzip, bzip2, xz and zstd, and zip archives. Told by content, never by name.

Nothing is ever unpacked to a name that an archive gives; memory and what comes out are bounded by
:class:`~formats.limits.Limits`.
"""

from __future__ import annotations

import bz2
import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, BinaryIO, NoReturn, cast

from formats.format import MalformedFile
from formats.limits import DECODER_MEMORY, DIRECTORY_BYTES, RATIO_COUNTS_FROM, Limits

ZIP = "zip"
_MAGIC = {
    b"\x1f\x8b\x08": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"PK\x03\x04": ZIP,
    b"PK\x05\x06": ZIP,
}
_SUFFIXES = (".gz", ".gzip", ".bz2", ".xz", ".zst", ".zstd", ".zip")
_TAR = b"ustar"
_TAR_AT = 257
_READ_SIZE = 256 * 1024
_ENCRYPTED = 0x1
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}


class _DamagedError(Exception):
    """What is packed can't be unpacked on. Not an ``OSError``: those of the stream are no fault of the file."""


_FAULTS = (_DamagedError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, ValueError, struct.error)


def packing_of(data: bytes) -> str | None:
    """What a file's first bytes show it to be packed with; None when it isn't."""
    return next((name for magic, name in _MAGIC.items() if data.startswith(magic)), None)


def name_within(name: str) -> str:
    """A packed file's name without what says how it is packed."""
    suffix = next((suffix for suffix in _SUFFIXES if name.lower().endswith(suffix)), "")
    return name[: len(name) - len(suffix)] or name


def refuse_archive(data: bytes) -> None:
    """Raise :class:`MalformedFile` where what was packed is packed itself: such a file may hold anything."""
    inner = "tar" if data[_TAR_AT : _TAR_AT + len(_TAR)] == _TAR else packing_of(data)
    if inner is not None:
        raise MalformedFile(f"what is packed here is packed again ({inner}); send the file packed once, or not at all")


def unpacked(stream: BinaryIO, packing: str, limits: Limits) -> BinaryIO:
    """What gzip, bzip2, xz or zstd has packed. Reading raises :class:`MalformedFile` where it is cut off or damaged."""
    counted = _Counted(stream)
    inner: Any = _Zstd(counted) if packing == "zstd" else _Decompressed(counted, packing)
    return io.BufferedReader(_Bounded(inner, packing, limits, lambda: counted.count, stream.close), _READ_SIZE)


class Archive:
    """A zip archive: its members by their names, each to be opened from its beginning."""

    def __init__(self, stream: BinaryIO, limits: Limits) -> None:
        """Raises :class:`MalformedFile` when the archive is cut off, or has members that can't be taken."""
        self._limits = limits
        try:
            self._zip = zipfile.ZipFile(cast(BinaryIO, _ShortReads(stream)))
        except _FAULTS as error:
            raise MalformedFile(
                "the zip archive is cut off or damaged, its list of files can't be read; upload it again", str(error)
            ) from error
        self.members = [info for info in self._zip.infolist() if not _is_no_file(info)]
        self._check()

    @property
    def names(self) -> Sequence[str]:
        """The members' names, for people to see."""
        return [info.filename for info in self.members]

    def open(self, member: zipfile.ZipInfo) -> BinaryIO:
        """A member's content. Reading raises :class:`MalformedFile` where it is damaged."""
        try:
            inner = self._zip.open(member)
        except _FAULTS as error:
            raise MalformedFile("the archive is damaged here; upload it again", str(error)) from error
        bounded = _Bounded(inner, ZIP, self._limits, lambda: member.compress_size, inner.close)
        return io.BufferedReader(bounded, _READ_SIZE)

    def _check(self) -> None:
        if not self.members:
            raise MalformedFile("the zip archive holds no file; export it again")
        if len(self.members) > self._limits.members:
            raise MalformedFile(
                f"the zip archive holds {len(self.members):,} files, more than {self._limits.members:,} "
                "(limits.members of the contract); send several archives"
            )
        total = sum(info.file_size for info in self.members)
        if total > self._limits.unpacked_bytes:
            _refuse_size(self._limits)
        for info in self.members:
            if info.header_offset < 0:  # where it should be is known from the archive's end
                raise MalformedFile("the beginning of the zip archive is cut off; upload it again")
            if info.flag_bits & _ENCRYPTED:
                raise MalformedFile(f"{info.filename}: this file is encrypted; pack it without a password")
            if info.compress_type not in _METHODS:
                raise MalformedFile(
                    f"{info.filename}: packed by method {info.compress_type} of zip; pack it by deflate, the usual one"
                )


def _is_no_file(info: zipfile.ZipInfo) -> bool:
    """Folders, and what macOS puts beside each file, hold no rows."""
    return info.is_dir() or info.filename.startswith("__MACOSX/") or info.filename.rsplit("/", 1)[-1] == ".DS_Store"


class _Zstd:
    """By the library that the validator brings, or by pyarrow, which AWS Glue brings. Both hold 128 MB at most."""

    def __init__(self, stream: _Counted) -> None:
        self._stream = stream
        self._faults: tuple[type[Exception], ...] = (OSError,)
        try:
            from backports.zstd import ZstdError, ZstdFile
        except ImportError:
            import pyarrow as pa

            self._inner = pa.CompressedInputStream(pa.PythonFile(stream, "r"), "zstd")
        else:
            self._inner = ZstdFile(stream)
            self._faults = (OSError, ZstdError)

    def read(self, size: int) -> bytes:
        try:
            return bytes(self._inner.read(size))
        except self._faults as error:
            if self._stream.failed:
                raise
            raise _DamagedError(error) from error


class _Decompressed:
    """Reads streams of one kind that stand one after the other, as these formats allow."""

    def __init__(self, stream: _Counted, packing: str) -> None:
        self._stream = stream
        self._new = _DECOMPRESSORS[packing]
        self._decompressor: Any = self._new()

    def read(self, size: int) -> bytes:
        while True:
            chunk = b""
            if self._decompressor.eof:
                # Padding of zeros may follow each stream (gzip manual; xz file format, section 2.2).
                chunk = (self._decompressor.unused_data or self._stream.read(_READ_SIZE)).lstrip(b"\0")
                while not chunk and (more := self._stream.read(_READ_SIZE)):
                    chunk = more.lstrip(b"\0")
                if not chunk:
                    return b""
                self._decompressor = self._new()
            elif self._decompressor.needs_input and not (chunk := self._stream.read(_READ_SIZE)):
                raise EOFError("it ends too early")
            try:
                data = self._decompressor.decompress(chunk, size)
            except (OSError, lzma.LZMAError, zlib.error) as error:
                raise _DamagedError(error) from error
            if data:
                return bytes(data)


class _Gzip:
    """zlib's decompressor with the interface of the others."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(zlib.MAX_WBITS | 16)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail

    def decompress(self, data: bytes, size: int) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, size)


_DECOMPRESSORS: Mapping[str, Callable[[], Any]] = {
    "gzip": _Gzip,
    "bzip2": bz2.BZ2Decompressor,
    "xz": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=DECODER_MEMORY),
}


class _Bounded(io.RawIOBase):
    """Unpacked bytes, no more than the limits allow; a fault of the packing is one of the file, with its place."""

    def __init__(
        self, inner: Any, packing: str, limits: Limits, packed: Callable[[], int], close: Callable[[], None]
    ) -> None:
        self._inner = inner
        self._close = close
        self._packing = packing
        self._limits = limits
        self._packed = packed
        self._count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._inner.read(len(buffer))
        except _FAULTS as error:
            raise MalformedFile(
                f"what {self._packing} has packed is cut off or damaged after {self._count:,} unpacked bytes; "
                "upload it again",
                str(error),
            ) from error
        buffer[: len(data)] = data
        self._count += len(data)
        if self._count > self._limits.unpacked_bytes:
            _refuse_size(self._limits)
        ratio = self._limits.unpacked_ratio
        if self._count > RATIO_COUNTS_FROM and self._count > ratio * max(1, self._packed()):
            raise MalformedFile(
                f"each byte of this {self._packing} file unpacks to more than {ratio:,}, as if to fill the memory "
                "(limits.unpackedRatio of the contract); send the file as it is"
            )
        return len(data)

    def close(self) -> None:
        self._close()
        super().close()


class _Counted(io.RawIOBase):
    """Counts what is read of a stream, and keeps in mind whether that failed."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.count = 0
        self.failed = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._stream.read(len(buffer))
        except OSError:
            self.failed = True
            raise
        buffer[: len(data)] = data
        self.count += len(data)
        return len(data)


class _ShortReads:
    """A stream of which nobody reads much at once, as a zip archive with an endless list of members would ask for."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.seek, self.tell, self.seekable = stream.seek, stream.tell, stream.seekable

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(DIRECTORY_BYTES + 1 if size < 0 else min(size, DIRECTORY_BYTES + 1))
        if len(data) > DIRECTORY_BYTES:
            raise MalformedFile(f"the zip archive's list of files is longer than {DIRECTORY_BYTES:,} bytes")
        return data


def _refuse_size(limits: Limits) -> NoReturn:
    raise MalformedFile(
        f"unpacked, this is more than {limits.unpacked_bytes:,} bytes (limits.unpackedBytes of the contract); "
        "send it in several files"
    )
