"""Contracts with every property, and what becomes of rows held against them."""

from typing import Any

import pyarrow as pa

from formats import Rows
from runtime.checks import CheckedRows, check
from runtime.contract import Contract, parse_contract
from tests.runtime.lakes import OpenLake


def contract(*fields: dict[str, Any], pipeline: dict[str, Any] | None = None, **schema: Any) -> Contract:
    """A contract of the dataset that the lakes of the tests show."""
    stated = {"fields": list(fields), "fieldsMatch": "partial", **schema}
    return parse_contract({"name": "sales", "schema": stated, "pipeline": pipeline or {}})


def judge(made: Contract, *rows: dict[str, str | None]) -> CheckedRows:
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = [pa.array([row.get(name) for row in rows], pa.string()) for name in names]
    batch = pa.RecordBatch.from_arrays(columns, names)
    return check(Rows(batch, lambda wanted: [f"raw {position}" for position in wanted]), made)


def refusals(lake: OpenLake) -> list[tuple[int, str | None, str, str]]:
    return [(r["_source_row"], r["column_name"], r["rule"], r["reason"]) for r in lake.quarantined()]
