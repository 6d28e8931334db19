"""Spark on this machine's cores: its reader, its partitioned writer.

With rules it reads in PERMISSIVE mode with the corrupt record kept, and in two passes, one for each destination:
Spark has no write with two, and to cache the rows takes longer. Row numbers aren't known.
"""

from __future__ import annotations

import os
from pathlib import Path

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - as in Spark's own documentation
from pyspark.sql.types import DateType, DecimalType, LongType, StringType, StructField, StructType, TimestampType

from bench.dataset import ENUMS, MINIMUMS, OPTIONAL, PARTITION, TYPES
from bench.peers.job import Job

_TYPES = {
    "string": StringType(),
    "timestamp": TimestampType(),
    "integer": LongType(),
    "decimal": DecimalType(12, 2),
    "date": DateType(),
}
_FIELDS = [StructField(name, _TYPES[type_]) for name, type_ in TYPES.items()]
_RAW = "raw"
_SETTINGS = {
    "spark.driver.memory": "4g",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.log.level": "ERROR",
    "spark.sql.session.timeZone": "UTC",
    # With pruned columns the parser doesn't see that a row is too long, and the two passes disagree on it.
    "spark.sql.csv.parser.columnPruning.enabled": "false",
    "spark.sql.parquet.compression.codec": "zstd",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.hadoop.parquet.compression.codec.zstd.level": "1",
}


def main() -> None:
    job = Job.of_command_line()
    builder = SparkSession.builder.master(f"local[{os.cpu_count()}]")
    builder = builder.config("spark.local.dir", str(Path(job.processed).parent))
    for name, value in _SETTINGS.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    if job.rules:
        rows = _judged(job, spark)
        _write(rows.filter("reason IS NULL").drop("reason", _RAW), job)
        refused = rows.filter("reason IS NOT NULL").select("transaction_id", "reason", _RAW)
        refused.write.mode("append").parquet(job.refused)
    else:
        _write(_read(job, spark), job)
    spark.stop()


def _write(rows: DataFrame, job: Job) -> None:
    rows.write.mode("append").partitionBy(PARTITION).parquet(job.processed)


def _read(job: Job, spark: SparkSession) -> DataFrame:
    schema = StructType(_FIELDS)
    if job.format == "csv":
        return spark.read.csv(job.file, schema, header=True, quote='"', escape='"')
    return spark.read.json(job.file, schema, multiLine=job.format == "json")


def _judged(job: Job, spark: SparkSession) -> DataFrame:
    schema = StructType([*_FIELDS, StructField(_RAW, StringType())])
    rows = spark.read.csv(
        job.file, schema, header=True, quote='"', escape='"', mode="PERMISSIVE", columnNameOfCorruptRecord=_RAW
    )
    return rows.withColumn("reason", F.coalesce(*_reasons()))


def _reasons() -> list[Column]:
    """For each rule the reason where it is broken, null elsewhere."""
    rules: list[tuple[Column, str]] = []
    for name, type_ in TYPES.items():
        if name != OPTIONAL:
            rules.append((F.col(name).isNull(), f"{name}: missing or no {type_}"))
        if name in MINIMUMS:
            rules.append((F.col(name) < MINIMUMS[name], f"{name}: too small"))
        if name in ENUMS:
            rules.append((~F.col(name).isin(*ENUMS[name]), f"{name}: unknown"))
    return [*(F.when(broken, F.lit(reason)) for broken, reason in rules), F.when(F.col(_RAW).isNotNull(), "malformed")]


if __name__ == "__main__":
    main()
