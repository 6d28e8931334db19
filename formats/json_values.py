"""Decodes the values of JSON (RFC 8259) strictly, numbers as the text that they are."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from formats.format import UNDECODABLE
from formats.json_paths import Path, is_deeper
from formats.json_stretches import end_of_value
from formats.utf8 import shown


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object's members. RFC 8259 leaves open which of two equal names counts, so neither does."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return members


Parsed = tuple[Any, str, str | None]
"""A row's value, its text, and why it can't be taken."""

NOT_JSON = "the row is not JSON: "
SPACE = b" \t\r\n"


class Number(str):
    """A number as the text that the file has."""

    __slots__ = ()


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


DECODER = json.JSONDecoder(
    parse_float=Number, parse_int=Number, parse_constant=_refuse_constant, object_pairs_hook=_unique
)


_ANY = json.JSONDecoder(parse_float=str, parse_int=str)
"""Reads values that :data:`DECODER` refuses, to find where they end."""


def why(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"column {error.colno}: {in_words(error)}"
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)


def in_words(error: json.JSONDecodeError) -> str:
    """What the parser says, as a part of a sentence that names the place."""
    said = error.msg[:1].lower() + error.msg[1:]
    return said.replace("expecting", "expected").removesuffix(" at").removesuffix(" starting")


def decoded(text: str, start: int) -> tuple[Any, int, str | None]:
    """The value that begins at ``start``, where it ends, and why it can't be taken.

    Raises ``json.JSONDecodeError`` where it isn't JSON or goes on behind ``text``, and ``RecursionError`` where it is
    nested too deeply and goes on.
    """
    try:
        return *DECODER.raw_decode(text, start), None
    except json.JSONDecodeError:
        raise
    except (ValueError, RecursionError) as error:
        return None, _end_of_refused(text, start), NOT_JSON + why(error)


def _end_of_refused(text: str, start: int) -> int:
    try:
        return _ANY.raw_decode(text, start)[1]
    except RecursionError:
        end = end_of_value(text, start)
        if end is None:
            raise
        return end


def way_to_fault(text: str, depth: int) -> Path:
    """The names on the way to what :data:`DECODER` refuses in a row that ends; none where it isn't under one, or the
    row is nested more than ``depth`` deep."""
    faults: list[object] = []

    def fault(_constant: str) -> object:
        faults.append(object())
        return faults[-1]

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in pairs:
            found[name] = fault(name) if name in found and not faults else found.get(name, value)
        return found

    try:
        value = json.JSONDecoder(parse_constant=fault, object_pairs_hook=members).decode(text)
    except (ValueError, RecursionError):
        return ()
    return () if is_deeper(value, depth) or not faults else _way_to(faults[0], value) or ()


def _way_to(wanted: object, value: Any) -> Path | None:
    if value is wanted:
        return ()
    within = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in within:
        way = _way_to(wanted, one)
        if way is not None:
            return (str(name), *way) if isinstance(value, dict) else way
    return None


def stripped(line: bytes) -> bytes:
    """Without the space around it that JSON has."""
    return line.strip(SPACE)


def parsed(data: bytes) -> Parsed:
    """What the bytes of a row are, with the space that stands before it in its line, or without."""
    text = shown(stripped(data))
    try:
        return DECODER.decode(data.decode()), text, None
    except UnicodeDecodeError:
        return None, text, UNDECODABLE
    except (ValueError, RecursionError) as error:
        return None, text, NOT_JSON + why(error)


def parsed_surely(data: bytes) -> Parsed | None:
    """What the bytes of a row are; None where they aren't JSON, and so not surely a row's."""
    row = parsed(data)
    return None if row[2] else row


def is_text(value: Any) -> bool:
    """Whether a value can be written in UTF-8."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True
