"""Holds rows against a contract: every value typed, every rule kept, or the row's faults said in words."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

from formats import MisjudgedCutError, Rows
from formats.columns import all_but
from runtime import rules
from runtime.arrow import integers, plain, take, texts, with_values
from runtime.casts import cast, without_missing, without_spaced_missing
from runtime.contract import Contract, Field, normalise
from runtime.faults import Breach, Fault, breaches, faults_of, quoted
from runtime.partitions import NULL_PARTITION, partition_folder
from runtime.refused import RefusedRow, malformed_row, refused_rows
from runtime.stored import stored_rows

_LONGEST_FOLDER = len("/") + 255
"""Bytes of a folder's name, the most that file systems take."""
_SURELY_FITS = 40
"""Bytes of a partition's value that fit in any case, even if all are escaped behind the longest name."""

_MOST_FAULTS = 50
"""Faults of one row that are told: of many columns, each with a fault, a block's reasons are many times its size."""
_MORE_FAULTS = Fault(None, "more", "and there are more faults")

_NONE_REPEATED: Mapping[int, Fault] = {}


@dataclass(frozen=True)
class CheckedRows:
    """The rows of one block: those taken, as the dataset's table has them, and the others.

    The rows taken are not copied out of all of them here: who orders them anew copies them anyway.
    """

    rows: pa.RecordBatch
    """The rows that could be read, as the dataset's table has them, some of the refused among them."""
    all_places: pa.Array
    """Where these stand in the block, from 0, as integers of 64 bits."""
    kept: pa.Array | None
    """Which of these are taken, as their numbers in ``rows``, in order; None for all."""
    refused: Sequence[RefusedRow]
    passed_over: Mapping[str, int]
    """What stands beside the rows and is none of them: how many of each kind."""

    @cached_property
    def taken(self) -> pa.RecordBatch:
        """The rows taken."""
        return self.rows if self.kept is None else take(self.rows, self.kept)

    @cached_property
    def places(self) -> pa.Array:
        """The positions of the rows taken in the block, from 0, as integers of 64 bits."""
        return self.all_places if self.kept is None else self.all_places.take(self.kept)

    @property
    def count(self) -> int:
        """How many rows the block has."""
        return len(self.places) + len(self.refused)


def check(
    rows: Rows, contract: Contract, repeated: Mapping[int, Fault] = _NONE_REPEATED, most_refused: int | None = None
) -> CheckedRows:
    """Type and judge the rows of a block. Every row comes out once, taken or refused.

    ``repeated`` are rows, by position in the block, whose key the file has before: what a block by itself can't show.

    Raises :class:`~formats.MisjudgedCutError` when more rows than ``most_refused`` would be refused, which are too
    many to hold.
    """
    count = rows.batch.num_rows
    faults: dict[int, list[Fault]] = {}
    typed: dict[str, pa.Array] = {}
    for field in contract.fields:
        raw, ambiguous = _column(rows.batch, contract, field)
        raw, typed[field.name], found = _judged(raw, field, native=rows.native)
        errors = _errors(rows, raw, contract, field)
        for row, fault in errors.items():
            _tell(fault, faults.setdefault(row, []))
        for breach in itertools.chain(ambiguous, found):
            broken = pc.indices_nonzero(breach.rows)
            _check_few(max(len(broken), len(faults)), most_refused)
            values = plain(raw.take(broken)).to_pylist()
            for row, fault in zip(broken.to_pylist(), faults_of(breach, values, field), strict=True):
                if row not in errors:
                    _tell(fault, faults.setdefault(row, []))
    places = pa.arange(0, count) if rows.positions is None else integers(rows.positions)
    whole_rows = (
        _no_objects(rows.batch, contract),
        _surplus(rows.batch, contract),
        _unfit_for_folders(typed, contract),
        _broken_rules(typed, contract),
        _repeated(places, repeated),
    )
    for row, fault in itertools.chain(*whole_rows):
        _tell(fault, faults.setdefault(row, []))
        _check_few(len(faults), most_refused)
    kept = None
    refused = [malformed_row(row, contract) for row in rows.malformed]
    batch = pa.RecordBatch.from_arrays(list(typed.values()), names=list(typed))
    unknown = _unknown(rows.batch, contract)
    if faults:
        at_fault = sorted(faults)
        refused += refused_rows(rows, contract, integers(at_fault), [faults[row] for row in at_fault])
        kept = integers(all_but(at_fault, count))
    refused.sort(key=lambda row: row.position)
    return CheckedRows(stored_rows(batch, unknown, contract), places, kept, refused, rows.passed_over)


