import json

import pytest

from emulator.program import stack_config
from tests.infrastructure.recording import ROOT, Recording, record

EVERYTHING = {
    "alertEmails": ["shopkeeper@example.com", "night.shift@example.com"],
    "batchSize": 1000,
    "batchWindowSeconds": 60,
    "crawlerSchedule": "cron(0 3 * * ? *)",
    "glueWorkerType": "G.2X",
    "glueWorkers": 10,
    "protectData": True,
    "redshift": True,
}
CONFIGS = {
    "dev": stack_config(ROOT, "dev"),
    "local": stack_config(ROOT, "local"),
    "everything": {"aws:region": "eu-west-1", "retail-pipeline:settings": json.dumps(EVERYTHING)},
}


@pytest.fixture(scope="session", params=CONFIGS)
def stack(request: pytest.FixtureRequest) -> str:
    """The name of a stack: the two in the repository, and one with everything on."""
    return str(request.param)


@pytest.fixture(scope="session")
def recordings() -> dict[str, Recording]:
    return {}


@pytest.fixture
def deployment(stack: str, recordings: dict[str, Recording]) -> Recording:
    """What the real program deploys for a stack."""
    if stack not in recordings:
        recordings[stack] = record(ROOT / "__main__.py", stack, CONFIGS[stack])
    assert not recordings[stack].error
    return recordings[stack]


@pytest.fixture
def everything(recordings: dict[str, Recording]) -> Recording:
    """What the real program deploys with everything on."""
    if "everything" not in recordings:
        recordings["everything"] = record(ROOT / "__main__.py", "everything", CONFIGS["everything"])
    assert not recordings["everything"].error
    return recordings["everything"]
