"""Which records name the columns of a table, over one row or two, and what they name: in text and in sheets alike."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from formats.dialect import TableDialect, normalise

_VALUE_OF_DATA = re.compile(r"\W*\d[\d\W]*")
"""Digits and what stands between them: no column is named so."""


def names_known(record: Sequence[str], stated: TableDialect) -> int:
    """How many columns of the contract a record names."""
    return len({normalise(value) for value in record} & stated.known) if stated.known else 0


def naming(records: Sequence[Sequence[str]], numbers: Sequence[int], stated: TableDialect) -> tuple[int, ...]:
    """Of the records with some numbers, from 1, the one that names most of the contract's columns, or two together.

    None where no record names any, and no two do.
    """
    found = max(numbers, key=lambda number: names_known(records[number - 1], stated), default=0)
    best: tuple[int, ...] = (found,)
    most = names_known(records[found - 1], stated) if found else 0
    pairs = [(found - 1, found), (found, found + 1)] if most else list(pairwise(numbers))
    for pair in pairs:
        if pair[0] > 0 and pair[1] <= len(records):
            known = names_known(names_of([records[part - 1] for part in pair], stated), stated)
            if known > most:
                best, most = pair, known
    return best if most else ()


def fill_each_other(pair: Sequence[Sequence[str]]) -> bool:
    """Whether two records name each column once, which a header and a row never do."""
    return (
        len(pair) > 1
        and len(pair[0]) == len(pair[1])
        and all(map(any, pair))
        and all(bool(upper) != bool(lower) for upper, lower in zip(*pair, strict=True))
    )


def is_row(first: Sequence[str], stated: TableDialect) -> bool:
    """Whether the first record, which names no column of the contract, is a row: it is as wide, and has data."""
    return (
        stated.header is None
        and len(first) == len(stated.columns)
        and any(_VALUE_OF_DATA.fullmatch(value) for value in first)
    )


def begins_with_row(records: Sequence[Sequence[str]]) -> bool:
    """Whether the first record, where no contract knows names, has numbers in most columns in which all others do."""
    widths = [len(record) for record in records]
    if not records or widths.count(widths[0]) < widths.count(max(widths, key=widths.count)):
        return False
    first, *others = (record for record in records if len(record) == widths[0])
    numbers = [
        bool(_VALUE_OF_DATA.fullmatch(value))
        for value, *below in zip(first, *others, strict=True)
        if all(map(_VALUE_OF_DATA.fullmatch, filter(None, below)))
    ]
    return 2 * sum(numbers) > len(numbers)


def names_of(header: Sequence[Sequence[str]], stated: TableDialect) -> tuple[str, ...]:
    """The columns' names: those of one record, or of several joined, in which a name goes on over empty values."""
    if len(header) <= 1:
        return tuple(*header)
    width = max(map(len, header))
    rows = [[*record, *[""] * (width - len(record))] for record in header]
    last = rows[-1]
    filled = [*map(_gone_on, rows, rows[1:]), last]
    joined = [stated.header_join.join(dict.fromkeys(filter(None, names))) for names in zip(*filled, strict=True)]
    return tuple(
        own if normalise(name) not in stated.known and normalise(own) in stated.known else name
        for name, own in zip(joined, last, strict=True)
    )


def _gone_on(upper: Sequence[str], lower: Sequence[str]) -> Sequence[str]:
    """Names that go on over the empty values after them, but for those that have no name below."""
    found: list[str] = []
    going = ""
    for name, below in zip(upper, lower, strict=True):
        if name:
            going = name if below else ""
        found.append(name or going)
    return found
