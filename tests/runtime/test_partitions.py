"""Which partition each row is of."""

import pyarrow as pa
import pytest

from runtime.partitions import NULL_PARTITION, split


@pytest.mark.parametrize("columns", [1, 2, 5])
def test_each_row_is_of_the_partition_of_its_values(columns: int) -> None:
    count = 10_000  # to the fifth power, more combinations than an integer can number
    values = {f"c{column}": [f"{row * 7_919 % count}-{column}" for row in range(count)] for column in range(columns)}
    parts = split(pa.RecordBatch.from_pydict({**values, "row": range(count)}), list(values))
    found = [parts.values[place] for place in parts.places.to_pylist()]
    assert found == [*zip(*values.values(), strict=True)]
    assert parts.batch.to_pydict() == {"row": [*range(count)]}


def test_a_row_without_a_value_is_of_the_partition_that_hive_has_for_it() -> None:
    rows = pa.RecordBatch.from_pydict({"day": ["1", None], "shop": [None, "b"], "row": [0, 1]})
    parts = split(rows, ["day", "shop"])
    assert [parts.values[place] for place in parts.places.to_pylist()] == [("1", NULL_PARTITION), (NULL_PARTITION, "b")]
