"""The parser of XML, and what it refuses.

It is expat's (the standard library's) parser, so that the validator needs no other. A document type declaration is
refused: no sales file needs one, and all attacks by entities do (https://owasp.org, *XML External Entity*).
"""

from __future__ import annotations

from functools import lru_cache
from typing import NoReturn
from xml.parsers import expat

from formats.format import MalformedFile
from formats.limits import Limits

SEPARATOR = " "
"""Between a namespace and a name, which can hold no space."""
_CUT_OFF = {
    expat.errors.codes[name] for name in (expat.errors.XML_ERROR_NO_ELEMENTS, expat.errors.XML_ERROR_UNCLOSED_TOKEN)
}
_REMEDIES = {
    expat.errors.codes[expat.errors.XML_ERROR_JUNK_AFTER_DOC_ELEMENT]: (
        "a file holds one document: remove what stands after it, or upload it as a file of its own"
    ),
    expat.errors.codes[expat.errors.XML_ERROR_MISPLACED_XML_PI]: "remove what stands before the XML declaration",
}


@lru_cache
def local_name(name: str) -> str:
    """A name without its namespace."""
    return name.rpartition(SEPARATOR)[2]


def refuse_deeper(limits: Limits, parser: expat.XMLParserType) -> NoReturn:
    """Raises :class:`~formats.MalformedFile`: an element is deeper than it may be."""
    raise MalformedFile(
        f"{_place(parser)}: elements are nested more than {limits.depth} deep (limits.depth of the contract)"
    )


def refuse_doctype(name: str, *_rest: object) -> None:
    """Raises :class:`~formats.MalformedFile`: entities come by a document type declaration only."""
    raise MalformedFile("the document has a document type declaration; export it without one", f"<!DOCTYPE {name}>")


def utf_8_parser() -> expat.XMLParserType:
    """A parser of documents in UTF-8, whatever they declare: their text was decoded before."""
    parser = expat.ParserCreate("utf-8", SEPARATOR)

    def refuse(name: str, *_rest: object) -> None:
        try:
            refuse_doctype(name)
        except MalformedFile as error:
            raise error.at(_place(parser)) from None

    parser.StartDoctypeDeclHandler = refuse
    return parser


def _place(parser: expat.XMLParserType) -> str:
    return f"line {parser.CurrentLineNumber:,}, column {parser.CurrentColumnNumber + 1:,}"


def malformed(error: expat.ExpatError) -> MalformedFile:
    """Where a document stops being XML, why, and what to do about it."""
    where = f"line {error.lineno:,}, column {error.offset + 1:,}"
    if error.code in _CUT_OFF:
        return MalformedFile(f"{where}: the document is cut off, some of its elements don't end; upload it again")
    remedy = _REMEDIES.get(error.code, "export it again")
    return MalformedFile(f"{where}: the document is not well-formed XML, {expat.ErrorString(error.code)}; {remedy}")
