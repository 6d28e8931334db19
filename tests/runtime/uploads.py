"""A versioned bucket that shops upload to."""

import itertools
from dataclasses import dataclass, field

import boto3

from runtime.ledger import ObjectVersion

BUCKET = "uploads"


@dataclass
class Uploads:
    """Uploads to a new bucket, as the versions that S3 makes of them."""

    _sequence: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        client = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET)
        client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})

    def put(self, key: str, data: bytes) -> ObjectVersion:
        answer = boto3.client("s3").put_object(Bucket=BUCKET, Key=key, Body=data)
        return ObjectVersion(BUCKET, key, answer["VersionId"], len(data), f"{next(self._sequence):04X}")
