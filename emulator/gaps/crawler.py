"""The Glue crawler: looks at the files of its targets' tables, really, and says how they differ.

It works with its role's rights. New partitions are added to the catalogue whatever the schema change policy
says, by their folders' names as they stand: whether AWS undoes Hive's escapes there is documented nowhere. Tables
are never changed, so only the policy LOG is supported. What it finds goes to its log stream,
its last crawl and a "Glue Crawler State Change" event, as in AWS.
Sources: Glue API Reference, "SchemaChangePolicy", "LastCrawlInfo"; EventBridge events of AWS Glue.
"""

import contextvars
import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError
from ministack.core.responses import error_response_json, get_account_id, get_region, json_response
from ministack.services import glue

from emulator.clients import client
from emulator.gaps import events, files, roles
from emulator.gaps.glue_process import write_log

_MISMATCH = (
    "WARN : Some files do not match the schema detected. "
    "Remove or exclude the following files from the crawler (truncated to first 200 files): "
)
_LISTED_FILES = 200


@dataclass
class Findings:
    """What one crawl found; the lines go to the crawler's log."""

    lines: list[str] = field(default_factory=list)
    foreign_files: list[str] = field(default_factory=list)
    partitions_added: int = 0
    partitions_missing: int = 0
    failure: str = ""


def fill() -> None:
    """Puts the functions below in the place of ministack's."""
    create = glue._create_crawler

    def create_crawler(request: dict[str, Any]) -> Any:
        problem = _unsupported(request)
        if problem:
            return error_response_json("InvalidInputException", problem, 400)
        return create(request)

    glue._create_crawler = create_crawler
    glue._start_crawler = _start_crawler
    glue._get_crawler_metrics = _get_crawler_metrics


def _unsupported(request: dict[str, Any]) -> str:
    policy = request.get("SchemaChangePolicy", {})
    if {policy.get("UpdateBehavior"), policy.get("DeleteBehavior")} != {"LOG"}:
        return f"SchemaChangePolicy {policy} isn't emulated: give LOG for UpdateBehavior and DeleteBehavior"
    other = set(request["Targets"]) - {"CatalogTargets", "S3Targets"}
    return f"crawler targets {sorted(other)} aren't emulated" if other else ""


def _start_crawler(request: dict[str, Any]) -> Any:
    name = request["Name"]
    crawler = glue._crawlers.get(name)
    if crawler is None:
        return error_response_json("EntityNotFoundException", f"Crawler {name} not found", 400)
    if crawler["State"] != "READY":
        return error_response_json("CrawlerRunningException", f"Crawler {name} has already started", 400)
    crawler["State"] = "RUNNING"
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(_run, crawler), daemon=True).start()
    return json_response({})


def _run(crawler: dict[str, Any]) -> None:
    started, crawl = time.time(), secrets.token_hex(8)
    _tell(crawler, "Started", Findings())
    findings = Findings()
    group = log_group(crawler)
    try:
        crawler["CrawlElapsedTime"] = 0
        credentials = roles.assume(crawler["Role"], "glue.amazonaws.com", "AWS-Crawler")
        catalog = client("glue", roles.endpoint(), credentials)
        _encrypt_log(crawler, group, catalog)
        _crawl(crawler, findings, catalog, credentials)
        lines = [f"[{crawl}] {line}" for line in _report(crawler, findings)]
        write_log(client("logs", roles.endpoint(), credentials), group, crawler["Name"], lines)
    except (roles.RoleError, ClientError, BotoCoreError, _TargetError) as error:
        findings.failure = str(error)
    finally:
        crawler["LastCrawl"] = {
            "Status": "FAILED" if findings.failure else "SUCCEEDED",
            "ErrorMessage": findings.failure,
            "LogGroup": group,
            "LogStream": crawler["Name"],
            "MessagePrefix": crawl,
            "StartTime": started,
        }
        crawler["CrawlElapsedTime"] = round((time.time() - started) * 1000)
        crawler["State"] = "READY"
    _tell(crawler, "Failed" if findings.failure else "Succeeded", findings)


class _TargetError(Exception):
    """A target can't be crawled."""


def log_group(crawler: dict[str, Any]) -> str:
    """Where AWS logs the crawl: a group of its own where a security configuration encrypts the logs."""
    name = crawler.get("CrawlerSecurityConfiguration")
    if not name:
        return "/aws-glue/crawlers"
    encryption = glue._security_configs[name]["EncryptionConfiguration"].get("CloudWatchEncryption", {})
    if encryption.get("CloudWatchEncryptionMode", "DISABLED") == "DISABLED":
        return "/aws-glue/crawlers"
    return f"/aws-glue/crawlers-role/{crawler['Role'].rpartition(':role/')[2]}-{name}"


def _encrypt_log(crawler: dict[str, Any], group: str, catalog: Any) -> None:
    """Reads the security configuration and has the log group take its key, both as the crawler's role.

    Source: AWS Glue Developer Guide, "Setting up encryption in AWS Glue", which asks for `logs:AssociateKmsKey`.
    """
    name = crawler.get("CrawlerSecurityConfiguration")
    if name:
        catalog.get_security_configuration(Name=name)
        arn = f"arn:aws:logs:{get_region()}:{get_account_id()}:log-group:{group}"
        roles.require(crawler["Role"], ("logs:AssociateKmsKey",), arn)


def _crawl(crawler: dict[str, Any], findings: Findings, catalog: Any, credentials: Any) -> None:
    s3 = client("s3", roles.endpoint(), credentials)
    for table in _target_tables(crawler, catalog):
        objects = _objects(s3, table["StorageDescriptor"]["Location"])
        for uri, content in objects.items():
            wrong = files.faults(table, content)
            if wrong:
                findings.foreign_files.append(uri)
                findings.lines.append(f"WARN : {uri} doesn't match table {table['Name']}: {'; '.join(wrong)}")
        if table.get("PartitionKeys"):
            _compare_partitions(table, objects, findings, catalog)


