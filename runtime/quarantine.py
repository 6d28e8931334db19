"""Writes the rows that a contract refused, for people to read in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from runtime.checks import RefusedRow
from runtime.contract import Contract
from runtime.ledger import ObjectVersion
from runtime.tables import arrow_schema, quarantine_table

_ROWS_HELD = 10_000


class QuarantineWriter:
    """One Parquet file of the quarantine table, which is made when the first row comes.

    All rows are counted. Of those that are kept, the contract may set the number (``quarantineSample``).
    """

    def __init__(self, path: Path, contract: Contract, version: ObjectVersion) -> None:
        self.rows = 0
        self.first = ""
        """The first row with its reason, for people."""
        self._path = path
        self._schema = arrow_schema(quarantine_table(contract))
        self._version = version
        self._most = contract.quarantine_sample
        self._held: list[dict[str, object]] = []
        self._writer: pq.ParquetWriter | None = None

    def write(self, refused: Sequence[RefusedRow], rows_before: int) -> None:
        """Take the refused rows of a block, before which the file has ``rows_before`` rows."""
        if refused and not self.rows:
            self.first = f"row {rows_before + refused[0].position + 1}: {refused[0].reason}"
        left = None if self._most is None else max(0, self._most - self.rows)
        for row in refused[:left]:
            self._held.append(
                {
                    "_source_key": self._version.key,
                    "_source_version": self._version.version,
                    "_source_row": rows_before + row.position + 1,
                    "column_name": row.column,
                    "rule": row.rule,
                    "reason": row.reason,
                    "raw_text": row.raw,
                }
            )
        self.rows += len(refused)
        if len(self._held) >= _ROWS_HELD:
            self._flush()

    def close(self) -> Path | None:
        """The finished file, or None when no row came."""
        self._flush()
        if self._writer is None:
            return None
        self._writer.close()
        return self._path

    def _flush(self) -> None:
        if self._held:
            self._writer = self._writer or pq.ParquetWriter(self._path, self._schema, compression="zstd")
            self._writer.write_table(pa.Table.from_pylist(self._held, self._schema))
            self._held = []
