"""Rows of XML that look like one seen before, taken by a pattern: several times as fast as tag by tag.

A pattern takes less than XML allows, and nothing else than what the reader would make of it: what it doesn't match
goes tag by tag. That the document is well-formed is for the reader to find out, in what was matched too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_TOKEN = re.compile(
    rb"<(?P<end>/?)(?P<name>[^\s<>/!?=\"'&]+)(?P<attributes>(?:\s+[^\s<>/=\"'&]+=(?:\"[^\"<]*\"|'[^'<]*'))*)"
    rb"(?:\s*)(?P<empty>/?)>|(?P<text>[^<]+)"
)
_ATTRIBUTE = re.compile(rb"([^\s<>/=\"'&]+)=([\"'])(?:(?!\2).)*\2", re.DOTALL)
_SPACE = rb"[ \t\r\n]*+"
_REFERENCE = re.compile("&(?:#x([0-9a-fA-F]+)|#([0-9]+)|([a-z]+));")
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_TOKEN_LIMIT = 1000
# No character of XML 1.0, section 2.2.
_BETWEEN, _MISSING = "\0", "\1"


@dataclass(frozen=True)
class Alike:
    """Rows of one pattern: the text of each, then what its groups hold."""

    pattern: Pattern
    rows: Sequence[tuple[bytes | None, ...]]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def names(self) -> Sequence[str]:
        """The columns."""
        return tuple(self.pattern.groups)

    def column(self, name: str) -> Sequence[str | None]:
        """A column's values; null where the row has none."""
        group = self.pattern.groups.get(name)
        if group is None:
            return [None] * len(self.rows)
        missing = _MISSING.encode()
        values = [missing if row[group] is None else row[group] for row in self.rows]
        text = _BETWEEN.encode().join(values).decode(self.pattern.encoding)  # type: ignore[arg-type]
        if "&" in text:
            text = _REFERENCE.sub(_character, text)
        texts = text.split(_BETWEEN)
        return [None if value == _MISSING else value for value in texts] if _MISSING in text else texts

    def raw(self, position: int) -> str:
        """A row as it stands in the file."""
        return (self.rows[position][0] or b"").decode(self.pattern.encoding)


@dataclass(frozen=True)
class Pattern:
    """What rows like one look like. ``groups`` has the group of each column, from 0; group 0 is the row's text."""

    regex: re.Pattern[bytes]
    groups: dict[str, int]
    encoding: str

    @classmethod
    def of(cls, row: bytes, encoding: str) -> Pattern | None:
        """The pattern of a row, or None where it isn't simple enough. ``encoding`` has ASCII's bytes as ASCII has."""
        writer = _Writer(encoding)
        if not all(map(writer.take, _tokens(row))) or len(set(writer.names)) < len(writer.names):
            return None
        regex = re.compile(_SPACE + b"(" + b"".join(writer.parts) + b")")
        if not regex.fullmatch(row):  # it has spaces in its tags
            return None
        return cls(regex, dict(zip(writer.names, writer.groups, strict=True)), encoding)

    def take(self, data: bytes, position: int) -> tuple[Alike, int]:
        """The rows from a position on that look like this, and where they end."""
        rows = []
        match = self.regex.match
        while found := match(data, position):
            rows.append(found.groups())
            position = found.end()
        return Alike(self, rows), position


class _Writer:
    """Writes a pattern as the tokens of a row come by.

    Elements and attributes within the row may each be left out, and nothing is tried twice.
    """

    def __init__(self, encoding: str) -> None:
        self.parts: list[bytes] = []
        self.names: list[str] = []
        self.groups: list[int] = []
        self._encoding = encoding
        self._group = 0
        self._open: list[tuple[bytes, str]] = []
        self._in_leaf = False

    def take(self, token: _Token | None) -> bool:
        """Whether the pattern can go on with a token."""
        if token is None:
            return False
        if token.kind == "text":
            return self._in_leaf or not token.value.strip()
        if token.kind == "start":
            return self._start(token)
        if not self._in_leaf:
            self.parts.append(b"</" + re.escape(token.value) + b">")
        self._close()
        return True

    def _start(self, token: _Token) -> bool:
        local = self._local(token.value)
        inside = bool(self._open)
        way = f"{self._open[-1][1]}.{local}" if inside and self._open[-1][1] else local
        self.parts.append((b"(?:<" if inside else b"<") + re.escape(token.value))
        for name, quote in token.attributes:
            own = self._local(name)
            if own == "nil" or name.startswith(b"xmlns"):
                return False
            self._add(f"{way}.{own}" if inside else own)
            value = quote + b"([^<\\t\\r\\n" + quote + b"]*+)" + quote
            self.parts.append(rb"(?:[ \t\r\n]++" + re.escape(name) + b"=" + value + b")?+")
        self._open.append((token.value, way if inside else ""))
        if not inside:
            self.parts.append(b" ?/>" if token.empty else b">" + _SPACE)
        elif token.leaf:
            self._leaf(token, way)
        else:
            self.parts.append(b">" + _SPACE + b"(?!</)")
        return True

    def _leaf(self, token: _Token, way: str) -> None:
        """A text between tags, or ``<a/>``, of which the first group knows."""
        self._group += 1
        bare, end = b"(?(%d)" % (self._group + 1), b"</" + re.escape(token.value) + b">"
        self._add(way)
        self.parts.append(b"( ?/)?+>(" + bare + b"|[^<\\r]*+))" + bare + b"|" + end + b")")
        if token.empty:
            self._close()
        else:
            self._in_leaf = True

    def _close(self) -> None:
        self._in_leaf = False
        self._open.pop()
        if self._open:
            self.parts.append(_SPACE + b")?+")

    def _add(self, name: str) -> None:
        self._group += 1
        self.names.append(name)
        self.groups.append(self._group)

    def _local(self, name: bytes) -> str:
        return name.rpartition(b":")[2].decode(self._encoding)


@dataclass(frozen=True)
class _Token:
    """A tag, or the text between two."""

    kind: str
    value: bytes
    attributes: Sequence[tuple[bytes, bytes]] = ()
    empty: bool = False
    leaf: bool = False
    """Whether no tag comes between its start and its end."""


def _tokens(row: bytes) -> Iterator[_Token | None]:
    """The tokens of a row, or None where there is something else: a comment, a CDATA section, or too many."""
    found = [*_TOKEN.finditer(row)]
    whole = sum(token.end() - token.start() for token in found) == len(row)
    if not whole or len(found) > _TOKEN_LIMIT:
        yield None
        return
    for place, token in enumerate(found):
        if token["text"] is not None:
            yield _Token("text", token["text"])
        elif token["end"]:
            yield _Token("end", token["name"])
        else:
            after = next(other for other in (*found[place + 1 : place + 3], token) if other["text"] is None)
            attributes = [(name, quote) for name, quote in _ATTRIBUTE.findall(token["attributes"])]
            empty = bool(token["empty"])
            yield _Token("start", token["name"], attributes, empty, leaf=empty or bool(after["end"]))


def _character(reference: re.Match[str]) -> str:
    hexadecimal, decimal, name = reference.groups()
    if name:
        return _NAMED[name]
    return chr(int(hexadecimal, 16) if hexadecimal else int(decimal))
