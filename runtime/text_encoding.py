"""Decides how the text of a file is encoded: by its mark, the contract, its own declaration, or the whole of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from formats import Format, Head, MalformedFile
from formats.encoding import UTF_8, WINDOWS_1252, first_valid, is_valid, marked, seen, utf_8_or_windows
from runtime.contents import Content

Scan = Literal["never", "if needed", "always"]
"""Whether a file of text is read to its end to find out its encoding: ``if needed`` where its head isn't UTF-8."""


def told_encoding(head: Head, stated: Sequence[str]) -> str | None:
    """What a byte order mark or the contract tells, whose encodings are ``stated``, or the first bytes show surely."""
    return marked(head.data) or _of_stated(head, stated) or seen(head.data)


def likely_encoding(head: Head) -> str:
    """What a head looks like of which nothing is told."""
    return UTF_8 if is_valid(head.data, UTF_8, complete=head.complete) else WINDOWS_1252


def encoding_of(
    content: Content, text: Head, format_: Format, told: str | None, stated: Sequence[str], scan: Scan
) -> tuple[str, bool]:
    """The encoding of a format's file, and whether it is UTF-8 only for want of anything else.

    ``text`` is its head in UTF-8, as far as that is known yet, and ``told`` what :func:`told_encoding` says. Raises
    :class:`~formats.MalformedFile` where it declares what can't be read, or is in none of several encodings stated.
    """
    head = content.head
    if len(stated) > 1 and scan != "never" and not marked(head.data):
        return _first_of(content, stated), False
    if found := told or format_.declared_encoding(text):
        return found, False
    if format_.is_utf8:
        return UTF_8, False
    likely = likely_encoding(head)
    if scan == "always" or (scan == "if needed" and likely != UTF_8):
        with content.open() as stream:
            return utf_8_or_windows(stream), False
    return likely, True


def _of_stated(head: Head, encodings: Sequence[str]) -> str | None:
    """The first encoding of a contract in which the head is text, or else the first."""
    fitting = (name for name in encodings if is_valid(head.data, name, complete=head.complete))
    return next(fitting, encodings[0] if encodings else None)


def _first_of(content: Content, encodings: Sequence[str]) -> str:
    with content.open() as stream:
        found = first_valid(stream, encodings)
    if found is None:
        raise MalformedFile(
            f"the text is in none of the contract's encodings ({', '.join(encodings)}); export it in one of them, or "
            "add its encoding to the contract"
        )
    return found
