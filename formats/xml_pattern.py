"""Rows of XML that look like one seen before, taken by a pattern: several times as fast as tag by tag.

A pattern takes less than XML allows, and nothing else than what the reader would make of it: what it doesn't match
goes tag by tag. That the document is well-formed is for the reader to find out, in what was matched too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

_GAP = rb"[ \t\r\n]*+"
_COMMENT = rb"<!--(?:[^-]++|-(?!->))*+-->"
_CDATA = rb"<!\[CDATA\[(?:[^\]\r]++|\](?!\]>))*+\]\]>"
_SPACE = _GAP + b"(?:" + _COMMENT + _GAP + b")*+"
"""Between tags."""
_TEXT = rb"[^<\r]*+(?:(?:" + _CDATA + b"|" + _COMMENT + rb")[^<\r]*+)*+"
_TOKEN = re.compile(
    rb"<(?P<end>/?)(?P<name>[^\s<>/!?=\"'&]+)(?P<attributes>(?:\s+[^\s<>/=\"'&]+=(?:\"[^\"<]*\"|'[^'<]*'))*)"
    rb"(?:\s*)(?P<empty>/?)>|(?P<text>(?:[^<]++|" + _CDATA + b"|" + _COMMENT + b")++)"
)
_ATTRIBUTE = re.compile(rb"([^\s<>/=\"'&]+)=(\"[^\"]*\"|'[^']*')")
_MARKUP = re.compile(r"&(?:#x([0-9a-fA-F]+)|#([0-9]+)|([a-z]+));|<!\[CDATA\[(.*?)\]\]>|<!--.*?-->", re.DOTALL)
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_COMMENTS = re.compile(_COMMENT)
_TOKEN_LIMIT = 1000
_as_json = json.JSONEncoder(ensure_ascii=False).encode
XSI = "http://www.w3.org/2001/XMLSchema-instance"
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
        groups = self.pattern.groups.get(name, ())
        columns = [self._texts(group) for group in groups]
        if len(columns) == 1:
            return columns[0]
        if not columns:
            return [None] * len(self.rows)
        return [combined([text for text in texts if text is not None]) for texts in zip(*columns, strict=True)]

    def _texts(self, group: int) -> Sequence[str | None]:
        missing = _MISSING.encode()
        values = [missing if row[group] is None else row[group] for row in self.rows]
        text = _BETWEEN.encode().join(values).decode()  # type: ignore[arg-type]
        if "&" in text or "<" in text:
            text = _MARKUP.sub(_meant, text)
        texts = text.split(_BETWEEN)
        return [None if value == _MISSING else value for value in texts] if _MISSING in text else texts

    def raw(self, position: int) -> str:
        """A row as it stands in the file."""
        return (self.rows[position][0] or b"").decode()


@dataclass(frozen=True)
class Pattern:
    """What rows like one look like. ``groups`` has those of each column, from 0; group 0 is the row's text."""

    regex: re.Pattern[bytes]
    groups: Mapping[str, Sequence[int]]

    @classmethod
    def of(cls, row: bytes, nil: bytes | None) -> Pattern | None:
        """The pattern of a row in UTF-8, or None where it isn't simple enough.

        ``nil`` is the name of the attribute that makes an element null, as it stands in tags; None without one.
        """
        writer = _Writer(nil)
        if not all(map(writer.take, _tokens(row))):
            return None
        if nil and any(len(groups) > 1 for groups in writer.groups.values()):  # where null counts among the values
            return cls.of(row, None)
        regex = re.compile(_SPACE + b"(" + b"".join(writer.parts) + b")")
        return cls(regex, writer.groups) if regex.fullmatch(row) else None

    def take(self, data: bytes, position: int, end: int) -> tuple[Alike, int]:
        """The rows from a position on that look like this, up to an end, and where they end."""
        rows = []
        match = self.regex.match
        while found := match(data, position, end):
            rows.append(found.groups())
            position = found.end()
        return Alike(self, rows), position


