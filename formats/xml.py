"""XML: rows are the elements at one path, which the contract names or the file shows by repeating them.

A row's attributes and child elements are its columns by their local names: prefixes don't count. Values further in
have dots between the names on the way, as ``price.currency`` for an attribute of ``price``. What repeats within a
row comes as a JSON array. An element beside the rows that may be one by another name is a malformed row; what is
plainly none is passed over, and counted. The encoding is the one the document declares.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from formats.dialect import AS_FOUND, TableDialect
from formats.format import Block, Format, Head, Structure, Wanted
from formats.hookspecs import hookimpl

_BEGINNING = re.compile(r"\s*<([?!]|[^\W\d])", re.UNICODE)
_WEB_PAGE = re.compile(r"\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<(!doctype\s+html|html)\b", re.IGNORECASE | re.DOTALL)
_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


class Xml(Format):
    """An XML document (https://www.w3.org/TR/xml/) with a repeated element."""

    name = "xml"
    title = "XML: an element for each row"
    suffixes = (".xml",)
    names_in_rows = True
    is_text = False

    def likelihood(self, head: Head) -> float:
        """A tag at the beginning is nearly proof, if it isn't a web page's."""
        text = _beginning(head)
        if _WEB_PAGE.match(text):
            return 0.0
        return 0.95 if text.lstrip().startswith("<?xml") else 0.85 if _BEGINNING.match(text) else 0.0

    def inspect(self, head: Head, dialect: TableDialect = AS_FOUND) -> Structure:
        """Where the rows are, and the names in the first of them."""
        from formats import xml_document  # with what reads it, which most runs have no use for

        return xml_document.structure_of(head, dialect)

    def read(self, stream: BinaryIO, structure: Structure, wanted: Wanted) -> Iterator[Block]:
        """Blocks of some hundred rows."""
        from formats import xml_document

        return xml_document.blocks(stream, structure, wanted)


def _beginning(head: Head) -> str:
    for mark, encoding in _UTF16.items():
        if head.data.startswith(mark):
            return head.data[len(mark) : 4096].decode(encoding, errors="replace")
    return head.data[:4096].removeprefix(codecs.BOM_UTF8).decode("utf-8", errors="replace")


@hookimpl
def register_formats() -> Sequence[Format]:
    """The hook of this plugin."""
    return [Xml()]
