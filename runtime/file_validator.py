"""The Lambda that sees every upload first: it looks at the head, and starts the pipeline or refuses the file.

It runs on batches of Amazon EventBridge's "Object Created" events that come through SQS, and must start fast: no
pyarrow here. Environment: ``STATE_MACHINE_ARN``, ``LEDGER_BUCKET``, ``FAILURE_TOPIC_ARN``.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import orjson

from formats import Registry
from runtime.admission import RefusedFile, admit
from runtime.contract import Contract, contract_of_key, parse_contract
from runtime.ledger import Ledger, ObjectVersion, record_of
from runtime.notice import notice_of
from runtime.source import S3Object
from runtime.storage import ChangedError, S3Storage

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_stepfunctions import SFNClient

CONTRACTS_FILE = "contracts.json"
"""Where in the deployed archive the contracts are."""

_MOST_BYTES_OF_OBJECTS = 64 * 1024
"""Of one execution's list of objects: it becomes one argument of the Glue job, of which Linux takes 128 KiB."""

_THREADS = 16
"""At work on the uploads of a batch, which is mostly waiting for S3."""

_MILLISECONDS_TO_FINISH = 10_000
"""When no more than this is left, the rest of a batch goes back to the queue."""

_MOST_ATTEMPTS = 10
"""At the same work, when one execution after the other fails."""

_NO_VERSION, _UNVERSIONED = "null", "unversioned-"

_FAILED = ("FAILED", "TIMED_OUT", "ABORTED")

_log = logging.getLogger(__name__)
_log.setLevel(logging.INFO)


@dataclass(frozen=True)
class _Services:
    """What lives as long as the Lambda's process."""

    contracts: Sequence[Contract]
    registry: Registry
    s3: S3Client
    sns: SNSClient
    states: SFNClient
    ledger: Ledger


@cache
def _services() -> _Services:
    root = Path(os.environ.get("LAMBDA_TASK_ROOT", ".")) / CONTRACTS_FILE
    s3 = boto3.client("s3")
    return _Services(
        contracts=[parse_contract(descriptor) for descriptor in orjson.loads(root.read_bytes())],
        registry=Registry(),
        s3=s3,
        sns=boto3.client("sns"),
        states=boto3.client("stepfunctions"),
        ledger=Ledger(S3Storage(s3, os.environ["LEDGER_BUCKET"])),
    )


def handler(event: Mapping[str, Any], context: Any) -> dict[str, list[dict[str, str]]]:
    """Look at every upload of a batch; the messages to deliver again are those of ``batchItemFailures``.

    Uploads of one dataset are given to one execution of the state machine. Its name follows from them, so that a
    batch delivered twice runs once.
    """
    services = _services()
    accepted: dict[str, list[tuple[str, ObjectVersion]]] = {}
    failed: list[str] = []
    with ThreadPoolExecutor(_THREADS) as threads:
        judged = [
            (record["messageId"], threads.submit(_deal_with, record, context, services)) for record in event["Records"]
        ]
    for message, judgement in judged:
        try:
            for dataset, version in judgement.result():
                accepted.setdefault(dataset, []).append((message, version))
        except Exception:  # noqa: BLE001 - the message goes back, and after some tries to the dead-letter queue
            _log.exception("Message %s could not be dealt with and will be delivered again", message)
            failed.append(message)
    for dataset, uploads in accepted.items():
        for part in _parts(uploads):
            try:
                _start(dataset, [version for _, version in part], services)
            except Exception:  # noqa: BLE001 - as above
                _log.exception("No execution could be started for %d uploads of %s", len(part), dataset)
                failed += [message for message, _ in part]
    return {"batchItemFailures": [{"itemIdentifier": message} for message in dict.fromkeys(failed)]}


def _deal_with(record: Mapping[str, Any], context: Any, services: _Services) -> list[tuple[str, ObjectVersion]]:
    """What a message brings that is accepted, each with its dataset."""
    if context is not None and context.get_remaining_time_in_millis() < _MILLISECONDS_TO_FINISH:
        raise TimeoutError("the time that is left is needed for what is accepted already")
    judged = [(_judge(version, services), version) for version in _object_versions(record["body"])]
    return [(dataset, version) for dataset, version in judged if dataset is not None]


