"""Our pipeline in an AWS on this machine: deployed by the real Pulumi program, with IAM enforced.

`python -m emulator.cloud` leaves it running until Ctrl-C, for the AWS CLI and one's own programs.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulator.clients import ADMINISTRATOR, REGION
from emulator.deploy import ROOT
from emulator.server import Server, ServerError, running_server

SAMPLE = "samples/monday-till.csv"


class DeploymentError(Exception):
    """The Pulumi program didn't run to its end; the message holds what it said."""


class QueryError(Exception):
    """Athena could not answer; the message holds what it said."""


@dataclass(frozen=True)
class Cloud:
    """A deployed pipeline: what the stack exports, and clients for it."""

    server: Server
    exports: dict[str, Any]

    @classmethod
    @contextlib.contextmanager
    def start(cls, folder: Path = ROOT) -> Iterator["Cloud"]:
        """Starts an AWS with the folder's Pulumi program deployed; ends it, leaving nothing behind.

        Raises DeploymentError with the program's own words when it fails.
        """
        with running_server() as server:
            yield cls(server, _deploy(server, folder))

    @property
    def endpoint(self) -> str:
        """The URL that AWS clients are pointed to."""
        return self.server.endpoint

    def client(self, service: str) -> Any:
        """A boto client with the administrator's rights."""
        return self.server.client(service)

    def follow(self, topic_arn: str) -> "Follower":
        """Notices that the topic sends from now on."""
        return Follower(self, topic_arn)

    def executions(self) -> list[dict[str, Any]]:
        """The state machine's executions, newest first."""
        machine = self.exports["state_machine_arn"]
        pages = self.client("stepfunctions").get_paginator("list_executions").paginate(stateMachineArn=machine)
        return [execution for page in pages for execution in page["executions"]]

    def query(self, sql: str) -> list[list[str | None]]:
        """Athena's answer in the stack's workgroup and database: the columns' names, then the rows.

        Raises QueryError with Athena's words when it fails.
        """
        athena = self.client("athena")
        query = athena.start_query_execution(
            QueryString=sql,
            WorkGroup=self.exports["workgroup"],
            QueryExecutionContext={"Database": self.exports["database"]},
        )["QueryExecutionId"]
        while (execution := athena.get_query_execution(QueryExecutionId=query)["QueryExecution"])["Status"][
            "State"
        ] in ("QUEUED", "RUNNING"):
            time.sleep(0.05)
        if execution["Status"]["State"] != "SUCCEEDED":
            raise QueryError(execution["Status"].get("StateChangeReason", execution["Status"]["State"]))
        pages = athena.get_paginator("get_query_results").paginate(QueryExecutionId=query)
        rows = [row for page in pages for row in page["ResultSet"]["Rows"]]
        return [[cell.get("VarCharValue") for cell in row["Data"]] for row in rows]

    def waiting(self, queue_url: str) -> int:
        """How many messages a queue holds, those being worked on included."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self.client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=names)
        return sum(int(answer["Attributes"][name]) for name in names)


class Follower:
    """A queue subscribed to a topic."""

    def __init__(self, cloud: Cloud, topic_arn: str) -> None:
        self._sqs = cloud.client("sqs")
        name = topic_arn.rpartition(":")[2]
        self._url = self._sqs.create_queue(QueueName=f"followers-of-{name}"[:80])["QueueUrl"]
        names = ["QueueArn"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=names)["Attributes"]["QueueArn"]
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self._sqs.set_queue_attributes(QueueUrl=self._url, Attributes={"Policy": policy})
        cloud.client("sns").subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=arn)

    def notices(self, wait_seconds: int = 0) -> list[dict[str, Any]]:
        """The notices that came since the last call: Subject, Message, MessageAttributes and so on."""
        received = self._sqs.receive_message(
            QueueUrl=self._url, MaxNumberOfMessages=10, WaitTimeSeconds=wait_seconds
        ).get("Messages", [])
        for message in received:
            self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in received]


def _deploy(server: Server, folder: Path) -> dict[str, Any]:
    # In the server's folder, which goes with the server even if this process is killed.
    with tempfile.TemporaryDirectory(prefix="deploy-", dir=server.folder) as work:
        output = Path(work) / "exports.json"
        command = [sys.executable, "-m", "emulator.deploy", server.endpoint, str(output), str(folder.resolve())]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        if run.returncode:
            raise DeploymentError(f"{folder / '__main__.py'} failed:\n{run.stdout}{run.stderr}")
        exports: dict[str, Any] = json.loads(output.read_text(encoding="utf-8"))
        return exports


def _guide(cloud: Cloud) -> str:
    exports = cloud.exports
    variables = ADMINISTRATOR.environment() | {
        "AWS_ENDPOINT_URL": cloud.endpoint,
        "AWS_DEFAULT_REGION": REGION,
        "NO_PROXY": "127.0.0.1",
    }
    exported = "\n".join(f"  export {name}={value}" for name, value in variables.items())
    names = "\n".join(f"  {name:<22} {value}" for name, value in sorted(exports.items()))
    return f"""The pipeline is up, in an AWS on this machine.

{names}

In another terminal, where any AWS client will do:

{exported}

  aws s3 cp {SAMPLE} s3://{exports["source_bucket"]}/bookstore_sales/
  aws stepfunctions list-executions --state-machine-arn {exports["state_machine_arn"]}
  aws s3 ls --recursive s3://{exports["processed_bucket"]}
  aws s3 ls --recursive s3://{exports["quarantine_bucket"]}
  aws s3 ls --recursive s3://{exports["ledger_bucket"]}/runs/
  aws glue get-job-runs --job-name {exports["glue_job"]}

An older `aws` passes over AWS_ENDPOINT_URL for some services; it heeds --endpoint-url {cloud.endpoint} for all.

Ctrl-C ends it and removes everything."""


def main() -> int:
    """Runs until Ctrl-C or SIGTERM; 2 when the program can't be deployed."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    print("Starting an AWS on this machine and deploying the pipeline into it; Ctrl-C ends it ...", flush=True)
    try:
        with Cloud.start() as cloud:
            print(_guide(cloud), flush=True)
            signal.pause()
    except KeyboardInterrupt:
        print("\nStopped; nothing is left running.")
        return 0
    except (ServerError, DeploymentError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
