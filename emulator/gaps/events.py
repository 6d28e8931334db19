"""Events that AWS services send to the default event bus."""

import json
from typing import Any

from ministack.services import eventbridge


def emit(source: str, detail_type: str, detail: dict[str, Any], resources: list[str] | None = None) -> None:
    """Sends an event as the AWS service would."""
    entry = {
        "Source": source,
        "DetailType": detail_type,
        "Detail": json.dumps(detail),
        "Resources": resources or [],
    }
    eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)
