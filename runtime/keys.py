"""Finds the rows of a file whose key another row has: ``primaryKey`` and ``unique``.

Keys are compared exactly, once the whole file is read. Until then they are kept on disk, so that memory does not grow
with the file: at the end, about :data:`MOST_AT_ONCE` keys or :data:`MOST_BYTES_AT_ONCE` are compared at a time, those
of one bucket. Keys are put in buckets by their last eight bytes; only if many keys agree in these, or a file needs
more than :data:`MOST_BUCKETS`, is a bucket larger. What does take memory are the rows whose key is not theirs alone,
of which a file may have :attr:`~formats.limits.Limits.repeated_rows`, with :data:`MOST_REPEATED_BYTES` of keys.
"""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from runtime.admission import RefusedFile
from runtime.contract import Contract
from runtime.faults import Fault, quoted

MOST_AT_ONCE = 1_000_000
MOST_BYTES_AT_ONCE = 32 * 1024 * 1024
MOST_BUCKETS = 128
"""Each is a file that is open: 128 million keys, or 4 GiB of them."""
MOST_REPEATED_BYTES = 64 * 1024 * 1024

_BYTES = 8
_MULTIPLIER = 0x9E3779B97F4A7C15
"""An odd number whose product with any other mixes its bits (Knuth, multiplicative hashing)."""
_ROW = "row"


RepeatedRows = Mapping[int, Mapping[int, Fault]]
"""Rows that must not be taken, by the number of their block and their position in it, both from 0."""

NONE_REPEATED: RepeatedRows = {}


class RepeatedKeysError(Exception):
    """Some rows of a file have the key of another row. It has to be read again, without them."""

    def __init__(self, rows: RepeatedRows) -> None:
        super().__init__("some rows have the key of another row")
        self.rows = rows


