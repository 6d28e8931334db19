"""A first contract out of sample files, for a human to edit.

This is the one place where types are guessed, and the guess is cautious: a column of digits that begin with a zero,
or that are all equally long, is a number of something (a SKU, a postcode), not an amount.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import yaml

from formats import MalformedFile, Registry
from formats.limits import LIMITS
from runtime.admission import Part, RefusedFile, look, refusal
from runtime.contents import contents
from runtime.contract import normalise
from runtime.field import MAXIMUM_PRECISION
from runtime.source import LocalFile, Source

_SAMPLE_BLOCKS = 4
_LONG_NUMBER = 6
_USUAL_DIGITS = 10
"""Room before the point that a field gets, though the sample needs less."""
_PATTERNS = (
    ("boolean", r"^(true|false|True|False|TRUE|FALSE)$"),
    ("integer", r"^[+-]?[0-9]{1,18}$"),
    ("number", r"^[+-]?[0-9]{1,14}([.][0-9]{1,4})?$"),
    ("date", r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"),
    (
        "datetime",
        r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})$",
    ),
)
_HEADER = """\
# A first contract, guessed from {files}. Read it line by line before it is used:
# - are the types right? What is counted or added up is a number; what only names a thing is a string.
# - which columns must have a value (required), and which bounds, patterns or lists (enum) do the values keep?
# - partitionBy: a column that queries filter by, with some dozens of values at the most.
"""
_NO_HEADER = """\
# - no line of the file names the columns: what are they? The fields are numbered, in the order of the columns.
"""


def with_comments(descriptor: Mapping[str, Any], paths: Sequence[Path]) -> str:
    """A contract as YAML, with what to look at first."""
    header = _HEADER.format(files=", ".join(path.name for path in paths))
    if descriptor.get("dialect") == {"header": False}:
        header += _NO_HEADER
    return header + yaml.safe_dump(dict(descriptor), sort_keys=False, allow_unicode=True, width=120)


def infer_descriptor(paths: Sequence[Path], registry: Registry) -> dict[str, Any]:
    """A contract that takes all the files, as it is written.

    Raises :class:`~runtime.admission.RefusedFile` when a file can't be read, or only some have a header.
    """
    names: dict[str, str] = {}
    types: dict[str, str] = {}
    always: set[str] = set()
    digits: dict[str, tuple[int, int]] = {}
    have_header: bool | None = None
    for position, path in enumerate(paths):
        columns, has_header = _sample(LocalFile(path), registry)
        if position and has_header != have_header:
            raise RefusedFile(
                f"{path.name}: of the files some have a header and others have none; choose those of a kind"
            )
        have_header = has_header
        full = set()
        for column, values in columns.items():
            name = _field_name(column)
            names.setdefault(name, column)
            guess = _guess(values)
            types[name] = guess if types.get(name, guess) == guess else _common(types[name], guess)
            digits[name] = _widest(digits.get(name, (1, 0)), values)
            if values and not any(value == "" for value in values):
                full.add(name)
        always = full if position == 0 else always & full
    fields = [_field(name, names[name], types[name], name in always, digits[name]) for name in names]
    dataset = re.sub(r"_*[0-9]+$", "", _field_name(paths[0].stem)) or "dataset"
    document: dict[str, Any] = {
        "name": dataset,
        "title": dataset.replace("_", " ").capitalize(),
        "description": "",
        "schema": {"fieldsMatch": "subset", "missingValues": [""], "fields": fields},
        "pipeline": {"prefix": f"{dataset}/", "partitionBy": []},
    }
    if not have_header:
        document["dialect"] = {"header": False}
    aliases = {name: [column] for name, column in names.items() if normalise(column) != name}
    if aliases:
        document["pipeline"] = {"prefix": f"{dataset}/", "partitionBy": [], "aliases": aliases}
    return document


def _sample(source: Source, registry: Registry) -> tuple[dict[str, list[str]], bool]:
    """The values of each column in the file's first blocks, missing ones as empty texts; whether it has a header."""
    head = source.head()
    part, *_ = look(source, registry)
    part = replace(part, structure=replace(part.structure, exact=True))
    _check_told_apart(head.name, part.structure.columns or ())
    columns: dict[str, list[str]] = {}
    try:
        for batch in _batches(source, part, registry):
            for name, column in zip(batch.schema.names, batch.columns, strict=True):
                filled = pc.fill_null(column.cast(pa.string()), "")
                columns.setdefault(name, []).extend(filled.to_pylist())
    except MalformedFile as error:
        raise refusal(error, source, [], part.format.name) from error
    return columns, part.structure.dialect.header is not False


def _check_told_apart(file: str, columns: Sequence[str]) -> None:
    known: dict[str, str] = {}
    for column in columns:
        name = _field_name(column)
        if name in known:
            both = f"{known[name]!r} and {column!r}"
            raise RefusedFile(f"{file}: the columns {both} are the same to a contract; rename one of them")
        known[name] = column


def _batches(source: Source, part: Part, registry: Registry) -> Iterator[pa.RecordBatch]:
    structure = replace(part.structure, exact=True)
    with contents(source, registry, LIMITS) as found, found[0].opened(part.format, part.encoding, LIMITS) as stream:
        for block in islice(part.format.read(stream, structure, lambda _: pa.string()), _SAMPLE_BLOCKS):
            yield block.parse().batch


def _guess(values: Sequence[str]) -> str:
    filled = [value.strip() for value in values if value.strip()]
    if not filled:
        return "string"
    column = pa.array(filled, pa.string())
    for type_, pattern in _PATTERNS:
        if pc.all(pc.match_substring_regex(column, pattern)).as_py():
            return "string" if type_ in ("integer", "number") and _names_things(filled) else type_
    return "string"


def _names_things(digits: Sequence[str]) -> bool:
    if any(re.match(r"[+-]?0[0-9]", value) for value in digits):
        return True
    lengths = {len(value) for value in digits}
    return all(value.isdigit() for value in digits) and lengths <= {max(lengths)} and max(lengths) >= _LONG_NUMBER


def _common(first: str, second: str) -> str:
    return "number" if {first, second} == {"integer", "number"} else "string"


def _widest(digits: tuple[int, int], values: Sequence[str]) -> tuple[int, int]:
    """The most digits before and after the point, of those known and those of some values."""
    before, after = digits
    for value in values:
        number = re.fullmatch(r"\s*[+-]?([0-9]+)[.]?([0-9]*)\s*", value)
        if number:
            before, after = max(before, len(number[1])), max(after, len(number[2]))
    return before, after


def _field(name: str, column: str, type_: str, required: bool, digits: tuple[int, int]) -> dict[str, object]:
    field: dict[str, object] = {"name": name, "type": type_}
    if column != name:
        field["title"] = column
    if type_ == "number":
        before, after = digits
        field["decimal"] = {"precision": min(max(before, _USUAL_DIGITS) + after, MAXIMUM_PRECISION), "scale": after}
    if required:
        field["constraints"] = {"required": True}
    return field


def _field_name(column: str) -> str:
    name = re.sub(r"[^a-z0-9]+", "_", normalise(column)).strip("_")
    return name if name[:1].isalpha() else f"column_{name}".rstrip("_")