def _object_versions(body: str) -> Iterator[ObjectVersion]:
    """The object version that an event is about; none for a folder marker.

    Unlike in S3's own notifications, the key is not URL-encoded (Amazon S3 user guide, EventBridge event message). In
    a bucket without versioning the event has no version, or ``null`` where it was switched off again: each such upload
    gets a name of its own, by which it is refused.
    """
    event = orjson.loads(body)
    found = event["detail"]["object"]
    if found["key"].endswith("/") and found.get("size", 0) == 0:
        return
    version = found.get("version-id", _NO_VERSION)
    yield ObjectVersion(
        bucket=event["detail"]["bucket"]["name"],
        key=found["key"],
        version=version if version != _NO_VERSION else f"{_UNVERSIONED}{found['sequencer']}",
        size=int(found["size"]),
        sequencer=found["sequencer"],
    )


def _judge(version: ObjectVersion, services: _Services) -> str | None:
    """The dataset that an upload is accepted for; None when it was refused, which is then on record and told."""
    contract = contract_of_key(services.contracts, version.key)
    try:
        if version.version.startswith(_UNVERSIONED):
            raise RefusedFile(
                f"{version.key}: the bucket {version.bucket} keeps no versions, so that another upload could take this "
                "one's place while it is read; enable the bucket's versioning and upload the file again"
            )
        if contract is None:
            prefixes = ", ".join(contract.prefix for contract in services.contracts)
            raise RefusedFile(f"{version.key}: no dataset has uploads here; upload below one of: {prefixes}")
        admit(S3Object(services.s3, version), contract, services.registry, scan="never")
    except RefusedFile as error:
        _refuse(version, contract, error, services)
        return None
    _log.info("%s version %s is accepted for %s", version.key, version.version, contract.name)
    return contract.name


def _refuse(version: ObjectVersion, contract: Contract | None, error: RefusedFile, services: _Services) -> None:
    """Tell the owner, then put the refusal on record: a crash in between tells twice rather than never."""
    _log.info("%s version %s is refused: %s", version.key, version.version, error)
    if services.ledger.find(version):
        return
    record = record_of(
        version,
        "refused",
        "file_validator",
        dataset=contract.name if contract else None,
        format_=error.format,
        reason=str(error),
    )
    notice = notice_of([record], "Mend the file and upload it again under the same name.")
    services.sns.publish(
        TopicArn=os.environ["FAILURE_TOPIC_ARN"],
        Subject=notice.subject,
        Message=notice.message,
        MessageAttributes={"outcome": {"DataType": "String", "StringValue": notice.outcome}},
    )
    with contextlib.suppress(ChangedError):  # another validator that got the same event was quicker
        services.ledger.write(version, record, instead_of=None)


def _parts(uploads: Sequence[tuple[str, ObjectVersion]]) -> Iterator[list[tuple[str, ObjectVersion]]]:
    """The uploads in lists that one execution can be given."""
    part: list[tuple[str, ObjectVersion]] = []
    size = 0
    for upload in uploads:
        added = len(orjson.dumps(upload[1].to_json())) + 1
        if part and size + added > _MOST_BYTES_OF_OBJECTS:
            yield part
            part, size = [], 0
        part.append(upload)
        size += added
    yield part


def _start(dataset: str, versions: Sequence[ObjectVersion], services: _Services) -> None:
    """Start an execution, unless the same work is under way or done.

    Its name follows from the work and from how many executions of it have failed before; one of the same name with
    the same input is the same execution (AWS Step Functions, StartExecution).
    """
    unique = {(version.key, version.version): version for version in versions}
    objects = [version.to_json() for _, version in sorted(unique.items())]
    digest = hashlib.sha256(orjson.dumps(objects, option=orjson.OPT_SORT_KEYS)).hexdigest()
    for attempt in range(1, _MOST_ATTEMPTS + 1):
        run = f"{dataset[:40]}-{digest[:32]}" + (f"-{attempt}" if attempt > 1 else "")
        try:
            services.states.start_execution(
                stateMachineArn=os.environ["STATE_MACHINE_ARN"],
                name=run,
                input=orjson.dumps({"dataset": dataset, "run": run, "objects": objects}).decode(),
            )
        except services.states.exceptions.ExecutionAlreadyExists:
            machine = os.environ["STATE_MACHINE_ARN"].replace(":stateMachine:", ":execution:")
            status = services.states.describe_execution(executionArn=f"{machine}:{run}")["status"]
            _log.info("Execution %s exists already, %s", run, status)
            if status not in _FAILED:
                return
        else:
            _log.info("Execution %s is started for %d uploads", run, len(objects))
            return
    raise RuntimeError(f"{_MOST_ATTEMPTS} executions of the same work have failed, the last one is {run}")
