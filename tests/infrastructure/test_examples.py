"""The components work in other projects, around what these have already."""

import json

from tests.infrastructure.cloudformation import findings
from tests.infrastructure.recording import ROOT, record

TOPIC = "arn:aws:sns:eu-west-1:123456789012:alerts"
READER = "arn:aws:iam::123456789012:role/analyst"
CONFIG = {
    "aws:region": "eu-west-1",
    "retail-pipeline:topicArn": TOPIC,
    "retail-pipeline:buckets": json.dumps({"processed": "rows", "quarantine": "refused", "ledger": "ledger"}),
    "retail-pipeline:database": "bookshop",
    "retail-pipeline:readers": json.dumps([READER]),
}


def test_the_python_example_uses_the_bucket_and_topic_that_are_there() -> None:
    recording = record(ROOT / "examples" / "reuse-python" / "__main__.py", "dev", CONFIG)
    assert not recording.error
    assert recording.exports == {"budget": "bookshop-monthly"}
    assert [each.type for each in recording.resources if "bucket" in each.type or "topic" in each.type] == []
    assert recording.one("aws:lakeformation/resource:Resource", "bookshop").inputs["arn"] == "arn:aws:s3:::rows"
    assert findings(recording.resources) == []


def test_readers_see_no_personal_column() -> None:
    recording = record(ROOT / "examples" / "reuse-python" / "__main__.py", "dev", CONFIG)
    columns = recording.one("aws:lakeformation/dataCellsFilter:DataCellsFilter", "retail_transactions")
    table = columns.inputs["tableData"]
    # The third personal field of the contract is dropped before it is stored.
    assert len(table["columnWildcard"]["excludedColumnNames"]) == 2
    grants = [
        each.inputs
        for each in recording.of_type("aws:lakeformation/permissions:Permissions")
        if "dataCellsFilter" in each.inputs
    ]
    assert [(grant["principal"], grant["dataCellsFilter"]["name"]) for grant in grants] == [(READER, table["name"])]


def test_chat_channels_can_do_nothing() -> None:
    recording = record(ROOT / "examples" / "reuse-python" / "__main__.py", "dev", CONFIG)
    channel = recording.one("aws:chatbot/slackChannelConfiguration:SlackChannelConfiguration", "slack")
    assert channel.inputs["guardrailPolicyArns"] == ["arn:aws:iam::aws:policy/AWSDenyAll"]
    assert [each for each in recording.of_type("aws:iam/rolePolicy:RolePolicy") if "chat" in each.name] == []
