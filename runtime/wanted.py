"""What a reader is asked for: the columns that a contract has a use for, each in the type that is quickest to judge."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from formats import Rows
from runtime.arrow import plain
from runtime.contract import Contract, Field
from runtime.tables import value_type

_OBJECT = pa.struct([])
"""What has fields within it, each of which is asked for by its own name."""
_DICTIONARY = pa.dictionary(pa.int32(), pa.string())
_SAMPLE_ROWS, _FEWEST_SAMPLE_ROWS = 2_000, 200
"""How many rows are looked at for repetition; of fewer than the least, all are in one block anyway."""
_REPETITIVE = 0.1
"""The share of different texts among the first rows up to which a dictionary of them pays."""


class WantedTypes:
    """What a reader is asked for: the type of each column of a file that the contract has a use for."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._types = {field.name: wanted_type(field) for field in contract.fields}
        self._repetitive: frozenset[str] = frozenset()

    def __call__(self, column: str) -> pa.DataType | None:
        """The type of a column; None when there is no use for it."""
        field = self._contract.field_of_column(column)
        if field:
            return _DICTIONARY if column in self._repetitive else self._types[field.name]
        if self._contract.has_fields_within(column):
            return _OBJECT
        if not self._contract.takes_further_columns and self._contract.is_further(column):
            return pa.string()  # to refuse the rows that have it
        return pa.string() if self._contract.rescue else None

    def learn(self, first: Rows) -> None:
        """See in a file's first rows which texts repeat themselves: these are asked for as dictionaries from now on.

        Where a file has numbers of its own, only texts: its parser can't be asked for a number as a text.
        """
        sample = first.batch.slice(0, _SAMPLE_ROWS)
        if sample.num_rows < _FEWEST_SAMPLE_ROWS:
            return
        self._repetitive = frozenset(
            name
            for name, column in zip(sample.schema.names, sample.columns, strict=True)
            if pa.types.is_string(column.type)
            and (field := self._contract.field_of_column(name))
            and (not first.native or pa.types.is_string(self._types[field.name]))
            and pc.count_distinct(column, mode="all").as_py() <= _REPETITIVE * sample.num_rows
        )

    def encoded(self, rows: Rows) -> Rows:
        """The same rows with such texts as dictionaries, nulls among them, whichever way the reader delivers them."""
        batch = rows.batch
        for position, name in enumerate(batch.schema.names):
            column = batch.column(position)
            delivered = pa.types.is_dictionary(column.type)
            if column.indices.null_count if delivered else name in self._repetitive and pa.types.is_string(column.type):
                batch = batch.set_column(position, name, plain(column).dictionary_encode("encode"))
        return rows if batch is rows.batch else replace(rows, batch=batch)


def wanted_type(field: Field) -> pa.DataType:
    """The type that a reader may deliver a field in: its own, unless that depends on how the field is spelled."""
    by_default = field.spelled_by_default and field.time_zone is None and field.type not in ("time", "year")
    return value_type(field) if by_default and set(field.missing_values) <= {""} else pa.string()
