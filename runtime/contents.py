"""What an upload holds: the file itself, what one was packed from, or the members of an archive."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, cast
from zipfile import ZipInfo

from formats import Head, MalformedFile, Registry
from formats.encoding import decoded
from formats.format import HEAD_SIZE, Format
from formats.limits import Limits
from formats.packing import ZIP, Archive, name_within, packing_of, refuse_archive, unpacked

if TYPE_CHECKING:
    from runtime.source import Source

_OFFICE = ("[Content_Types].xml", "mimetype")
"""Members by which an Office document (ECMA-376 part 2; OpenDocument part 2) is told from an archive."""


@dataclass(frozen=True)
class Content:
    """One file of an upload, as it was before it was packed. Neither its head nor its stream is decoded."""

    head: Head
    open: Callable[[], BinaryIO]
    """Gives a stream over the whole of it."""
    packing: str | None = None
    """What it is packed with."""
    member: str = ""
    """Its name in the archive, if it is in one."""

    @contextmanager
    def opened(self, format_: Format, encoding: str | None, limits: Limits) -> Iterator[BinaryIO]:
        """The stream that a format reads: in UTF-8 where it is text, and one that seeks where the format does."""
        with ExitStack() as stack:
            stream = stack.enter_context(self.open())
            if encoding is not None:
                stream = decoded(stream, encoding)
            if format_.seeks and not (self.packing is None and encoding in (None, "utf-8")):
                stream = stack.enter_context(_spooled(stream, limits))
            yield stream


@contextmanager
def contents(source: Source, registry: Registry, limits: Limits) -> Iterator[Sequence[Content]]:
    """The files that an upload holds, at least one.

    Raises :class:`~formats.MalformedFile` when they can't be unpacked, or are too many.
    """
    head = source.head()
    packing = packing_of(head.data)
    if packing is None or registry.claims(head):
        yield [Content(head, source.open)]
    elif packing != ZIP:

        def unpack() -> BinaryIO:
            return unpacked(source.open(), packing, limits)

        yield [Content(_head_of(unpack, name_within(head.name), registry), unpack, packing)]
    else:
        with source.open() as stream:
            archive = Archive(stream, limits)
            if any(name in archive.names for name in _OFFICE):
                raise MalformedFile("the content is an Office document, which no format installed here reads")
            yield [_member(archive, info, f"{head.name}: {info.filename}", registry) for info in archive.members]


def _member(archive: Archive, info: ZipInfo, name: str, registry: Registry) -> Content:
    unpack = partial(archive.open, info)
    return Content(_head_of(unpack, name, registry), unpack, ZIP, info.filename)


def _head_of(unpack: Callable[[], BinaryIO], name: str, registry: Registry) -> Head:
    """The head of what is packed, of which neither size nor end are known unless all of it is seen."""
    try:
        with unpack() as stream:
            data = stream.read(HEAD_SIZE)
            complete = len(data) < HEAD_SIZE or not stream.read(1)
        head = Head(name, len(data), data, data) if complete else Head(name, None, data, None)
        if not registry.claims(head):
            refuse_archive(data)
    except MalformedFile as error:
        raise error.at(name) from error
    return head


@contextmanager
def _spooled(stream: BinaryIO, limits: Limits) -> Iterator[BinaryIO]:
    """The whole of a stream on disk."""
    with tempfile.TemporaryFile() as file:
        shutil.copyfileobj(cast(BinaryIO, _Limited(stream, limits.spooled_bytes)), file)
        file.seek(0)
        yield file


class _Limited:
    def __init__(self, stream: BinaryIO, most: int) -> None:
        self._stream = stream
        self._left = most

    def read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise MalformedFile(
                "unpacked, this is too large for a format that goes back and forth in it (limits.spooledBytes of the "
                "contract); upload it as it is"
            )
        return data
