"""What the quarantine has of a row that is refused: its reasons, and its text, unless that may tell of a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from formats import MalformedRow, Rows
from formats.format import with_evidence
from runtime.arrow import NOTHING
from runtime.contract import Contract
from runtime.faults import Fault, quoted
from runtime.json_text import objects
from runtime.personal import MASK


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row for the quarantine: its position in the block from 0, its first fault, all faults in words, its text.

    The text is None where it may tell of a person.
    """

    position: int
    column: str | None
    rule: str
    reason: str
    raw: str | None


def refused_rows(
    rows: Rows, contract: Contract, at_fault: pa.Array, faults: Sequence[Sequence[Fault]]
) -> list[RefusedRow]:
    """The rows at fault, given by where they stand in the batch, in order."""
    positions = at_fault.to_pylist()
    if rows.positions is not None:
        positions = [rows.positions[row] for row in positions]
    shown: Sequence[str | None] = (
        _without_personal(rows.batch.take(at_fault), contract) if contract.has_personal_fields else rows.raw(positions)
    )
    return [
        RefusedRow(position, found[0].column, found[0].rule, "; ".join(fault.reason for fault in found), text)
        for position, found, text in zip(positions, faults, shown, strict=True)
    ]


def _without_personal(batch: pa.RecordBatch, contract: Contract) -> list[str | None]:
    """The rows as JSON objects of what was read of them, with the values that tell of persons masked.

    A column that no row may have is left out: its name may be a person's as well.
    """
    names, columns = [], []
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if not contract.takes_further_columns and contract.is_further(name):
            continue
        field, strings = contract.field_of_column(name), column.cast(pa.string())
        hidden = pc.if_else(strings.is_valid(), MASK, NOTHING)
        names.append(name)
        columns.append(hidden if (field.personal if field else contract.has_fields_within(name)) else strings)
    if not columns:
        return [None] * batch.num_rows
    found: list[str | None] = objects(names, columns).to_pylist()
    return found


def malformed_row(row: MalformedRow, contract: Contract) -> RefusedRow:
    """A row that could not be read, in whose text nobody knows where a person's values are."""
    field = contract.field_of_column(row.column) if row.column else None
    if field:
        reason = f"{field.name}: {row.reason}"
    else:
        shown = f"at {quoted(row.column)}" if row.column and not contract.has_personal_fields else ""
        reason = with_evidence(row.reason, shown)
    raw = None if contract.has_personal_fields else row.raw
    return RefusedRow(row.position, field.name if field else None, "structure", reason, raw)