def _target_tables(crawler: dict[str, Any], catalog: Any) -> list[dict[str, Any]]:
    targets = crawler["Targets"]
    tables = [
        catalog.get_table(DatabaseName=target["DatabaseName"], Name=name)["Table"]
        for target in targets.get("CatalogTargets", [])
        for name in target["Tables"]
    ]
    known = catalog.get_tables(DatabaseName=crawler["DatabaseName"])["TableList"] if "S3Targets" in targets else []
    for target in targets.get("S3Targets", []):
        path = target["Path"].rstrip("/")
        found = [table for table in known if table["StorageDescriptor"]["Location"].rstrip("/") == path]
        if not found:
            raise _TargetError(f"no table of {crawler['DatabaseName']} is at {path}, and making one isn't emulated")
        tables += found
    return tables


def _objects(s3: Any, location: str) -> dict[str, bytes]:
    """The files below a location; hidden ones (`_`, `.`) and folder markers aren't data."""
    bucket, prefix = urlsplit(location).netloc, urlsplit(location).path.strip("/") + "/"
    found = {}
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for entry in page.get("Contents", []):
            key = entry["Key"]
            if not key.endswith("/") and not key.rpartition("/")[2].startswith(("_", ".")):
                body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
                found[f"s3://{bucket}/{key}"] = body
    return found


def _compare_partitions(table: dict[str, Any], objects: dict[str, bytes], findings: Findings, catalog: Any) -> None:
    location = table["StorageDescriptor"]["Location"].rstrip("/") + "/"
    names = {"DatabaseName": table["DatabaseName"], "TableName": table["Name"]}
    keys = [key["Name"] for key in table["PartitionKeys"]]
    registered = {tuple(entry["Values"]) for entry in catalog.get_partitions(**names)["Partitions"]}
    present: dict[tuple[str, ...], str] = {}
    for uri in objects:
        if uri in findings.foreign_files:
            continue
        folders = uri.removeprefix(location).split("/")[:-1]
        parts = [folder.partition("=") for folder in folders]
        if [name for name, _, _ in parts] != keys:
            findings.foreign_files.append(uri)
            findings.lines.append(f"WARN : {uri} isn't in a partition of table {table['Name']} by {keys}")
            continue
        present[tuple(value for _, _, value in parts)] = location + "/".join(folders) + "/"
    for values in sorted(registered - present.keys()):
        findings.partitions_missing += 1
        findings.lines.append(f"WARN : Partition {list(values)} of table {table['Name']} has no files")
    _add_partitions(table, {v: present[v] for v in sorted(present.keys() - registered)}, findings, catalog)


def _add_partitions(table: dict[str, Any], new: dict[tuple[str, ...], str], findings: Findings, catalog: Any) -> None:
    inputs = [
        {"Values": list(values), "StorageDescriptor": table["StorageDescriptor"] | {"Location": location}}
        for values, location in new.items()
    ]
    for start in range(0, len(inputs), 100):
        batch = inputs[start : start + 100]
        names = {"DatabaseName": table["DatabaseName"], "TableName": table["Name"]}
        catalog.batch_create_partition(**names, PartitionInputList=batch)
        findings.partitions_added += len(batch)
        values = [entry["Values"] for entry in batch]
        findings.lines.append(f"INFO : Created partitions with values {values} for table {table['Name']}")


def _report(crawler: dict[str, Any], findings: Findings) -> list[str]:
    listed = ", ".join(findings.foreign_files[:_LISTED_FILES])
    return [
        f"BENCHMARK : Running Start Crawl for Crawler {crawler['Name']}",
        f"BENCHMARK : Classification complete, writing results to database {crawler['DatabaseName']}",
        f"INFO : Crawler configured with SchemaChangePolicy {crawler['SchemaChangePolicy']}.",
        *([_MISMATCH + listed] if listed else []),
        *findings.lines,
        "BENCHMARK : Finished writing to Catalog",
        "INFO : Run Summary For PARTITION:",
        f"INFO : ADD: {findings.partitions_added}",
        "BENCHMARK : Crawler has finished running and is in state READY",
    ]


def _tell(crawler: dict[str, Any], state: str, findings: Findings) -> None:
    drifted = findings.foreign_files or findings.partitions_missing
    events.emit(
        "aws.glue",
        "Glue Crawler State Change",
        {
            "accountId": get_account_id(),
            "crawlerName": crawler["Name"],
            "state": state,
            "message": findings.failure or "Call Succeeded",
            "warningMessage": "; ".join(findings.lines) if drifted else "N/A",
            "tablesCreated": "0",
            "tablesUpdated": "0",
            "tablesDeleted": "0",
            "partitionsCreated": str(findings.partitions_added),
            "partitionsUpdated": "0",
            "partitionsDeleted": "0",
        },
    )


def _get_crawler_metrics(request: dict[str, Any]) -> Any:
    names = request.get("CrawlerNameList") or list(glue._crawlers.keys())
    seconds = {name: glue._crawlers[name]["CrawlElapsedTime"] / 1000 for name in names if name in glue._crawlers}
    return json_response(
        {
            "CrawlerMetricsList": [
                {
                    "CrawlerName": name,
                    "StillEstimating": False,
                    "TimeLeftSeconds": 0.0,
                    "LastRuntimeSeconds": elapsed,
                    "MedianRuntimeSeconds": elapsed,
                    "TablesCreated": 0,
                    "TablesUpdated": 0,
                    "TablesDeleted": 0,
                }
                for name, elapsed in seconds.items()
            ]
        }
    )