class _Writer:
    """Writes a pattern as the tokens of a row come by.

    Elements and attributes within the row may each be left out, and nothing is tried twice.
    """

    def __init__(self, nil: bytes | None) -> None:
        self.parts: list[bytes] = []
        self.groups: dict[str, list[int]] = {}
        self._nil = nil
        self._group = 0
        self._open: list[tuple[bytes, str]] = []
        self._in_leaf = False

    def take(self, token: _Token | None) -> bool:
        """Whether the pattern can go on with a token."""
        if token is None:
            return False
        if token.kind == "text":
            return self._in_leaf or not _COMMENTS.sub(b"", token.value).strip()
        if token.kind == "start":
            return self._start(token)
        if not self._in_leaf:
            self.parts.append(_end_tag(token.value))
        self._close()
        return True

    def _start(self, token: _Token) -> bool:
        local = _local(token.value)
        inside = bool(self._open)
        way = f"{self._open[-1][1]}.{local}" if inside and self._open[-1][1] else local
        self.parts.append((b"(?:<" if inside else b"<") + re.escape(token.value))
        is_leaf = inside and token.leaf
        if not all(
            self._attribute(name, value, f"{way}." if inside else "", is_leaf) for name, value in token.attributes
        ):
            return False
        self._open.append((token.value, way if inside else ""))
        if is_leaf:
            self._leaf(token, way)
        elif inside:
            self.parts.append(_GAP + b">" + _SPACE + b"(?!</)")
        elif token.leaf and not token.empty:
            self._add(way)
            self.parts.append(_GAP + b">(?:(?=[!-;=-~])(" + _TEXT + b")|" + _SPACE + b")" + _end_tag(token.value))
            self._in_leaf = True
        else:
            self.parts.append(_GAP + (b"/>" if token.empty else b">" + _SPACE))
        return True

    def _attribute(self, name: bytes, value: bytes, before: str, is_leaf: bool) -> bool:
        if name == b"xmlns" or name.startswith(b"xmlns:"):
            self.parts.append(rb"[ \t\r\n]++" + re.escape(name + b"=" + value))
            return self._nil is None or (name[6:] != self._nil.partition(b":")[0] and XSI.encode() not in value)
        if _local(name) == "nil":
            return is_leaf and name == self._nil
        self._add(before + _local(name))
        quote = value[:1]
        pattern = quote + b"([^<\\t\\r\\n" + quote + b"]*+)" + quote
        self.parts.append(rb"(?:[ \t\r\n]++" + re.escape(name) + b"=" + pattern + b")?+")
        return True

    def _leaf(self, token: _Token, way: str) -> None:
        """A text between tags, or ``<a/>``, of which the first group knows; or what is null."""
        self._group += 1
        bare, end = b"(?(%d)" % (self._group + 1), _end_tag(token.value)
        self._add(way)
        text = _GAP + b"(/)?+>(" + bare + b"|" + _TEXT + b"))" + bare + b"|" + end + b")"
        if self._nil:
            null = re.escape(self._nil) + rb"=[\"'](?:true|1)[\"']" + _GAP
            text = rb"(?:[ \t\r\n]++" + null + b"(?:/>|>" + end + b")|" + text + b")"
        self.parts.append(text)
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
        self.groups.setdefault(name, []).append(self._group)


def _local(name: bytes) -> str:
    return name.rpartition(b":")[2].decode()


def _end_tag(name: bytes) -> bytes:
    return b"</" + re.escape(name) + _GAP + b">"


@dataclass(frozen=True)
class _Token:
    """A tag, or the text between two with the CDATA sections and comments in it."""

    kind: str
    value: bytes
    attributes: Sequence[tuple[bytes, bytes]] = ()
    empty: bool = False
    leaf: bool = False
    """Whether no tag comes between its start and its end."""


def _tokens(row: bytes) -> Iterator[_Token | None]:
    """The tokens of a row, or None where there is something else, or too many."""
    found = [*islice(_TOKEN.finditer(row), _TOKEN_LIMIT + 1)]
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
            attributes = _ATTRIBUTE.findall(token["attributes"])
            empty = bool(token["empty"])
            yield _Token("start", token["name"], attributes, empty, leaf=empty or bool(after["end"]))


def _meant(markup: re.Match[str]) -> str:
    """What a reference, a CDATA section or a comment stands for in a text."""
    hexadecimal, decimal, name, verbatim = markup.groups()
    if hexadecimal or decimal:
        return chr(int(hexadecimal, 16) if hexadecimal else int(decimal))
    return _NAMED[name] if name else verbatim or ""


def combined(values: Sequence[str | None]) -> str | None:
    """The values of one name in a row: what repeats is a JSON array."""
    if len(values) > 1:
        return _as_json(values)
    return values[0] if values else None
