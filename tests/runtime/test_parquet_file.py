"""One Parquet file, written without the module that reads and writes them anywhere."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from runtime.parquet_file import open_parquet

TABLE = pa.table(
    {
        "title": pa.array(["Salt", "Moons", None, "Salt"]),
        "price": pa.array([1, 2, None, 4], pa.decimal128(8, 2)),
        "sold": pa.array([0, 1, 2, None], pa.timestamp("us", "UTC")),
        "tags": pa.array([["a"], [], None, ["b", "c"]]),
    }
)


@pytest.mark.parametrize(
    "properties",
    [
        {},
        {"compression_level": 1, "use_dictionary": ["title"], "store_decimal_as_integer": True, "store_schema": False},
    ],
    ids=["nothing said", "as the lake's files"],
)
def test_a_file_is_the_one_that_pyarrow_parquet_writes(properties: dict[str, Any], tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours.parquet", tmp_path / "theirs.parquet"
    for writer in (
        open_parquet(ours, TABLE.schema, **properties),
        pq.ParquetWriter(theirs, TABLE.schema, compression="zstd", **properties),
    ):
        writer.write_table(TABLE)
        writer.write_table(TABLE.slice(1))
        writer.close()
    assert ours.read_bytes() == theirs.read_bytes()