class KeyLog:
    """The keys of the rows of a file that its contract takes otherwise."""

    def __init__(self, file: str, path: Path, contract: Contract) -> None:
        """``file`` is the file's name, for people, and ``path`` where its keys are kept meanwhile.

        Nothing is written where the contract has no keys.
        """
        self._file = file
        self._path = path
        self._contract = contract
        self._blocks: list[int] = []
        self._rows = 0
        self._bytes = 0
        """Of all keys of a row together, so more than those of one column."""
        self._writer: pa.ipc.RecordBatchStreamWriter | None = None

    def add(self, taken: pa.RecordBatch, places: pa.Array, rows_before: int) -> None:
        """Take the keys of a block's rows; blocks come in the file's order."""
        self._blocks.append(rows_before)
        if not self._contract.keys:
            return
        keys = [_text_of([taken.column(name) for name in names]) for _, names in self._contract.keys]
        batch = pa.RecordBatch.from_arrays(
            [*keys, pc.add(places, rows_before)], names=[*map(str, range(len(keys))), _ROW]
        )
        self._writer = self._writer or pa.ipc.new_stream(self._path, batch.schema)
        self._writer.write_batch(batch)
        self._rows += batch.num_rows
        self._bytes += batch.nbytes

    def repeated(self) -> dict[int, Fault]:
        """The rows to refuse, by their number in the file from 0. Of rows with one key the first is taken.

        A row that is refused for one key doesn't keep another row from having its other keys.
        """
        if self._writer is None:
            return {}
        self._writer.close()
        suspects = [self._suspects(str(number)) for number in range(len(self._contract.keys))]
        owners: list[dict[str, int]] = [{} for _ in suspects]
        refused: dict[int, Fault] = {}
        for row in sorted(set().union(*suspects)):
            keys = [found.get(row) for found in suspects]
            first = next((n for n, key in enumerate(keys) if key is not None and key in owners[n]), None)
            if first is not None:
                refused[row] = self._fault(first, keys[first] or "", owners[first][keys[first] or ""])
                continue
            for owner, key in zip(owners, keys, strict=True):
                if key is not None:
                    owner[key] = row
        return refused

    def release(self) -> None:
        """Let go of the open file, where the work is broken off."""
        if self._writer:
            self._writer.close()

    def by_block(self, rows: Mapping[int, Fault]) -> dict[int, dict[int, Fault]]:
        """Rows by the number of their block from 0, and their position in it."""
        found: dict[int, dict[int, Fault]] = {}
        for row, fault in rows.items():
            block = bisect.bisect_right(self._blocks, row) - 1
            found.setdefault(block, {})[row - self._blocks[block]] = fault
        return found

    def _fault(self, number: int, key: str, owner: int) -> Fault:
        rule, names = self._contract.keys[number]
        fields = [self._contract.field(name) for name in names]
        # A moment is known here in UTC only, which the file may not say.
        hidden = len(fields) > 1 or any(field.personal or field.type == "datetime" for field in fields)
        shown = "the value" if hidden else quoted(key)
        reason = f"{', '.join(names)}: {shown} stands in row {owner + 1} already"
        return Fault(names[0] if len(names) == 1 else None, rule, reason)

    def _suspects(self, column: str) -> dict[int, str]:
        """The rows whose key in a column is not alone, with that key."""
        found: dict[int, str] = {}
        found_bytes = 0
        for batches in self._buckets(column):
            table = pa.Table.from_batches(batches)
            keys = table.column(column).combine_chunks()
            if len(pc.unique(keys)) == len(keys):
                continue
            counted = pc.value_counts(keys)
            repeated = counted.field("values").filter(pc.greater(counted.field("counts"), 1))
            rows = table.filter(pc.is_in(keys, repeated))
            most = self._contract.limits.repeated_rows
            found_bytes += rows.nbytes
            if len(found) + rows.num_rows > most or found_bytes > MOST_REPEATED_BYTES:
                names = ", ".join(self._contract.keys[int(column)][1])
                raise RefusedFile(
                    f"{self._file}: more than {most:,} rows (limits.repeatedRows of the contract), or rows with more "
                    f"than {MOST_REPEATED_BYTES:,} bytes of keys, have the {names} of another row; is it the same "
                    "export twice?"
                )
            found |= dict(zip(rows.column(_ROW).to_pylist(), rows.column(column).to_pylist(), strict=True))
        return found

    def _buckets(self, column: str) -> Iterator[list[pa.RecordBatch]]:
        """The keys of a column in parts of about as many as are compared at once; equal keys are in one part."""
        count = min(MOST_BUCKETS, max(-(-self._rows // MOST_AT_ONCE), -(-self._bytes // MOST_BYTES_AT_ONCE)))
        if count <= 1:
            yield list(_stream(self._path, column))
            return
        paths = [self._path.with_suffix(f".{column}-{number}") for number in range(count)]
        schema = pa.schema([(column, pa.string()), (_ROW, pa.int64())])
        with ExitStack() as files:
            writers = [files.enter_context(pa.ipc.new_stream(path, schema)) for path in paths]
            for batch in _stream(self._path, column):
                for writer, part in zip(writers, _by_bucket(batch, count), strict=True):
                    writer.write_batch(part)
        for path in paths:
            yield list(_stream(path, column))
            path.unlink()


def _stream(path: Path, column: str) -> Iterator[pa.RecordBatch]:
    with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as batches:
        for batch in batches:
            yield batch.select([column, _ROW]).filter(batch.column(column).is_valid())


def _text_of(columns: Sequence[pa.Array]) -> pa.Array:
    """A key as one text, different for different values; null where one of them is, which is no key then."""
    found = [column.cast(pa.string()) for column in columns]
    lengths = [pc.binary_length(column).cast(pa.string()) for column in found[:-1]]
    if not lengths:
        return found[0]
    return pc.binary_join_element_wise(*itertools.chain(*zip(lengths, found[:-1], strict=True)), found[-1], ":")


def _by_bucket(batch: pa.RecordBatch, count: int) -> list[pa.RecordBatch]:
    padded = pc.binary_join_element_wise(pa.scalar("\0" * _BYTES), batch.column(0), "").cast(pa.binary())
    numbers = pc.binary_slice(padded, -_BYTES).cast(pa.binary(_BYTES)).view(pa.uint64())
    mixed = pc.shift_right(pc.multiply(numbers, pa.scalar(_MULTIPLIER, pa.uint64())), pa.scalar(40, pa.uint64()))
    buckets = pc.divide(pc.multiply(mixed, count), 1 << 24)
    return [batch.filter(pc.equal(buckets, bucket)) for bucket in range(count)]
