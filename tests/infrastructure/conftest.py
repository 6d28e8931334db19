import json

import pytest

from emulator.program import stack_config
from tests.infrastructure.recording import ROOT, Recording, record

KEY = "arn:aws:kms:eu-west-1:123456789012:key/{}"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:{}"
TENANT, TEAM = "8d2a7a0e-5f6b-4f8e-9a51-0c4a4ef2a111", "1f0f3c52-8c1e-47c0-8e76-6f0f4b7f2222"
EVERYTHING = {
    "name": "shops-of-the-north-east",  # the longest there may be
    "kmsKey": "create",
    "alertEmails": ["shopkeeper@example.com", "night.shift@example.com"],
    "batchSize": 1000,
    "batchWindowSeconds": 60,
    "crawlerSchedule": "cron(0 3 * * ? *)",
    "glueWorkerType": "G.2X",
    "glueWorkers": 10,
    "protectData": True,
    "redshift": True,
    "monthlyBudgetDollars": 50,
    "slackChannel": "T0123ABCDEF/C0123ABCDEF",
    "teamsChannel": f"{TENANT}/{TEAM}/19%3aab12cd34%40thread.tacv2",
    "lakeReaders": ["arn:aws:iam::123456789012:role/analyst"],
    "lakePersonalReaders": ["arn:aws:iam::123456789012:role/loyalty"],
    "quickSightUsers": ["arn:aws:quicksight:eu-west-1:123456789012:group/default/owners"],
    "featureGroups": ["retail_transactions/article_id/sold_at"],
}
EXISTING = {
    "sourceBucket": "uploads-of-old",
    "sourceBucketEvents": True,
    "sourceKeyArn": KEY.format("uploads"),
    "kmsKey": KEY.format("lake"),
    "successTopicArn": TOPIC.format("good-news"),
    "failureTopicArn": TOPIC.format("bad-news"),
    "topicKeyArn": KEY.format("topics"),
}
CONFIGS = {
    "minimum": {"aws:region": "eu-west-1"},
    "prod": stack_config(ROOT, "prod.example"),
    "existing": {"aws:region": "eu-west-1", "retail-pipeline:settings": json.dumps(EXISTING)},
    "dev": stack_config(ROOT, "dev"),
    "local": stack_config(ROOT, "local"),
    "everything": {"aws:region": "eu-west-1", "retail-pipeline:settings": json.dumps(EVERYTHING)},
}


@pytest.fixture(scope="session", params=CONFIGS)
def stack(request: pytest.FixtureRequest) -> str:
    """The name of a stack: those in the repository, one without settings, one with everything on, and one that
    brings buckets, topics and keys of its own."""
    return str(request.param)


@pytest.fixture(scope="session")
def recordings() -> dict[str, Recording]:
    return {}


def deployed(recordings: dict[str, Recording], stack: str) -> Recording:
    """What the real program deploys for a stack, recorded once."""
    if stack not in recordings:
        recordings[stack] = record(ROOT / "__main__.py", stack, CONFIGS[stack])
    assert not recordings[stack].error
    return recordings[stack]


@pytest.fixture
def deployment(stack: str, recordings: dict[str, Recording]) -> Recording:
    """What the real program deploys for a stack."""
    return deployed(recordings, stack)


@pytest.fixture
def everything(recordings: dict[str, Recording]) -> Recording:
    """What the real program deploys with everything on."""
    return deployed(recordings, "everything")
