"""Who installs the package has the components, without a checkout: they deploy what a checkout would."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from components.artefacts import build_artefacts
from components.packages import build_wheel, uv
from tests.infrastructure.recording import ROOT

PROGRAM = """
import json, pathlib, sys
import pulumi

class Cloud(pulumi.runtime.Mocks):
    def new_resource(self, args):
        deployed.setdefault(args.typ, []).append(args.name)
        return args.name, {**args.inputs, "arn": f"arn:aws:any:eu-west-1:123456789012:{args.name}"}
    def call(self, args):
        return {"accountId": "123456789012", "region": "eu-west-1"}

deployed = {}
pulumi.runtime.set_mocks(Cloud(), preview=False)

@pulumi.runtime.test
def program():
    from components.orchestration import Orchestration
    from components.storage import Storage

    lake = Storage("shop", {"protect": False})
    topic = "arn:aws:sns:eu-west-1:123456789012:shop"
    way = Orchestration("shop", {
        "contracts": sys.argv[1], "database": "shop", "success_topic_arn": topic, "failure_topic_arn": topic,
        "source_bucket": lake.source_bucket, "processed_bucket": lake.processed_bucket,
        "quarantine_bucket": lake.quarantine_bucket, "ledger_bucket": lake.ledger_bucket,
        "artefact_bucket": lake.artefact_bucket, "lambda_platform": "host"})
    return way.state_machine_arn

program()
print(json.dumps(deployed))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python of an environment that has the package and nothing of this checkout."""
    folder = tmp_path_factory.mktemp("installed")
    wheel = build_wheel(ROOT, folder / "wheel")
    python = folder / "venv" / "bin" / "python"
    uv("venv", "--python", sys.executable, str(folder / "venv"), problem="no environment")
    requirement = f"retail-pipeline[infrastructure] @ {wheel.as_uri()}"
    uv("pip", "install", "--python", str(python), requirement, problem="the package can't be installed")
    return python


def test_a_project_of_its_own_deploys_what_a_checkout_does(installed: Path, tmp_path: Path) -> None:
    command = [str(installed), "-I", "-c", PROGRAM, str(ROOT / "contracts")]
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV"))}
    run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False)
    assert run.returncode == 0, run.stderr
    assert '"aws:glue/job:Job": ["shop-transform"]' in run.stdout
    [built] = (tmp_path / "build" / "artefacts").iterdir()
    ours = build_artefacts(ROOT / "contracts", "host", tmp_path / "ours")
    assert {file.name for file in built.iterdir()} == {file.name for file in ours.contracts.parent.iterdir()}
    for file in built.iterdir():
        assert file.read_bytes() == (ours.contracts.parent / file.name).read_bytes(), file.name
