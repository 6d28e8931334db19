"""S3: "Object Created" events name the object's version, and a range of a version is that range.

Sources: Amazon S3 User Guide, "EventBridge event message structure" (`detail.object.version-id` is there when
the bucket is versioned); Amazon S3 API Reference, GetObject.
"""

import contextvars
import json
from typing import Any

from ministack.services import eventbridge, s3

_Response = tuple[int, dict[str, str], Any]
_version: contextvars.ContextVar[str | None] = contextvars.ContextVar("version", default=None)


def fill() -> None:
    """Puts the functions below around ministack's."""
    _name_versions_in_events()
    _serve_ranges_of_versions()


def _name_versions_in_events() -> None:
    """Hands the version from the sender of an event to its dispatcher, by context."""
    fire = s3._fire_s3_event
    dispatch = eventbridge._dispatch_event

    def fire_with_version(*arguments: Any, **named: Any) -> None:
        _version.set(named.get("version_id"))
        fire(*arguments, **named)
        _version.set(None)

    def dispatch_with_version(event: dict[str, Any], view: Any = None) -> None:
        version = _version.get()
        if version and event["Source"] == "aws.s3":
            detail = json.loads(event["Detail"])
            detail["object"]["version-id"] = version
            event["Detail"] = json.dumps(detail)
        dispatch(event, view)

    s3._fire_s3_event = fire_with_version
    eventbridge._dispatch_event = dispatch_with_version


def _serve_ranges_of_versions() -> None:
    """ministack looks at the Range header only where no version is asked for."""
    get = s3._get_object

    def get_object(
        bucket: str, key: str, headers: dict[str, str], query_params: dict[str, Any] | None = None
    ) -> _Response:
        asked = headers.get("range")
        if not asked or "versionId" not in (query_params or {}):
            whole: _Response = get(bucket, key, headers, query_params)
            return whole
        # A checksum is of the whole object: the client would hold the range against it.
        without = {name: value for name, value in headers.items() if name != "x-amz-checksum-mode"}
        status, answered, body = get(bucket, key, without, query_params)
        return _range(asked, answered, body) if status == 200 else (status, answered, body)

    s3._get_object = get_object


def _range(asked: str, headers: dict[str, str], body: bytes) -> _Response:
    found = s3._parse_range(asked, len(body))
    if found is None:
        text = b"<Error><Code>InvalidRange</Code><Message>The requested range is not satisfiable</Message></Error>"
        return 416, {"Content-Type": "application/xml", "Content-Range": f"bytes */{len(body)}"}, text
    start, end = found
    part = body[start : end + 1]
    place = {"Content-Length": str(len(part)), "Content-Range": f"bytes {start}-{end}/{len(body)}"}
    return 206, headers | place, part
