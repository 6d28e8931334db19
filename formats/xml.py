"""XML: rows are the elements at one path, which the contract names or the file shows by repeating them.

A row's attributes and child elements are its columns by their local names: prefixes don't count. Values further in
have dots between the names on the way, as ``price.currency`` for an attribute of ``price``. What repeats within a
row comes as a JSON array. An element beside the rows that may be one by another name is a malformed row; what is
plainly none is passed over, and counted. A byte order mark and the contract count for more than the encoding that the
document declares, as RFC 7303, section 3, has it.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from formats.dialect import AS_FOUND, TableDialect
from formats.encoding import UTF_8, is_encoding
from formats.format import Block, Format, Head, MalformedFile, Structure, Wanted
from formats.hookspecs import hookimpl

_BEGINNING = re.compile(r"\s*<([?!]|[^\W\d])", re.UNICODE)
_WEB_PAGE = re.compile(r"\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<(!doctype\s+html|html)\b", re.IGNORECASE | re.DOTALL)
_DECLARED = re.compile(rb"""<\?xml\s[^>]*?\bencoding\s*=\s*["']([A-Za-z][A-Za-z0-9._-]{,40})["']""")
_WIDE = re.compile(r"(iso-10646-)?(utf|ucs)-?(16|32|2|4)", re.IGNORECASE)
"""Encodings in which a declaration doesn't show as ASCII (XML 1.0, appendix F)."""


class Xml(Format):
    """An XML document (https://www.w3.org/TR/xml/) with a repeated element."""

    name = "xml"
    title = "XML: an element for each row"
    suffixes = (".xml",)
    names_in_rows = True
    is_utf8 = True

    def likelihood(self, head: Head) -> float:
        """A tag at the beginning is nearly proof, if it isn't a web page's."""
        text = _beginning(head)
        if _WEB_PAGE.match(text):
            return 0.0
        return 0.95 if text.lstrip().startswith("<?xml") else 0.85 if _BEGINNING.match(text) else 0.0

    def declared_encoding(self, head: Head) -> str | None:
        """That of the XML declaration."""
        found = _DECLARED.match(head.data.removeprefix(codecs.BOM_UTF8))
        if not found:
            return None
        name = found[1].decode().lower()
        fault = "isn't in" if _WIDE.match(name) else None if is_encoding(name) else "can't be read in"
        if fault:
            raise MalformedFile(
                f"line 1, column {found.start(1) + 1}: the document {fault} the encoding that it declares; export it "
                "in UTF-8, or name its encoding in the contract",
                name,
            )
        return UTF_8 if codecs.lookup(name).name == UTF_8 else name

    def inspect(self, head: Head, dialect: TableDialect = AS_FOUND) -> Structure:
        """Where the rows are, and the names in the first of them."""
        from formats import xml_document  # with what reads it, which most runs have no use for

        return xml_document.structure_of(head, dialect)

    def read(self, stream: BinaryIO, structure: Structure, wanted: Wanted) -> Iterator[Block]:
        """Blocks of some hundred rows."""
        from formats import xml_document

        return xml_document.blocks(stream, structure, wanted)


def _beginning(head: Head) -> str:
    return head.data[:4096].removeprefix(codecs.BOM_UTF8).decode("utf-8", errors="replace")


@hookimpl
def register_formats() -> Sequence[Format]:
    """The hook of this plugin."""
    return [Xml()]
