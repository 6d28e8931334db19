"""Reads a JSON document (RFC 8259) element by element, in bounded memory and with the place of every fault."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, NoReturn

from formats.format import MalformedFile, MisjudgedCutError
from formats.json_paths import way_to_rows
from formats.json_stretches import end_of_elements, guess_end_of_elements
from formats.json_values import NOT_JSON, Number, Parsed, decoded, in_words, why

BLOCK_SIZE = 1024 * 1024
_STRETCH_SIZE = 4 * 1024 * 1024
_SPACE = re.compile(r"[ \t\n\r]*")
_ESCAPE_LENGTH = len(r"\ud83d\ude00")
"""A fault nearer to the end of what is read than this may be no more than the end."""

_UNTERMINATED = "unterminated string"
_SCALAR = '"-0123456789tfn'
"""What values begin with that are neither objects nor arrays."""


class Document:
    """A JSON document read element by element, with the place of a fault."""

    def __init__(self, stream: BinaryIO, longest: int) -> None:
        """``longest`` is how many bytes a value may have, of which no character has less."""
        self._stream = stream
        self._longest = longest
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._text = ""
        self._position = 0
        self._at_end = False
        self._unread = b""
        self._lines_before = 0
        self._last_line_length = 0
        self._lines_are_counted = True
        self._open_objects = 0
        self._names: Sequence[str] | None = None
        self._past_rows = False
        self._first = True

    def enter_rows(self, names: Sequence[str] = ()) -> str | None:
        """Go to the first row: in the array that some names lead to, from object to object; or where none are given,
        in the document's array, or in the first array of objects under a key.

        Returns the key that was found. An array without elements holds the rows only where no other does. Raises
        :class:`MalformedFile` when there are no rows.
        """
        if names:
            self._enter_named(names)
            return None
        if self._peek() == "[":
            self._position += 1
            return None
        self._expect("{", "an array or an object")
        self._open_objects = 1
        empty: str | None = None
        deeper: list[str] = []
        while self._peek() != "}":
            key = self._member_name()
            if self._peek() != "[":
                way = way_to_rows(self._value())
                deeper += [".".join((key, *way))] if way else []
            elif self._enter_array() == "{":
                return key
            elif self._peek() == "]":
                self._position += 1
                empty = key if empty is None else empty
            else:
                self._skip_array()
            if self._peek() != "}":
                self._expect(",", "a comma or the object's end")
        if empty is None:
            self._refuse_without_rows(deeper)
        self._past_rows = True
        return empty

    def _refuse_without_rows(self, deeper: Sequence[str]) -> NoReturn:
        self._expect("}", "the object's end")
        self._expect_end()
        raise MalformedFile(
            "the object holds no array of rows under any of its keys; where they are deeper, name the way to them in "
            "the contract, as in dialect: {property: data.rows}",
            f"there are rows at {deeper[0]}" if deeper else "",
        )

    def _enter_named(self, names: Sequence[str]) -> None:
        self._names = names
        for depth, name in enumerate(names):
            way = ".".join(names[:depth])
            if self._peek() in ("[", *_SCALAR):
                self._refuse_way(f"{way!r} is no object" if way else "the document is no object")
            self._expect("{", "an object")
            self._open_objects += 1
            while self._peek() != "}" and self._member_name() != name:
                self._value()
                if self._peek() != "}":
                    self._expect(",", "a comma or the object's end")
            if self._peek() == "}":
                self._refuse_way(f"{way!r} has no {name!r}" if way else f"the document has no {name!r}")
        if self._peek() in ("{", *_SCALAR):
            self._refuse_way(f"{'.'.join(names)!r} is no array")
        self._expect("[", "an array")

    def _refuse_way(self, why: str) -> NoReturn:
        self._refuse(
            f"{self._place(self._position)}: {why}, where the contract's dialect.property says that the rows are in an "
            "array; correct it, or export the file as it says"
        )

    def stretches(self) -> Iterator[bytes]:
        """Elements in bytes, a few megabytes at a time; not the last of them.

        They are cut where they seem to end, which who parses them sees. What is left :meth:`elements` reads, until
        which no line is counted, so that a fault then raises :class:`MisjudgedCutError`.
        """
        if self._past_rows:
            return
        self._count_lines(self._text[: self._position])
        undecoded, state = self._decoder.getstate()
        self._decoder.setstate((b"", state))
        rest = self._text[self._position :].encode() + undecoded
        while chunk := self._stream.read(_STRETCH_SIZE):
            rest += chunk
            end = guess_end_of_elements(rest)
            if not end and len(rest) > _STRETCH_SIZE + self._longest:
                end = end_of_elements(rest)
                if not end:
                    break
            if end:
                yield rest[:end]
                rest = rest[rest.index(b",", end) + 1 :]
                self._lines_are_counted = False
        self._text, self._position, self._unread = "", 0, rest

    def elements(self, most: int | None = None) -> list[Parsed]:
        """The elements of about one block; none at the array's end."""
        found: list[Parsed] = []
        size = 0
        while not self._past_rows and size < BLOCK_SIZE and len(found) != most:
            if self._peek() == "]":
                break
            if not self._first:
                self._expect(",", "a comma or the array's end")
            self._first = False
            found.append(self._element())
            size += len(found[-1][1])
        return found

    def check_rest(self) -> None:
        """Read what follows the rows, to its end: a document that goes wrong there was not written whole."""
        if not self._past_rows:
            self._expect("]", "the array's end")
        while self._open_objects:
            while self._peek() != "}":
                self._expect(",", "a comma or the object's end")
                self._check_member(self._member_name(), self._value())
            self._expect("}", "the object's end")
            self._open_objects -= 1
        self._expect_end()

    def _expect_end(self) -> None:
        if self._peek():
            self._fail("the document's end, but more follows; rows without an array around them belong on a line each")

    def _check_member(self, key: str, value: Any) -> None:
        """Raise :class:`MalformedFile` where a member behind the rows may be rows as well."""
        if self._names is not None:
            if key == self._names[self._open_objects - 1]:
                raise MalformedFile(f"the name {key!r} stands twice in one object; export the file again")
        elif isinstance(value, list) and any(isinstance(element, dict) for element in value):
            raise MalformedFile(
                "more rows are under another key behind them; export each list of rows to its own file, or say in the "
                "contract's dialect.property which one is meant",
                f"the key is {key!r}",
            )

    def _member_name(self) -> str:
        if self._peek() != '"':
            self._fail("a name in quotes", self._position)
        name = str(self._value())
        self._expect(":", "a colon")
        return name

    def _enter_array(self) -> str:
        """Go past the bracket of an array. Returns what its first element, or its end, begins with."""
        self._position += 1
        return self._peek()

    def _skip_array(self) -> None:
        """Read the values of an array, whose bracket is read already, and its end."""
        while True:
            self._value()
            if self._peek() == "]":
                break
            self._expect(",", "a comma or the array's end")
        self._position += 1

    def _element(self) -> Parsed:
        self._peek()
        while True:
            start = self._position
            try:
                value, end, reason = decoded(self._text, start)
            except json.JSONDecodeError as error:
                cut_off = error.pos >= len(self._text) - _ESCAPE_LENGTH or error.msg.startswith("Unterminated string")
                if cut_off:
                    self._refuse_longer(len(self._text), start)
                if not cut_off or not self._fill():
                    self._fault(in_words(error), error.pos)
            except RecursionError as error:
                if len(self._text) - start > self._longest or not self._fill():
                    self._fail(f"a value, but {why(error)}", start)
            else:
                # A number at the end of what is read may go on in what is not: 1, 1., 1e, 1e+
                if isinstance(value, Number) and len(self._text) - end <= 2:
                    self._refuse_longer(end, start)
                    if self._fill():
                        continue
                self._position = end
                return value, self._text[start:end], reason

    def _refuse_longer(self, end: int, start: int) -> None:
        if end - start > self._longest:
            self._fail(f"a value of at most {self._longest:,} characters (limits.rowBytes of the contract)", start)

    def _value(self) -> Any:
        """A value that is no row, and so at fault with the whole document."""
        value, text, reason = self._element()
        if reason:
            self._fail(f"a value, but {reason.removeprefix(NOT_JSON)}", self._position - len(text))
        return value

    def _peek(self) -> str:
        """The next character that is no space; empty at the end."""
        while True:
            space = _SPACE.match(self._text, self._position)
            self._position = space.end() if space else self._position
            if self._position < len(self._text):
                return self._text[self._position]
            if not self._fill():
                return ""

    def _expect(self, character: str, what: str) -> None:
        if self._peek() != character:
            self._fail(what, self._position)
        self._position += 1

    def _fill(self) -> bool:
        """Read on, dropping what is done with. False once the stream's end has been met."""
        if self._at_end:
            return False
        done = self._text[: self._position]
        self._count_lines(done)
        chunk, self._unread = self._unread or self._stream.read(BLOCK_SIZE), b""
        self._at_end = not chunk
        try:
            more = self._decoder.decode(chunk, final=self._at_end)
        except UnicodeDecodeError as error:
            self._count_lines(self._text[self._position :] + error.object[: error.start].decode())
            self._refuse(
                f"line {self._lines_before + 1}, column {self._last_line_length + 1}: the text is not UTF-8 from here "
                f"on ({error.reason}); export the file as UTF-8"
            )
        self._text = self._text[self._position :] + more
        self._position = 0
        return True

    def _count_lines(self, done: str) -> None:
        lines = done.count("\n")
        self._lines_before += lines
        self._last_line_length = len(done) - done.rfind("\n") - 1 if lines else self._last_line_length + len(done)

    def _fail(self, expected: str, position: int | None = None) -> NoReturn:
        self._fault(f"expected {expected}", self._position if position is None else position)

    def _fault(self, what: str, position: int) -> NoReturn:
        place = self._place(position)
        if position >= len(self._text) or what == _UNTERMINATED:
            self._refuse(f"{place}: the file is cut off: {what}; export or upload it again")
        self._refuse(
            f"{place}: the file is not JSON from here on: {what}; export or upload it again",
            f"found {self._text[position : position + 20]!r}",
        )

    def _place(self, position: int) -> str:
        self._count_lines(self._text[:position])
        return f"line {self._lines_before + 1}, column {self._last_line_length + 1}"

    def _refuse(self, reason: str, evidence: str = "") -> NoReturn:
        if not self._lines_are_counted:
            raise MisjudgedCutError(reason)
        raise MalformedFile(reason, evidence)
