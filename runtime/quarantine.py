"""Writes the rows that a contract refused, for people to read in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from sys import getsizeof

import pyarrow as pa

from runtime.contract import Contract
from runtime.ledger import ObjectVersion
from runtime.parquet_file import ParquetWriter, open_parquet
from runtime.refused import RefusedRow
from runtime.tables import arrow_schema, quarantine_table

MOST_HELD = 16 * 1024 * 1024
"""Bytes of rows held back, about, before they are written: a row group of the file."""
_BYTES_BESIDE_TEXTS = 200
"""What a row takes here besides its reason and its text, about."""


class QuarantineWriter:
    """One Parquet file of the quarantine table, which is made when the first row comes.

    All rows are counted. Of those that are kept, the contract may set the number (``quarantineSample``).
    """

    def __init__(self, path: Path, contract: Contract, version: ObjectVersion) -> None:
        self.rows = 0
        self.first: tuple[int, str] | None = None
        """The first row's number in the file from 1, and its reason."""
        self._path = path
        self._schema = arrow_schema(quarantine_table(contract))
        self._version = version
        self._most = contract.quarantine_sample
        self._held: list[tuple[int, RefusedRow]] = []
        """Rows by their number in the file from 1."""
        self._held_bytes = 0
        self._writer: ParquetWriter | None = None

    def write(self, refused: Sequence[RefusedRow], rows_before: int) -> None:
        """Take the refused rows of a block, before which the file has ``rows_before`` rows."""
        if refused and not self.rows:
            self.first = rows_before + refused[0].position + 1, refused[0].reason
        left = None if self._most is None else max(0, self._most - self.rows)
        for row in refused[:left]:
            self._held.append((rows_before + row.position + 1, row))
            self._held_bytes += getsizeof(row.reason) + getsizeof(row.raw) + _BYTES_BESIDE_TEXTS
            if self._held_bytes >= MOST_HELD:
                self._flush()
        self.rows += len(refused)

    def close(self) -> Path | None:
        """The finished file, or None when no row came."""
        self._flush()
        if self._writer is None:
            return None
        self._writer.close()
        return self._path

    def release(self) -> None:
        """Let go of the open file, where the work is broken off."""
        if self._writer:
            self._writer.close()

    def _flush(self) -> None:
        if self._held:
            self._writer = self._writer or open_parquet(self._path, self._schema)
            self._writer.write_table(self._table())
            self._held, self._held_bytes = [], 0

    def _table(self) -> pa.Table:
        numbers, rows = zip(*self._held, strict=True)
        columns = {
            "_source_key": [self._version.key] * len(rows),
            "_source_version": [self._version.version] * len(rows),
            "_source_row": numbers,
            "column_name": [row.column for row in rows],
            "rule": [row.rule for row in rows],
            "reason": [row.reason for row in rows],
            "raw_text": [row.raw for row in rows],
        }
        return pa.Table.from_pydict(columns, self._schema)
