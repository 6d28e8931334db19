"""Polars: a lazy scan into its partitioned sink, by the streaming engine, rows in any order.

With rules both sinks share one scan. All columns are read as texts with one column more than there are, so that rows
too long are seen: Polars' own ways, to ignore or to cut surplus values, would take them as good. Rows too long by two
columns or more are an error of the whole file.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from bench.dataset import COLUMNS, ENUMS, MINIMUMS, OPTIONAL, PARTITION, TYPES
from bench.peers.job import Job

_DECIMAL = pl.Decimal(12, 2)
_TIMESTAMP = "%Y-%m-%dT%H:%M:%S%#z"
_TYPES: dict[str, Any] = {
    "string": pl.String,
    "timestamp": pl.String,
    "integer": pl.Int64,
    "decimal": _DECIMAL,
    "date": pl.String,
}
"""As which a column is read; timestamps and dates are parsed from text."""


def main() -> None:
    job = Job.of_command_line()
    if job.rules:
        good, bad = _judged(job)
        pl.collect_all([_sink(good, job), bad.sink_parquet(f"{job.refused}/refused.parquet", lazy=True)])
    else:
        pl.collect_all([_sink(_scan(job), job)], engine="streaming")


def _sink(rows: pl.LazyFrame, job: Job) -> pl.LazyFrame:
    return rows.sink_parquet(
        pl.PartitionBy(job.processed, key=PARTITION, include_key=False),
        compression="zstd",
        compression_level=1,
        maintain_order=False,
        mkdir=True,
        lazy=True,
        engine="streaming",
    )


def _scan(job: Job) -> pl.LazyFrame:
    schema = {name: _TYPES[type_] for name, type_ in TYPES.items()}
    parsed = [_timestamp(strict=True), _date(strict=True)]
    if job.format == "csv":
        return pl.scan_csv(job.file, schema=schema).with_columns(parsed)
    money = [name for name, type_ in TYPES.items() if type_ == "decimal"]
    schema |= dict.fromkeys(money, pl.Float64)  # its JSON reader takes no number for a decimal
    read = pl.scan_ndjson if job.format == "ndjson" else pl.read_json
    return read(job.file, schema=schema).lazy().with_columns(*parsed, pl.col(money).cast(_DECIMAL))


def _judged(job: Job) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    texts = dict.fromkeys((*COLUMNS, "surplus"), pl.String)
    rows = pl.scan_csv(
        job.file,
        has_header=False,
        skip_rows=1,
        schema=texts,
        missing_columns="insert",
        row_index_name="row",
        row_index_offset=1,
    )
    casts = {
        "timestamp": lambda name: _timestamp(strict=False, name=name),
        "date": lambda name: _date(strict=False, name=name),
        "integer": lambda name: pl.col(name).cast(pl.Int64, strict=False),
        "decimal": lambda name: pl.col(name).cast(_DECIMAL, strict=False),
    }
    typed = {name: f"{name}_typed" for name, type_ in TYPES.items() if type_ != "string"}
    rows = rows.with_columns(casts[TYPES[name]](name).alias(alias) for name, alias in typed.items())
    rows = rows.with_columns(pl.coalesce(*_reasons(typed)).alias("reason"))
    good = rows.filter(pl.col("reason").is_null()).select(pl.col(typed.get(name, name)).alias(name) for name in COLUMNS)
    raw = pl.concat_str(*COLUMNS, "surplus", separator=",", ignore_nulls=True).alias("raw")
    return good, rows.filter(pl.col("reason").is_not_null()).select("row", "transaction_id", "reason", raw)


def _reasons(typed: dict[str, str]) -> list[pl.Expr]:
    """For each rule the reason where it is broken, null elsewhere."""
    reasons = [pl.when(pl.col("surplus").is_not_null()).then(pl.lit("too many columns"))]
    for name in COLUMNS:
        text, value = pl.col(name), pl.col(typed.get(name, name))
        if name != OPTIONAL:
            reasons.append(pl.when(value.is_null()).then(pl.lit(f"{name}: missing or no {TYPES[name]}")))
        if name in MINIMUMS:
            reasons.append(pl.when(value < MINIMUMS[name]).then(pl.format("{}: too small: {}", pl.lit(name), text)))
        if name in ENUMS:
            known = value.is_in(ENUMS[name])
            reasons.append(pl.when(~known).then(pl.format("{}: unknown: {}", pl.lit(name), text)))
    return reasons


def _timestamp(*, strict: bool, name: str = "ts") -> pl.Expr:
    return pl.col(name).str.to_datetime(_TIMESTAMP, time_unit="us", time_zone="UTC", strict=strict)


def _date(*, strict: bool, name: str = "sale_date") -> pl.Expr:
    return pl.col(name).str.to_date("%Y-%m-%d", strict=strict)


if __name__ == "__main__":
    main()
