"""Reads what an admitted upload holds: unpacked, in UTF-8, one file after the other as the blocks of one."""

from __future__ import annotations

from collections.abc import Generator

from formats import Block, MalformedFile, Wanted
from runtime.admission import Admission, Part
from runtime.contents import contents
from runtime.source import Source


def blocks(source: Source, admission: Admission, wanted: Wanted) -> Generator[tuple[Part, Block], None, None]:
    """The blocks of an upload in order, each with the file that it is of.

    Raises :class:`~formats.MalformedFile` when it can't be read on, and as :meth:`formats.Format.read` does.
    """
    limits = admission.contract.limits
    with contents(source, admission.registry, limits) as found:
        for content, part in zip(found, admission.parts, strict=True):
            try:
                with content.opened(part.format, part.encoding, limits) as stream:
                    for block in part.format.read(stream, part.structure, wanted):
                        yield part, block
            except MalformedFile as error:
                if part.member:
                    raise error.at(part.member) from error
                raise
