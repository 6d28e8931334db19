"""The Glue job: takes the object versions of one execution into the lake.

AWS Glue runs this file as its script, with the package installed beside it. Arguments that Glue adds are passed over.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Sequence

import boto3
import orjson

from formats import Registry
from runtime.contract import Contract, parse_contract
from runtime.lake import s3_lake
from runtime.ledger import ObjectVersion, Record
from runtime.notice import notice_of
from runtime.source import S3Object
from runtime.storage import S3Storage
from runtime.transform import transform


def main(arguments: Sequence[str]) -> None:
    """Transform every object version given, and leave the run's summary in ``runs/<run>.json`` of the ledger.

    A file at fault is refused and told of in the summary. What is no fault of a file doesn't keep the others back
    and is raised when they are done, so that the run counts as failed and can be repeated.
    """
    options = _parse(arguments)
    s3 = boto3.client("s3")
    lake = s3_lake(
        s3,
        boto3.client("glue"),
        processed=options.processed_bucket,
        quarantine=options.quarantine_bucket,
        ledger=options.ledger_bucket,
        database=options.database,
    )
    contract = _contract(S3Storage(s3, options.contracts[0]), options.contracts[1], options.dataset)
    registry = Registry()
    records: list[Record] = []
    errors: list[Exception] = []
    for value in orjson.loads(options.objects):
        version = ObjectVersion.from_json(value)
        try:
            records.append(transform(S3Object(s3, version), contract, lake, registry, options.run))
        except Exception as error:  # noqa: BLE001 - raised below, when the other files are done
            error.add_note(f"while transforming s3://{version.bucket}/{version.key} version {version.version}")
            errors.append(error)
    _summarise(records, options.run, S3Storage(s3, options.ledger_bucket))
    if errors:
        total = len(errors) + len(records)
        raise ExceptionGroup(f"{len(errors)} of {total} files could not be transformed, the first: {errors[0]}", errors)


def _summarise(records: Sequence[Record], run: str, ledger: S3Storage) -> None:
    notice = notice_of(records, f"Each file's record is in the table ledger, where run is {run}.")
    taken = [record for record in records if record.taken]
    totals = {
        "run": run,
        "files": len(records),
        "rows_in": sum(record.rows_in for record in taken),
        "rows_out": sum(record.rows_out for record in taken),
        "rows_quarantined": sum(record.rows_quarantined for record in taken),
    }
    ledger.put(f"runs/{run}.json", orjson.dumps({**totals, **dataclasses.asdict(notice)}))


def _contract(artefacts: S3Storage, key: str, dataset: str) -> Contract:
    data = artefacts.get(key)
    for descriptor in orjson.loads(data or b"[]"):
        if descriptor["name"] == dataset:
            return parse_contract(descriptor)
    raise LookupError(f"s3://{artefacts.bucket}/{key} holds no contract of {dataset!r}; deploy the stack again")


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for name in ("run", "dataset", "objects", "processed_bucket", "quarantine_bucket", "ledger_bucket", "database"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--contracts", required=True, type=_bucket_and_key, help="s3://bucket/key of the contracts")
    return parser.parse_known_args(arguments)[0]


def _bucket_and_key(uri: str) -> tuple[str, str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


if __name__ == "__main__":
    main(sys.argv[1:])
