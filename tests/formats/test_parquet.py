"""Parquet files of other pipelines."""

import datetime
import io
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from formats import MalformedFile
from formats.conformance import FormatConformance
from formats.parquet import Parquet
from formats.reading import blocks, head_of, read, values_of


def parquet(columns: Mapping[str, Any], **options: Any) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out, **options)
    return out.getvalue()


class TestParquet(FormatConformance):
    format = Parquet()
    refused = b"PAR1 and no footer"
    shows_columns_without_pyarrow = False
    raw_is_in_the_file = False

    def encode(self, rows: Sequence[Mapping[str, str]]) -> bytes:
        return parquet(
            {name: [row[name] for row in rows] for name in rows[0]}, compression="none", use_dictionary=False
        )


def test_a_column_of_the_wanted_type_comes_as_it_is_and_any_other_as_exact_text() -> None:
    price = pa.array([Decimal("1.50")], pa.decimal128(12, 2))
    data = parquet({"price": price, "day": pa.array([datetime.date(2025, 1, 2)]), "n": pa.array([2.0]), "l": [[1, 2]]})
    [block] = blocks(Parquet(), data, lambda name: price.type if name == "price" else pa.string())
    batch = block.parse().batch
    assert batch.column("price").equals(price)
    assert batch.select(["day", "n", "l"]).to_pylist() == [{"day": "2025-01-02", "n": "2", "l": "[1, 2]"}]


def test_raw_text_is_the_row_as_json() -> None:
    [row] = read(Parquet(), parquet({"sku": ["é"], "price": pa.array([Decimal("1.50")])}))
    assert row.raw == '{"sku": "é", "price": "1.50"}'


def test_rows_of_many_row_groups_come_in_order() -> None:
    data = parquet({"n": list(map(str, range(1000)))}, row_group_size=7)
    assert values_of(read(Parquet(), data)) == [{"n": str(n)} for n in range(1000)]


@pytest.mark.parametrize("data", [parquet({"a": [1]})[:-1], b"PAR1" + b"x" * 100], ids=["truncated", "foreign"])
def test_a_truncated_or_foreign_file_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedFile, match="cut off"):
        Parquet().inspect(head_of(data))


def test_a_damaged_footer_is_told_without_the_names_within_its_reader() -> None:
    data = parquet({"a": [1]})
    footer = int.from_bytes(data[-8:-4], "little")
    with pytest.raises(MalformedFile) as refused:
        Parquet().inspect(head_of(data[: -8 - footer] + b"\xff" * footer + data[-8:]))
    assert str(refused.value) == "upload: the Parquet file's footer is damaged; export it again"


def test_an_encrypted_file_is_refused() -> None:
    with pytest.raises(MalformedFile, match="encrypted"):
        Parquet().inspect(head_of(b"PARE" + b"x" * 100 + b"PARE"))
