"""pandas and pyarrow, the way of awswrangler: chunks of rows as data frames, each written in groups by partition.

A JSON array has no chunks; it is read whole. Money passes through floats, which are exact at two digits, since a
column of ``Decimal`` objects takes many times as long. With rules all columns are read as texts with one column more
than there are, by pandas' fast parser, so that rows too short or too long are seen as what they are. Rows too long by
two columns or more are an error of the whole file.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from bench.dataset import COLUMNS, ENUMS, MINIMUMS, OPTIONAL, PARTITION, TYPES
from bench.peers.job import Job

_CHUNK = 500_000
_ARROW = {
    "string": pa.string(),
    "timestamp": pa.timestamp("us", "UTC"),
    "integer": pa.int64(),
    "decimal": pa.decimal128(12, 2),
}
_SCHEMA = pa.schema([(name, _ARROW[type_]) for name, type_ in TYPES.items() if name != PARTITION])
_NUMBERS = {"integer": "int64", "decimal": "float64"}
_TYPES = {name: _NUMBERS.get(type_, "str") for name, type_ in TYPES.items()}
_numbers = itertools.count()


def main() -> None:
    job = Job.of_command_line()
    if job.rules:
        _write_judged(job)
    else:
        for frame in _frames(job):
            frame["ts"] = pd.to_datetime(frame["ts"], utc=True, format="ISO8601")
            _write(frame, job)


def _write(frame: pd.DataFrame, job: Job) -> None:
    """Write a file for each date, grouped by pandas, which is faster than pyarrow's own partitioned writer."""
    number = next(_numbers)
    for date, part in frame[list(COLUMNS)].groupby(PARTITION, sort=False):
        folder = Path(job.processed, f"{PARTITION}={date}")
        folder.mkdir(exist_ok=True)
        table = pa.Table.from_pandas(part.drop(columns=PARTITION), preserve_index=False).cast(_SCHEMA)
        pq.write_table(table, folder / f"{number}.parquet", compression="zstd", compression_level=1)


def _frames(job: Job) -> Iterator[pd.DataFrame]:
    if job.format == "csv":
        missing = {OPTIONAL: [""]}
        yield from pd.read_csv(job.file, dtype=_TYPES, keep_default_na=False, na_values=missing, chunksize=_CHUNK)
    elif job.format == "ndjson":
        yield from pd.read_json(job.file, lines=True, dtype=_TYPES, chunksize=_CHUNK)
    else:
        yield pd.read_json(job.file, dtype=_TYPES)


def _write_judged(job: Job) -> None:
    columns = [*COLUMNS, "surplus"]
    refused = []
    for frame in pd.read_csv(
        job.file,
        names=columns,
        header=None,
        skiprows=1,
        dtype="str",
        keep_default_na=False,
        na_values=[""],
        chunksize=_CHUNK,
    ):
        typed, reason = _judge(frame)
        good = reason.isna()
        _write(typed[good], job)
        bad = frame[~good]
        raw = bad.fillna("").agg(",".join, axis=1)
        refused.append(
            pd.DataFrame(
                {
                    "row": bad.index + 1,
                    "transaction_id": bad["transaction_id"],
                    "reason": reason[~good],
                    "raw": raw.astype("str"),
                }
            )
        )
    pd.concat(refused).to_parquet(f"{job.refused}/refused.parquet", index=False)


def _judge(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    """The columns in their types, and for each row the first rule that it breaks."""
    typed = frame[list(COLUMNS)].copy()
    reason = pd.Series(pd.NA, index=frame.index, dtype="str")

    def refuse(broken: pd.Series, why: str) -> None:
        nonlocal reason
        if broken.any():
            reason = reason.mask(broken & reason.isna(), why)

    refuse(frame["surplus"].notna(), "too many columns")
    for name, type_ in TYPES.items():
        if type_ == "timestamp":
            typed[name] = pd.to_datetime(frame[name], utc=True, format="ISO8601", errors="coerce")
        elif type_ == "date":
            refuse(pd.to_datetime(frame[name], format="%Y-%m-%d", errors="coerce").isna(), f"{name}: no date")
        elif type_ != "string":
            typed[name] = pd.to_numeric(frame[name], errors="coerce")
        if name != OPTIONAL:
            refuse(typed[name].isna(), f"{name}: missing or no {type_}")
        if name in MINIMUMS:
            refuse(typed[name] < MINIMUMS[name], f"{name}: too small")
        if name in ENUMS:
            refuse(~typed[name].isin(ENUMS[name]), f"{name}: unknown")
    return typed, reason


if __name__ == "__main__":
    main()
