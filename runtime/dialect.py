"""What a contract says of how its files are written: their dialect, their encoding and their limits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import fields

from formats.csv_delimiter import STAND_IN, is_long
from formats.dialect import TableDialect, normalise
from formats.encoding import is_encoding
from formats.limits import LIMITS, MOST, Limits
from runtime.descriptor import Section

DIALECT_PROPERTIES = (
    "delimiter", "quoteChar", "escapeChar", "skipInitialSpace", "header", "headerRows", "headerJoin", "commentRows",
    "commentChar", "property", "sheetNumber", "sheetName",
)  # fmt: skip
LIMITS_PROPERTIES = tuple(re.sub("_(.)", lambda found: found[1].upper(), field.name) for field in fields(Limits))


def parse_dialect(root: Section, columns: Sequence[tuple[str, ...]]) -> TableDialect:
    """The Table Dialect (Data Package v2), for files whose columns may have these names, field by field."""
    section = root.section("dialect")
    section.allow_only(DIALECT_PROPERTIES)
    header_rows, comment_rows = section.numbers("headerRows"), section.numbers("commentRows")
    dialect = TableDialect(
        delimiter=section.separator("delimiter"),
        quote_char=section.mark("quoteChar", empty=True),
        escape_char=section.mark("escapeChar"),
        skip_initial_space=_stated(section, "skipInitialSpace"),
        header=_stated(section, "header"),
        header_rows=header_rows,
        header_join=section.text("headerJoin", " "),
        comment_rows=comment_rows,
        comment_char=section.text("commentChar", "") or None,
        property=section.text("property", "") or None,
        sheet_number=section.integer("sheetNumber", 1),
        sheet_name=section.text("sheetName", "") or None,
        columns=tuple(names[0] for names in columns),
        known=frozenset(normalise(name) for names in columns for name in names),
    )
    quote = '"' if dialect.quote_char is None else dialect.quote_char
    marks = [mark for mark in (quote, dialect.escape_char) if mark]
    if len(set(marks)) < len(marks) or any(mark in (dialect.delimiter or "") for mark in marks):
        root.problem("dialect", "another character each for delimiter, quoteChar and escapeChar")
    if is_long(dialect.delimiter) and STAND_IN in (dialect.delimiter or ""):
        section.problem("delimiter", "no U+001F among several characters")
    if dialect.header is False and header_rows:
        section.problem("headerRows", "no rows, where header is false")
    return dialect


def _stated(section: Section, name: str) -> bool | None:
    return section.boolean(name, default=False) if section.has(name) else None


def parse_encodings(root: Section) -> tuple[str, ...]:
    """The names of encodings, in the order in which they are tried."""
    names = root.text_or_texts("encoding", ())
    for name in names:
        if not is_encoding(name):
            root.problem("encoding", f"encodings such as utf-8, windows-1252 or iso-8859-1; {name!r} is none")
            return ()
    return names


def parse_limits(pipeline: Section) -> Limits:
    """The limits, those of the box where nothing is said."""
    section = pipeline.section("limits")
    section.allow_only(LIMITS_PROPERTIES)
    values = {
        field.name: section.integer(property_, 1, field.metadata.get(MOST)) or getattr(LIMITS, field.name)
        for field, property_ in zip(fields(Limits), LIMITS_PROPERTIES, strict=True)
    }
    return Limits(**values)
