"""Looks at JSON in bytes without parsing it: where whole elements of an array end, and how deep values are nested."""

from __future__ import annotations

import re

from formats.limits import MEBIBYTE, MOST_DIGITS
from formats.lines import binary, lines_of

_ALL_BUT_BRACKETS = bytes(set(range(256)) - set(b"{}[]"))
_NEXT_OBJECT = re.compile(rb"\s*,\s*\{")
_BETWEEN_OBJECTS = re.compile(rb"\}[\s,]*\{")
_SPACED_NAME = re.compile(rb'"[ \t\n\r]+:')
_DIGITS = b"0123456789."
_DIGITS_OR_NOT = bytes(ord("0" if byte in _DIGITS else " ") for byte in range(256))
_STEP = (MOST_DIGITS + 1) // 3
_NEAR_THE_END = MEBIBYTE
"""Where the end of a last object is looked for first: most often there is one."""
_TEXT_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\Z)|[{}\[\]]', re.DOTALL)
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\Z)|[{}\[\]]', re.DOTALL)


def may_have_long_numbers(data: bytes) -> bool:
    """Whether ``data`` may have a number of more digits than a decimal can have. A no is certain.

    Of so many bytes, three at equal steps are seen to be digits first, which takes a twentieth of the time.
    """
    import pyarrow.compute as pc

    if b"000" not in data[::_STEP].translate(_DIGITS_OR_NOT):
        return False
    pattern = f"[0-9.]{{{MOST_DIGITS + 1}}}"
    return bool(pc.match_substring_regex(binary(data), pattern)[0].as_py())


def guess_end_of_elements(data: bytes) -> int:
    """Where in ``data``, which begins with an element of an array, the last but one object of that array ends.

    0 when it doesn't show near the end of ``data``. Brackets are counted within texts too: that is quick, and right
    but for texts whose own brackets make up for it.
    """
    depth = _depth(data)
    end = len(data)
    while (start := data.rfind(b"}", max(0, len(data) - _NEAR_THE_END), end)) >= 0:
        depth -= _depth(data[start + 1 : end])
        if depth == 0 and _NEXT_OBJECT.match(data, start + 1):
            return start + 1
        depth += 1
        end = start
    return 0


def end_of_elements(data: bytes) -> int:
    """Where in ``data``, which begins with an element of an array, the last element ends that an object follows."""
    depth = end_of_last = end = 0
    for token in _TOKEN.finditer(data):
        bracket = data[token.start() : token.start() + 1]
        if bracket in (b"{", b"["):
            if depth == 0 and bracket == b"{":
                end = end_of_last
            depth += 1
        elif bracket in (b"}", b"]"):
            depth -= 1
            end_of_last = token.end()
            if depth < 0:
                break
    return end


def end_of_value(text: str, start: int) -> int | None:
    """Where the object or array that begins at ``start`` ends by its brackets; None where it goes on."""
    depth = 0
    for token in _TEXT_TOKEN.finditer(text, start):
        if token[0] in "{[":
            depth += 1
        elif token[0] in "}]":
            depth -= 1
            if depth == 0:
                return token.end()
    return None


def is_shallow(data: bytes, depth: int) -> bool:
    """Whether no value of some objects, one after the other, is nested more than ``depth`` deep.

    The answer is right for any bytes up to where they stop being JSON.
    """
    # An object that follows another on its level makes nothing deeper.
    if data.count(b"{") + data.count(b"[") - len(_BETWEEN_OBJECTS.findall(data)) <= depth:
        return True
    brackets = _outside_texts(data).translate(None, _ALL_BUT_BRACKETS)
    for _ in range(depth):
        brackets = brackets.replace(b"{}", b"").replace(b"[]", b"")
    return not brackets


def count_names(data: bytes) -> int:
    """How many different names the objects in some JSON have; perhaps less, never more."""
    import pyarrow as pa
    import pyarrow.compute as pc

    hidden = data.replace(rb"\\", b"\1\1").replace(rb"\"", b"\1\2") if b"\\" in data else data
    before = pc.split_pattern(pa.array([hidden], pa.binary()), b'":').flatten()
    names = pc.split_pattern(before, b'"', max_splits=1, reverse=True)
    last = names.values.take(pc.subtract(names.offsets.slice(1), 1))
    spaced = any(space + b":" in data for space in (b" ", b"\t", b"\n", b"\r"))
    return int(pc.count_distinct(last).as_py()) + (len(_SPACED_NAME.findall(data)) if spaced else 0)


def has_non_number(data: bytes) -> bool:
    """Whether NaN or an infinity, which JSON doesn't have but pyarrow reads, stands among some objects' values."""
    return any(name in data and name in _outside_texts(data) for name in (b"NaN", b"Inf"))


def count_objects(data: bytes) -> int | None:
    """How many lines there are, where each begins and ends as an object does."""
    import pyarrow.compute as pc

    lines = lines_of(data)
    for end in ("}", "}\r"):
        if pc.all(pc.and_(pc.starts_with(lines, "{"), pc.ends_with(lines, end))).as_py():
            return len(lines)
    return None


def _outside_texts(data: bytes) -> bytes:
    return b"".join(data.replace(rb"\\", b"").replace(rb"\"", b"").split(b'"')[::2])


def _depth(data: bytes) -> int:
    brackets = data.translate(None, _ALL_BUT_BRACKETS)
    return brackets.count(b"{") + brackets.count(b"[") - brackets.count(b"}") - brackets.count(b"]")
