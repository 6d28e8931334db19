"""Makes the rows of a dataset's table out of rows that keep its contract."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from runtime.contract import Contract
from runtime.json_text import objects
from runtime.personal import protected
from runtime.pipeline import Computed
from runtime.tables import stored_columns


def stored_rows(typed: pa.RecordBatch, unknown: pa.RecordBatch, contract: Contract) -> pa.RecordBatch:
    """The rows as the dataset's table has them, its partition columns included.

    ``typed`` has the contract's fields, ``unknown`` the columns of strings that the contract doesn't know.
    """
    columns = [
        protected(typed.column(field.name), field, contract) for field in contract.fields if field.personal != "drop"
    ]
    columns += [_computed(typed.column(column.source), column) for column in contract.computed]
    if contract.rescue:
        columns.append(
            objects(unknown.schema.names, unknown.columns)
            if unknown.num_columns
            else pa.nulls(typed.num_rows, pa.string())
        )
    return pa.RecordBatch.from_arrays(columns, [column.name for column in stored_columns(contract)])


def _computed(values: pa.Array, column: Computed) -> pa.Array:
    if column.time_zone is not None:
        values = pc.local_timestamp(values.cast(pa.timestamp("us", column.time_zone)))
    if column.function == "date":
        return values.cast(pa.date32())
    part = pc.year(values) if column.function == "year" else pc.month(values)
    return part.cast(pa.int32())
