"""What stands beside the rows of an XML document: a header or a total, or rows by another name, which are data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

_ANOTHER_NAME = "the element stands where rows do, and has another name; export it as a row, or to a file of its own"
_LONGEST_WAY = 200
"""Characters of the names on the way to an element, for people."""


@dataclass(frozen=True)
class Stray:
    """An element that is no row but may have been meant as one: its text as it stands in the file, and why."""

    text: str
    reason: str = _ANOTHER_NAME

    def __len__(self) -> int:
        return 1

    def raw(self, _position: int) -> str:
        """Its text."""
        return self.text


class Beside:
    """Tells strays from what is plainly no row.

    A stray has at least half of the rows' columns, or stands between two rows. Before the first row and behind the last
    an element with less is a header or a total, which is passed over and counted.
    """

    def __init__(self, path: Sequence[str], columns: Collection[str], longest: int) -> None:
        """``path`` are the names down to the rows', ``columns`` those that rows have. ``longest`` is how many
        characters may wait for the next row; with more, they are taken for strays."""
        self._path, self._columns, self._longest = [*path], frozenset(columns), longest
        self._waiting: list[tuple[Sequence[str], Stray]] = []
        self._length = 0
        self._has_rows = False
        self._passed_over: Counter[str] = Counter()

    def has_rows_place(self, names: Sequence[str]) -> bool:
        """Whether the last of the elements that are open stands where rows do, by whatever name.

        One further out that doesn't lead to rows is passed over.
        """
        depth = len(names)
        if depth > len(self._path) or names[:-1] != self._path[: depth - 1]:
            return False
        if depth < len(self._path) and names[-1] != self._path[depth - 1]:
            self.pass_over(names)
        return depth == len(self._path)

    def row(self) -> Sequence[Stray]:
        """A row begins: what waited for it stands between two rows."""
        self._has_rows = True
        if not self._waiting:
            return ()
        strays = [stray for _, stray in self._waiting]
        self._waiting, self._length = [], 0
        return strays

    def element(self, way: Sequence[str], columns: Collection[str], text: str) -> Sequence[Stray]:
        """An element in a row's place that has some columns. Returns the strays that are known for it now."""
        if self._columns and 2 * len(self._columns.intersection(columns)) >= len(self._columns):
            return [*self.row(), Stray(text)]
        if not self._has_rows:
            self.pass_over(way)
            return []
        self._waiting.append((way, Stray(text)))
        self._length += len(text)
        return self.row() if self._length > self._longest else []

    def text(self, names: Sequence[str]) -> None:
        """A text in the last of the elements that are open, beside rows or what leads to them."""
        if names == self._path[: len(names)]:
            self.pass_over([*names, "#text"])

    def pass_over(self, way: Sequence[str]) -> None:
        """Count an element that is no row, by the names on the way to it."""
        self._passed_over[".".join(way)[:_LONGEST_WAY]] += 1

    def end(self) -> None:
        """No row follows."""
        for way, _ in self._waiting:
            self.pass_over(way)
        self._waiting = []

    def taken(self) -> Counter[str]:
        """How many elements were passed over since this was asked for, by their ways."""
        found, self._passed_over = self._passed_over, Counter()
        return found
