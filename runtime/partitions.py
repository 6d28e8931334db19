"""Which partition each row is of, and what partitions are called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from runtime.arrow import plain, take

NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"
"""How Hive spells the partition of rows without a value."""

_HIVE_ESCAPED = frozenset("\"#%'*/:=?\\\x7f{[]^") | frozenset(map(chr, range(0x20)))
"""What Hive escapes in a partition's folder name (org.apache.hadoop.hive.common.FileUtils)."""


@dataclass(frozen=True)
class Parts:
    """Rows, without the columns that they are partitioned by, and the partition of each."""

    batch: pa.RecordBatch
    places: pa.Array
    """For each row where in ``values`` those of its partition are (``int32``)."""
    values: Sequence[tuple[str, ...]]
    """The partitions' values as Hive spells them."""


def partition_folder(names: Sequence[str], values: Sequence[str]) -> str:
    """The folders of a partition, such as ``genre=Fiction/``; empty where a table has no partitions."""
    return "".join(f"{name}={_escape(value)}/" for name, value in zip(names, values, strict=True))


def split(batch: pa.RecordBatch, partition_by: Sequence[str], kept: pa.Array | None = None) -> Parts:
    """Take the columns that rows are partitioned by out of a batch, and tell the partition of each row.

    ``kept`` are the rows to keep, by their numbers, in order; None for all.
    """
    rows = batch if kept is None else take(batch, kept)
    data = rows.select([name for name in rows.schema.names if name not in partition_by])
    if not partition_by or not rows.num_rows:
        return Parts(data, pa.repeat(pa.scalar(0, pa.int32()), rows.num_rows), [()] if rows.num_rows else [])
    return Parts(data, *_places(rows.select(partition_by).columns))


def _places(columns: Sequence[pa.Array]) -> tuple[pa.Array, Sequence[tuple[str, ...]]]:
    """For each row the place of its combination of values, and these."""
    encoded = [plain(column).dictionary_encode("encode") for column in columns]
    spelled = [_spell(column.dictionary) for column in encoded]
    places = encoded[0].indices
    combinations: list[tuple[str, ...]] = [(text,) for text in spelled[0]]
    for column, texts in zip(encoded[1:], spelled[1:], strict=True):
        codes = pc.add(pc.multiply(places.cast(pa.int64()), len(texts)), column.indices.cast(pa.int64()))
        combined = codes.dictionary_encode()  # so that they stay fewer than the rows, however many columns there are
        found = (divmod(code, len(texts)) for code in combined.dictionary.to_pylist())
        combinations = [(*combinations[before], texts[own]) for before, own in found]
        places = combined.indices
    return places, combinations


def _spell(values: pa.Array) -> list[str]:
    """Values as Hive and the Glue Data Catalog spell them in a partition."""
    if pa.types.is_decimal(values.type):
        texts = [None if value is None else format(value, "f") for value in values.to_pylist()]
    elif pa.types.is_timestamp(values.type):
        texts = pc.strftime(values, "%Y-%m-%d %H:%M:%S").to_pylist()
    else:
        texts = values.cast(pa.string()).to_pylist()
    return [text or NULL_PARTITION for text in texts]


def _escape(value: str) -> str:
    return "".join(f"%{ord(char):02X}" if char in _HIVE_ESCAPED else char for char in value)
