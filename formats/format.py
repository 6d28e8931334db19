"""What a format promises.

Only :meth:`Block.parse` and :meth:`Format.read` may import pyarrow: the validator runs without it.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

from formats.dialect import AS_FOUND, TableDialect

if TYPE_CHECKING:
    import pyarrow as pa

    Wanted = Callable[[str], pa.DataType | None]
    """The type that the caller will cast a file's column to; None when it has no use for the column.

    A dictionary of strings stands for text that repeats itself, which may be known only when some rows have been seen:
    a block asks for it when it is parsed. A struct stands for an object whose values are asked for by their own names,
    ``customer.city``: what stands there and is none comes as text, under the name of the object.
    """
else:
    Wanted = object

HEAD_SIZE = 64 * 1024
"""How many bytes of a file's beginning, and of its end, a format is shown before it is chosen."""

UNDECODABLE = "the row is not UTF-8 text; export the file as UTF-8"
"""The reason of a row with bytes that aren't UTF-8; the pipeline then looks whether the file is in another encoding."""


class MalformedFile(Exception):  # noqa: N818 - the name says what it is about
    """The file as a whole can't be taken.

    ``reason`` says where, why and what to do about it, in words of its own. What the file says there, or a library that
    may quote the file, is the ``evidence``: it may tell of a person, and is passed on only where none can be told of.
    """

    def __init__(self, reason: str, evidence: str = "") -> None:
        super().__init__(reason, evidence)
        self.reason, self.evidence = reason, evidence

    def __str__(self) -> str:
        """Both, for who may see the file."""
        return with_evidence(self.reason, self.evidence)

    def at(self, place: str) -> MalformedFile:
        """The same, with the place at the beginning of the reason, where it isn't already."""
        return MalformedFile(self.reason if self.reason.startswith(place) else f"{place}: {self.reason}", self.evidence)

    def after(self, rows: int) -> MalformedFile:
        """The same, with how many rows of the file stand before it."""
        return MalformedFile(f"{self.reason}; this is after row {rows:,}" if rows else self.reason, self.evidence)


def with_evidence(reason: str, evidence: str) -> str:
    """A reason, and what the file itself says, if that is told."""
    return f"{reason} ({evidence})" if evidence else reason


def row_too_long(place: int, row: bytes, longest: int) -> MalformedFile:
    """The refusal of a file of text with a row longer than it may be, which begins after so many bytes."""
    begin = row[:80].decode(errors="backslashreplace")
    return MalformedFile(
        f"a row is longer than {longest:,} bytes (limits.rowBytes of the contract), the one after the first {place:,} "
        "bytes of the text; a quotation mark or a line end may be missing there",
        f"it begins {begin!r}",
    )


class MisjudgedCutError(Exception):
    """The quick way of cutting may have been wrong, lost the place of a fault, or put too many faulty rows into one
    block: read again, with ``exact``."""


@dataclass(frozen=True)
class Head:
    """What can be seen of a file without reading it: its name, its size in bytes, its beginning and its end.

    Size and end are None where they can't be known without reading all, as of what a compressed file holds.
    """

    name: str
    size: int | None
    data: bytes
    tail: bytes | None

    @property
    def complete(self) -> bool:
        """Whether ``data`` is the whole file."""
        return self.size is not None and len(self.data) >= self.size

    @property
    def has_control_characters(self) -> bool:
        """Whether ``data`` has bytes that text has only by damage."""
        return bool(_CONTROL.search(self.data))

    def text(self, delimiter: str = "") -> str | None:
        """``data`` as text without its byte order mark, or None when it is no text: most lines have control characters.

        Where such a character is known to be the delimiter, it isn't one of these.

        A character cut off at the end is left out; bytes that aren't UTF-8 come as U+FFFD, since one bad row
        doesn't make a file binary.
        """
        if self.has_control_characters:
            lines = [line for line in re.split(rb"[\r\n]", self.data) if line]
            if 2 * sum(1 for line in lines if _CONTROL.search(line.replace(delimiter.encode(), b""))) > len(lines):
                return None
        data = self.data
        if not self.complete:
            data = data[: max(data.rfind(b"\n"), data.rfind(b"\r")) + 1] or data[:-3]
        return data.decode("utf-8-sig", errors="replace")


_CONTROL = re.compile(rb"[\0-\x08\x0e-\x19\x1c-\x1f]")


