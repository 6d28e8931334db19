"""Finds what many JSON objects have in common, as machines write them: a template with holes for the values."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from formats.json_paths import Path, is_deeper
from formats.json_values import DECODER
from formats.limits import Limits

_SAMPLE = 8
"""How many objects are looked at for the template."""
_MOST_HOLES = 1_000
_TOKEN = re.compile(rb'(?P<text>"(?:[^"\\]++|\\.)*+")|(?P<mark>[{}:,\[])|(?P<bare>[^\s"{}\[\]:,]++)|\s+')
_DELIMITERS = (b":", b" ")


@dataclass(frozen=True)
class Holes:
    """Where an object has its values, each a text, a number, true, false or null."""

    paths: tuple[Path, ...]
    objects: tuple[Path, ...]
    """The ways to the objects within."""
    spans: tuple[tuple[int, int], ...]
    constants: tuple[bytes, ...]
    """What stands before each value, and behind the last."""


@dataclass(frozen=True)
class Template:
    """What a parser of CSV has to know to cut the values out."""

    holes: Holes
    texts: Sequence[bool]
    """Whether a hole's values are texts, in quotes; others are bare. Both may be null."""
    delimiter: str
    """A character behind which each value stands."""
    fields: Sequence[int]
    """Which of the fields between delimiters begins with each value."""
    ends: Sequence[str]
    """What else is in that field, behind the value."""
    field_count: int


def template_of(objects: Sequence[bytes], limits: Limits) -> Template | None:
    """The template that most of the first objects have."""
    sample = [(text, holes) for text in objects[:_SAMPLE] if (holes := _holes(text, limits))]
    if not sample:
        return None
    constants, _ = Counter(holes.constants for _, holes in sample).most_common(1)[0]
    alike = [(text, holes.spans) for text, holes in sample if holes.constants == constants]
    text, holes = next(one for one in sample if one[1].constants == constants)
    delimiter = next(
        (mark for mark in _DELIMITERS if all(text[begin - 1 :][:1] == mark for begin, _ in holes.spans)), None
    )
    if delimiter is None:
        return None
    fields = {begin: (number, end) for number, (begin, end) in enumerate(_fields(text, delimiter))}
    if any(begin not in fields for begin, _ in holes.spans):
        return None
    return Template(
        holes=holes,
        texts=[_is_text([text[slice(*spans[hole])] for text, spans in alike]) for hole in range(len(holes.spans))],
        delimiter=delimiter.decode(),
        fields=[fields[begin][0] for begin, _ in holes.spans],
        ends=[text[end : fields[begin][1]].decode() for begin, end in holes.spans],
        field_count=len(fields),
    )


def _is_text(values: Sequence[bytes]) -> bool:
    return next((value for value in values if value != b"null"), b'"').startswith(b'"')


def _holes(text: bytes, limits: Limits) -> Holes | None:
    """The holes of an object; None where it is none, or has arrays or names that can't be compared byte for byte."""
    try:
        row = DECODER.decode(text.decode())
    except (ValueError, RecursionError):
        return None
    if not isinstance(row, dict) or is_deeper(row, limits.depth):
        return None
    paths: list[Path] = []
    objects: list[Path] = []
    spans: list[tuple[int, int]] = []
    way: list[str] = []
    name, is_value = "", False
    for token in _TOKEN.finditer(text):
        match token.lastgroup, token["mark"]:
            case _, b"[":
                return None
            case _, b"{":
                way.append(name)
                objects.append(tuple(way[1:]))
            case _, b"}":
                way.pop()
            case "text" | "bare", _ if is_value:
                paths.append((*way[1:], name))
                spans.append(token.span())
            case "text", _:
                name = json.loads(token["text"])
        is_value = token["mark"] == b":" or (is_value and token.lastgroup is None)
    edges = [0, *(edge for span in spans for edge in span), len(text)]
    constants = tuple(text[begin:end] for begin, end in zip(edges[::2], edges[1::2], strict=True))
    names = {".".join(path) for path in paths}
    if not 0 < len(paths) <= _MOST_HOLES or len(names) < len(paths) or b"\\" in b"".join(constants):
        return None
    return Holes(tuple(paths), tuple(objects[1:]), tuple(spans), constants)


def _fields(text: bytes, delimiter: bytes) -> Iterator[tuple[int, int]]:
    """Where fields begin and end for a parser of CSV, to which quotes have a meaning at a field's beginning only."""
    field = re.compile(rb'(?:"(?:[^"\\]|\\.)*")?[^%b]*' % delimiter)
    begin = 0
    while begin <= len(text) and (found := field.match(text, begin)):
        yield found.span()
        begin = found.end() + 1