def _errors(rows: Rows, raw: pa.Array, contract: Contract, field: Field) -> Mapping[int, Fault]:
    """The rows whose field is an error of the file's own, such as #N/A, that the contract doesn't take as missing."""
    found = {}
    for name, cells in rows.errors.items():
        if contract.field_of_column(name) is field:
            for (row, cell), value in zip(
                cells.items(), plain(raw.take(integers(list(cells)))).to_pylist(), strict=True
            ):
                if value is not None:
                    breach = Breach(raw, "error", f"{{value}} in cell {cell} is an error of the workbook")
                    found[row] = faults_of(breach, [value], field)[0]
    return found


def _check_few(refused: int, most: int | None) -> None:
    if most is not None and refused > most:
        raise MisjudgedCutError


def _tell(fault: Fault, before: list[Fault]) -> None:
    """Put a fault behind a row's others, unless these are many."""
    if len(before) < _MOST_FAULTS:
        before.append(fault)
    elif before[-1] is not _MORE_FAULTS:
        before.append(_MORE_FAULTS)


def _judged(raw: pa.Array, field: Field, *, native: bool) -> tuple[pa.Array, pa.Array, list[Breach]]:
    """A column without missing values, the same in its field's type, and the rules that rows break.

    Of a dictionary its texts are judged.
    """
    if pa.types.is_dictionary(raw.type):
        texts, values, found = _judged(raw.dictionary, field, native=native)
        typed = with_values(raw.indices, values) if pa.types.is_string(values.type) else values.take(raw.indices)
        breached = [replace(breach, rows=breach.rows.take(raw.indices)) for breach in found]
        return pa.DictionaryArray.from_arrays(raw.indices, texts), typed, breached
    values = cast(raw, field, native=native) if pa.types.is_string(raw.type) else raw
    if values.null_count > raw.null_count:
        raw = without_spaced_missing(raw, values, field)
    return raw, values, list(breaches(raw, values, field))


def _column(batch: pa.RecordBatch, contract: Contract, field: Field) -> tuple[pa.Array, list[Breach]]:
    """A field's values as the file has them, with the rows in which two of its columns claim the field."""
    found = [
        batch.column(position)
        for position, name in enumerate(batch.schema.names)
        if contract.field_of_column(name) is field
    ]
    if len(found) > 1:
        found = [column.cast(pa.string()) for column in found]
    several = len(found) > 1
    found = [_without_missing(column, field, trim=several) for column in found]
    if not found:
        return pa.nulls(batch.num_rows, pa.string()), []
    ambiguous = [
        Breach(pc.and_(first.is_valid(), second.is_valid()), "structure", "is given twice, under two names")
        for first, second in itertools.combinations(found, 2)
    ]
    return (pc.coalesce(*found) if len(found) > 1 else found[0]), ambiguous


def _without_missing(column: pa.Array, field: Field, *, trim: bool) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        return pa.DictionaryArray.from_arrays(column.indices, without_missing(column.dictionary, field, trim=trim))
    return without_missing(column, field, trim=trim) if pa.types.is_string(column.type) else column