@dataclass(frozen=True)
class Structure:
    """What a head shows of a file's structure."""

    columns: tuple[str, ...] | None
    """The names of the columns, or None when the head shows none."""
    details: Mapping[str, str] = field(default_factory=dict)
    """What was found out, by name (``delimiter``, ``rows``, ...), for people to see and for ``read`` to use."""
    exact: bool = False
    """Whether ``read`` must look at each row for where it ends and whether it is of this table, and give blocks of at
    most :data:`~formats.limits.BLOCK_ROWS` rows, since a quicker way was not sure."""
    nested: tuple[tuple[str, ...], ...] = ()
    """The ways to values within objects, as the names on each. As a column's name they have dots between them."""
    dialect: TableDialect = AS_FOUND
    """How the file spells its table: what the contract says, and what the head shows, for ``read`` to use. Its limits
    are the contract's, whatever ``inspect`` gave."""


@dataclass(frozen=True)
class MalformedRow:
    """A row that has no place in the columns: its position in the block from 0, why, and its text.

    The reason doesn't quote the row: it is told to people who may not see the text. What to do about it may stand
    behind a semicolon. ``column`` is the one at fault, as a batch would name it; empty where it is the row as a whole,
    or isn't known.
    """

    position: int
    reason: str
    raw: str
    column: str = ""


@dataclass(frozen=True)
class Rows:
    """The rows of one block.

    ``batch`` holds those that fit the columns, each column as strings, a dictionary of strings where that was wanted,
    or in the wanted type; ``positions`` are
    their positions in the block from 0, or None when they are simply 0, 1, 2, ... ; ``raw`` gives the text of the
    rows at some positions, as it stands in the file.
    """

    batch: pa.RecordBatch
    raw: Callable[[Sequence[int]], list[str]]
    positions: Sequence[int] | None = None
    malformed: Sequence[MalformedRow] = ()
    native: bool = False
    """Whether some strings of the batch are values of the file's own: numbers and booleans, spelled as JSON spells
    them, and dates and datetimes, as ISO 8601 does."""
    errors: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    """The strings that aren't values but errors of the file's own, such as #DIV/0!: by column, the row in the batch
    and where in the file it is (cell G17)."""
    passed_over: Mapping[str, int] = field(default_factory=dict)
    """What stands beside the rows and is none of them, such as a header: how many of each kind, for people to see."""

    @property
    def count(self) -> int:
        """How many rows the block has, malformed ones included."""
        return int(self.batch.num_rows) + len(self.malformed)


class Block(ABC):
    """A stretch of a file that can be parsed by itself, on any thread."""

    @abstractmethod
    def parse(self) -> Rows:
        """The rows of this stretch.

        Raises :class:`MalformedFile` when nothing after it can be trusted, and :class:`MisjudgedCutError` when it
        should have been cut elsewhere.
        """


class Format(ABC):
    """One file format."""

    name: str
    """Its name, such as ``csv``: one word, in lower case."""
    title: str
    """What it is, for people, in a few words."""
    suffixes: tuple[str, ...]
    """How names of such files end, in lower case, with the dot."""
    seeks: bool = False
    """Whether ``read`` goes back and forth in its stream, as workbooks need it; then the stream can ``seek``."""
    names_in_rows: bool = False
    """Whether each row names its own columns, as a JSON object does: then the head's are only some of them, and it is
    no fault of a file that a row has others."""
    is_text: bool = True
    """Whether files are text, in whatever encoding: they come as UTF-8. Workbooks and Parquet have no encoding."""
    is_utf8: bool = False
    """Whether such text is UTF-8 by the format's standard: another encoding counts only where a byte order mark or the
    contract tells it."""

    @abstractmethod
    def likelihood(self, head: Head) -> float:
        """How sure it is, from 0 (no) to 1 (certain), that the content is of this format."""

    def declared_encoding(self, _head: Head) -> str | None:
        """The encoding that a file of text itself names, as XML does, by its first bytes in UTF-8; None without one.

        It counts where neither a byte order mark nor the contract tells another. Raises :class:`MalformedFile` where
        text can't be read in it.
        """
        return None

    @abstractmethod
    def inspect(self, head: Head, dialect: TableDialect = AS_FOUND) -> Structure:
        """Check the structure as far as the head and the tail show it. What ``dialect`` says is not looked for.

        Raises :class:`MalformedFile` when such a file can't be read.
        """

    @abstractmethod
    def read(self, stream: BinaryIO, structure: Structure, wanted: Wanted) -> Iterator[Block]:
        """Cut a stream into blocks, in the file's order and in bounded memory.

        Raises :class:`MalformedFile` when the stream can't be read on, and :class:`MisjudgedCutError` when that
        may be so only because it was cut too quickly.
        """
