"""What is deployed changes only on purpose: a new name or place would replace a resource, with all it holds.

After a wanted change write the snapshots anew, and read the difference before it is committed:

    UPDATE_SNAPSHOTS=1 pytest tests/infrastructure/test_snapshot.py
"""

import json
import os
import re
from pathlib import Path
from typing import Any

from tests.infrastructure.recording import Recording

SNAPSHOTS = Path(__file__).parent / "snapshots"


def test_what_is_deployed_is_what_was_reviewed(deployment: Recording, stack: str) -> None:
    snapshot = SNAPSHOTS / f"{stack}.json"
    deployed = {
        resource.urn: _without_content({"protect": resource.protect, "inputs": _decoded(resource.inputs)})
        for resource in deployment.resources
    }
    if os.environ.get("UPDATE_SNAPSHOTS"):
        snapshot.write_text(json.dumps(deployed, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    assert deployed == json.loads(snapshot.read_text(encoding="utf-8"))


def _decoded(inputs: dict[str, Any]) -> dict[str, Any]:
    """Documents within texts, as structures: their changes can be read."""
    return {
        key: json.loads(value) if isinstance(value, str) and value.startswith("{") else value
        for key, value in inputs.items()
    }


def _without_content(value: Any) -> Any:
    """The keys of artefacts follow their content, which isn't infrastructure."""
    text = re.sub(r"\b(validator|wheel|job|contracts)/[0-9a-f]{16}/", r"\1/<content>/", json.dumps(value))
    text = re.sub(r"retail_pipeline-[^-]+-py3", "retail_pipeline-<version>-py3", text)
    # A wheel that isn't Python alone is named after this machine where it is built for it.
    return json.loads(re.sub(r"python_calamine-[\w.]+-cp[\w.-]+\.whl", "python_calamine-<version>.whl", text))
