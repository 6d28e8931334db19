"""Deploys our Pulumi program to an emulated AWS: `python -m emulator.deploy ENDPOINT OUTPUT [PROGRAM]`.

Writes the stack's exports to OUTPUT as JSON. A process of its own, since the Pulumi SDK runs one program a
process; the program's own AWS calls, if any, go to the endpoint too.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import yaml

from emulator.clients import ADMINISTRATOR, REGION
from emulator.program import run_program, stack_config
from emulator.resources import AwsProvider

ROOT = Path(__file__).parent.parent
STACK = "local"


def deploy(endpoint: str, folder: Path) -> dict[str, Any]:
    """Runs the Pulumi project in the folder with stack `local`; returns what it exports."""
    project = yaml.safe_load((folder / "Pulumi.yaml").read_text(encoding="utf-8"))["name"]
    os.environ.update(ADMINISTRATOR.environment(), AWS_ENDPOINT_URL=endpoint, AWS_REGION=REGION)
    deployment = run_program(
        folder / "__main__.py",
        project=project,
        stack=STACK,
        config=stack_config(folder, STACK),
        provider=AwsProvider(endpoint),
    )
    return deployment.exports


if __name__ == "__main__":
    exports = deploy(sys.argv[1], Path(sys.argv[3]) if len(sys.argv) > 3 else ROOT)
    Path(sys.argv[2]).write_text(json.dumps(exports), encoding="utf-8")