def _no_objects(batch: pa.RecordBatch, contract: Contract) -> Iterator[tuple[int, Fault]]:
    """The rows that have a text where the contract has fields within an object."""
    for position, name in enumerate(batch.schema.names):
        if contract.field_of_column(name) is None and contract.has_fields_within(name):
            reason = (
                f"{normalise(name)} is no object, but the contract has fields within it; correct the value, or the "
                "fields' path"
            )
            present = pc.greater(pc.binary_length(batch.column(position)), 0)
            for row in pc.indices_nonzero(present).to_pylist():
                yield row, Fault(None, "structure", reason)


def _surplus(batch: pa.RecordBatch, contract: Contract) -> Iterator[tuple[int, Fault]]:
    """The rows that have a value in a column that the contract doesn't allow, as only some rows of a file may."""
    if contract.takes_further_columns:
        return
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if contract.is_further(name):
            which = "" if contract.has_personal_fields else f" {quoted(name)}"
            reason = f"the row has a field{which} that the contract doesn't have (fieldsMatch: {contract.fields_match})"
            for row in pc.indices_nonzero(column.is_valid()).to_pylist():
                yield row, Fault(None, "fieldsMatch", reason)


def _unfit_for_folders(typed: Mapping[str, pa.Array], contract: Contract) -> Iterator[tuple[int, Fault]]:
    """The rows whose partition's folder can't have their value as its name, or would say that they have none."""
    for name in contract.partition_by:
        values = plain(typed[name]) if name in typed else None
        if values is None or not pa.types.is_string(values.type):
            continue
        lengths = pc.binary_length(values)
        ends = pc.min_max(lengths)
        if ends["min"].as_py() == 0:
            for row in pc.indices_nonzero(pc.equal(lengths, 0)).to_pylist():
                reason = f'{name}: "" is no name for a partition; give the field "" as one of its missingValues'
                yield row, Fault(name, "partitionBy", reason)
        for row in pc.indices_nonzero(pc.fill_null(pc.equal(values, NULL_PARTITION), False)).to_pylist():
            reason = f"{name}: {quoted(values[row].as_py())} is how a partition without a value is named"
            yield row, Fault(name, "partitionBy", reason)
        if (ends["max"].as_py() or 0) <= _SURELY_FITS:
            continue
        long = [
            text
            for text in pc.unique(values.drop_null()).to_pylist()
            if len(partition_folder([name], [text]).encode()) > _LONGEST_FOLDER
        ]
        for row in pc.indices_nonzero(pc.is_in(values, texts(long))).to_pylist() if long else ():
            reason = f"{name}: {quoted(values[row].as_py())} is too long for a partition, whose folder has its name"
            yield row, Fault(name, "partitionBy", reason)


def _broken_rules(typed: Mapping[str, pa.Array], contract: Contract) -> Iterator[tuple[int, Fault]]:
    """The rows that don't keep a rule across columns."""
    for rule in contract.rules:
        typed = {**typed, **{name: plain(typed[name]) for name in rule.comparison.names}}
        mask = rules.broken(rule, typed)
        if mask is None:
            continue
        hidden = any(contract.field(name).personal for name in rule.comparison.names)
        for row in pc.indices_nonzero(mask).to_pylist():
            reason = f"{rule.text} does not hold" if hidden else rules.reason(rule, typed, row)
            yield row, Fault(None, rule.name, f"{rule.name}: {reason}")


def _repeated(places: pa.Array, repeated: Mapping[int, Fault]) -> Iterator[tuple[int, Fault]]:
    if repeated:
        for row in pc.indices_nonzero(pc.is_in(places, integers(list(repeated)))).to_pylist():
            yield row, repeated[places[row].as_py()]


def _unknown(batch: pa.RecordBatch, contract: Contract) -> pa.RecordBatch:
    """The columns that no field claims, which are there only where the contract keeps them."""
    names = batch.schema.names
    return batch.select([position for position, name in enumerate(names) if contract.field_of_column(name) is None])
