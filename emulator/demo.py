"""`make demo`: a shop's sales files travel through the pipeline, in an AWS on this machine."""

import sys
import textwrap
import time
from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from emulator.cloud import Cloud, DeploymentError, Follower, QueryError
from emulator.deploy import ROOT
from emulator.server import ServerError
from runtime.text import table_lines

SAMPLES = ROOT / "samples"
PREFIX = "bookstore_sales/"
_WIDTH = 100
_PATIENCE = 120.0
"""Seconds within which every file must be decided."""


class DemoError(Exception):
    """The pipeline didn't do what the demo shows; the message says what is missing."""


def main() -> int:
    """Show the whole way of the sample files. 0 when all went as it should, 2 when it could not be shown."""
    began = time.monotonic()
    _title("1. An AWS on this machine, with the pipeline in it")
    print("Starting it and deploying __main__.py, the very program that `pulumi up` deploys ...", flush=True)
    try:
        with Cloud.start() as cloud:
            print(f"It took {time.monotonic() - began:.0f} s. No account is used, and nothing leaves this machine.")
            _show(cloud)
    except (ServerError, DeploymentError, QueryError, DemoError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nStopped.")
        return 2
    _title("Where to look next")
    print("make cloud                                 the same AWS, left running for you to drop files into")
    print(".venv/bin/retail run samples --lake lake   the same pipeline on plain folders, no AWS in sight")
    print("contracts/bookstore_sales.yaml             what a row must hold; formats/csv.py: how a format is read")
    print("README.md                                  how to deploy it to an AWS account of yours")
    print(f"\nAll of this took {time.monotonic() - began:.0f} s, and nothing of it is left running.")
    return 0


def _show(cloud: Cloud) -> None:
    followers = [cloud.follow(cloud.exports[topic]) for topic in ("success_topic_arn", "failure_topic_arn")]
    files = sorted(SAMPLES.iterdir())
    _title("2. A shop drops its sales files into the bucket")
    for file in files:
        key = PREFIX + file.name
        cloud.client("s3").put_object(Bucket=cloud.exports["source_bucket"], Key=key, Body=file.read_bytes())
        print(f"   {file.name:<24} {file.stat().st_size:>6,} bytes  ->  s3://{cloud.exports['source_bucket']}/{key}")
    _title("3. Each file on its way")
    print(_MAP)
    notices = _follow(cloud, {PREFIX + file.name for file in files}, followers)
    _title("4. What the analyst asks: revenue by genre (SQL, answered by Athena)")
    _show_query(cloud, "SELECT genre, count(*) AS books, sum(price) AS revenue FROM bookstore_sales "
                "GROUP BY genre ORDER BY revenue DESC")  # fmt: skip
    _title("5. Rows that could not be taken: the table bookstore_sales_quarantine")
    sql = "SELECT _source_key, _source_row, reason, raw_text FROM bookstore_sales_quarantine ORDER BY 1, 2"
    print(f"   {sql}")
    for source, number, why, raw in cloud.query(sql)[1:]:
        print(f"\n   {str(source).removeprefix(PREFIX)}, row {number}: {raw}\n{_wrapped(str(why), '     ')}")
    _title("6. What became of each file: the table ledger")
    records = sorted(_records(cloud), key=lambda record: str(record["source_key"]))
    columns = ("source_key", "status", "rows_in", "rows_out", "rows_quarantined")
    _print_table(columns, [[record[column] for column in columns] for record in records])
    for record in records:
        if record["reason"]:
            name = record["source_key"].removeprefix(PREFIX)
            reason = record["reason"].removeprefix(f"{name}: ")
            print(f"\n   {name} is {record['status']}:\n{_wrapped(reason, '     ')}")
    _title("7. What the owner was told (an email, once an address is subscribed)")
    for notice in notices:
        print(_boxed(notice["Subject"], notice["Message"]))
    _check_accounts(records)


def _follow(cloud: Cloud, keys: set[str], followers: Sequence[Follower]) -> list[dict[str, Any]]:
    """Print what happens, as it happens, until every file is decided and every run has told of it."""
    notices: list[dict[str, Any]] = []
    seen: set[str] = set()
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        executions, records = cloud.executions(), _records(cloud)
        for event, text in _events(cloud, records, executions):
            if event not in seen:
                seen.add(event)
                print(f"   {text}", flush=True)
        notices += [notice for follower in followers for notice in follower.notices()]
        refused = sum(record["run"] == "file_validator" for record in records)
        at_rest = all(execution["status"] != "RUNNING" for execution in executions)
        if (
            {record["source_key"] for record in records} >= keys
            and at_rest
            and len(notices) >= refused + len(executions)
        ):
            return notices
        time.sleep(0.2)
    missing = ", ".join(sorted(keys - {record["source_key"] for record in _records(cloud)})) or "a notice"
    raise DemoError(f"After {_PATIENCE:.0f} s the pipeline still owes {missing}. `make cloud` lets you look inside.")


def _events(
    cloud: Cloud, records: Sequence[dict[str, Any]], executions: Sequence[dict[str, Any]]
) -> Iterator[tuple[str, str]]:
    """What has happened so far, each with a name by which it is known again."""
    for record in records:
        if record["run"] == "file_validator":
            name = record["source_key"].removeprefix(PREFIX)
            yield f"refused {name}", f"Lambda validator  {name}: refused by its first lines, and the owner told"
    for execution in reversed(executions):
        run = execution["name"][-8:]
        yield f"{run} started", f"Lambda validator  run {run} started for {_files_of(cloud, execution)}"
        history = cloud.client("stepfunctions").get_execution_history(executionArn=execution["executionArn"])
        for event in history["events"]:
            entered = event.get("stateEnteredEventDetails", {}).get("name")
            if entered in _SAID:
                yield f"{run} {entered}", f"Step Functions    run {run}: {_SAID[entered]}"
        if execution["status"] != "RUNNING":
            yield f"{run} ended", f"Step Functions    run {run}: {execution['status'].lower()}"
    for record in sorted(records, key=lambda record: str(record["decided_at"])):
        if record["run"] != "file_validator":
            name = record["source_key"].removeprefix(PREFIX)
            rows = f"{record['rows_out']} of {record['rows_in']} rows in the table"
            quarantined = f", {record['rows_quarantined']} in quarantine" if record["rows_quarantined"] else ""
            yield f"taken {name}", f"Glue job          {name} ({record['format']}): {rows}{quarantined}"


_SAID = {
    "Transform": "asks the Glue job to type, check and write the rows",
    "ReadSummary": "the job is done; reads its summary",
    "NotifySuccess": "tells the owner that all went well (SNS)",
    "NotifyFailure": "tells the owner what wants a look (SNS)",
    "NotifyCrash": "tells the owner that the job crashed (SNS)",
}
_MAP = """\
   S3 (the bucket) -> EventBridge (sees the upload) -> SQS (a queue, so that nothing is dropped)
     -> Lambda (looks at the file's first lines) -> Step Functions (leads one run through its steps)
     -> Glue (writes the table, the quarantine and the ledger) -> SNS (tells the owner)
"""


def _files_of(cloud: Cloud, execution: dict[str, Any]) -> str:
    described = cloud.client("stepfunctions").describe_execution(executionArn=execution["executionArn"])
    return ", ".join(found["key"].removeprefix(PREFIX) for found in orjson.loads(described["input"])["objects"])


def _records(cloud: Cloud) -> list[dict[str, Any]]:
    s3, bucket = cloud.client("s3"), cloud.exports["ledger_bucket"]
    found = s3.list_objects_v2(Bucket=bucket, Prefix="objects/").get("Contents", [])
    return [orjson.loads(s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()) for entry in found]


def _show_query(cloud: Cloud, sql: str) -> None:
    print(f"   {sql}\n")
    columns, *rows = cloud.query(sql)
    _print_table([str(column) for column in columns], rows)


def _check_accounts(records: Sequence[dict[str, Any]]) -> None:
    rows_in, rows_out, quarantined = (
        sum(record[name] for record in records) for name in ("rows_in", "rows_out", "rows_quarantined")
    )
    if rows_in != rows_out + quarantined:
        raise DemoError(f"Rows were lost: {rows_in} came in, {rows_out} went out, {quarantined} are in quarantine.")
    print(f"\nNothing is lost: {rows_in} rows came in = {rows_out} in the table + {quarantined} in quarantine.")


def _title(text: str) -> None:
    print(f"\n{text}\n{'-' * len(text)}", flush=True)


def _boxed(subject: str, message: str) -> str:
    lines = "\n".join(_wrapped(line, "   | ") for line in message.splitlines())
    return f"   | Subject: {subject}\n   |\n{lines}\n"


def _wrapped(text: str, indent: str) -> str:
    return textwrap.fill(text, _WIDTH, initial_indent=indent, subsequent_indent=indent) or indent.rstrip()


def _print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    for line in table_lines(columns, rows):
        print(f"   {line}")


if __name__ == "__main__":
    sys.exit(main())
