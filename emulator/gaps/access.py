"""IAM: the resources and keys that a request is held against, and the loopback's safety.

Sources: Service Authorization Reference, "Actions, resources, and condition keys" for AWS Glue and Amazon
CloudWatch Logs. A call on a Glue table needs rights on the catalogue, the database and the table.
"""

import contextvars
import json
from typing import Any

from ministack import app
from ministack.core import iam_actions, iam_evaluator
from ministack.services import s3

from emulator.gaps import keys

_CATALOG_OPERATIONS = ("Database", "Table", "Partition", "ColumnStatistics")

# Each entry is a choice: one of its ARNs has to be allowed. Set for each request.
_required: contextvars.ContextVar[tuple[tuple[str, ...], ...]] = contextvars.ContextVar("required", default=())


def fill() -> None:
    """Makes every Glue and Logs request be checked on its true resources, and every request on the keys it uses."""
    extract = iam_actions.extract_resource_arn
    enforce = iam_evaluator.enforce

    def extract_resource_arn(
        service: str,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query_params: dict[str, Any],
        region: str,
        account_id: str,
    ) -> str:
        _required.set(())
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        request = json.loads(body or b"{}") if service in ("glue", "logs") and operation else {}
        prefix = f"arn:aws:{service}:{region}:{account_id}:"
        if service == "glue" and operation:
            _required.set(tuple((prefix + name,) for name in glue_resources(operation, request)))
        elif service == "logs" and operation:
            _required.set((tuple(prefix + name for name in log_resources(request)),))
        first = _required.get()
        if first:
            return first[-1][0]
        arn: str = extract(service, method, path, headers, body, query_params, region, account_id)
        return arn

    def enforce_all(
        access_key_id: str,
        iam_action: str,
        service: str,
        region: str,
        resource_arn: str = "*",
        service_context: dict[str, Any] | None = None,
    ) -> Any:
        choices = _required.get() if service in ("glue", "logs") else ()
        for choice in choices or ((resource_arn,),):
            denials = [enforce(access_key_id, iam_action, service, region, arn, service_context) for arn in choice]
            if all(denials):
                return denials[-1]
        also = (
            enforce(access_key_id, action, action.partition(":")[0], region, arn)
            for action, arn in [*keys.uses(iam_action, resource_arn), *_to_be_told_of_absence(iam_action, resource_arn)]
        )
        return next(filter(None, also), None)

    iam_actions.extract_resource_arn = extract_resource_arn
    iam_evaluator.enforce = enforce_all
    _treat_loopback_as_secure()


def _to_be_told_of_absence(action: str, object_arn: str) -> list[tuple[str, str]]:
    """Who may not list a bucket isn't told that an object isn't there.

    Source: Amazon S3 API Reference, GetObject, "Permissions".
    """
    bucket, _, key = object_arn.removeprefix("arn:aws:s3:::").partition("/")
    if action != "s3:GetObject" or key in (s3._buckets.get(bucket) or {"objects": {}})["objects"]:
        return []
    return [("s3:ListBucket", f"arn:aws:s3:::{bucket}")]


def glue_resources(operation: str, request: dict[str, Any]) -> list[str]:
    """The resources, without the ARN's head, that all have to be allowed for a Glue operation."""
    if "Crawler" in operation:
        return [f"crawler/{request['Name']}"] if "Name" in request else []
    if "Job" in operation:
        name = request.get("JobName") or request.get("Name")
        return [f"job/{name}"] if name else []
    if not any(word in operation for word in _CATALOG_OPERATIONS):
        return []
    resources = ["catalog"]
    own = {"Database": request.get("DatabaseInput"), "Table": request.get("TableInput")}
    kind = next((kind for kind in own if operation.removesuffix("s").endswith(kind)), "")
    name = (own.get(kind) or request).get("Name")
    database = request.get("DatabaseName") or (name if kind == "Database" else None)
    if database:
        resources.append(f"database/{database}")
    table = request.get("TableName") or (name if kind == "Table" else None)
    if database and (table or kind == "Table"):
        resources.append(f"table/{database}/{table or '*'}")
    return resources


def log_resources(request: dict[str, Any]) -> tuple[str, ...]:
    """The forms, without the ARN's head, of which a Logs policy may name one: a group is written both ways."""
    group = request.get("logGroupName")
    if not group:
        return ("*",)
    if "logStreamName" in request:
        return (f"log-group:{group}:log-stream:{request['logStreamName']}",)
    return (f"log-group:{group}:*", f"log-group:{group}")


def _treat_loopback_as_secure() -> None:
    """Bucket, queue and topic policies that refuse insecure transport mean the network between machines.

    The endpoint here is HTTP on 127.0.0.1: to a policy its requests count as TLS, so that
    `aws:SecureTransport` conditions neither have to be left out of the program nor block every call.
    """
    iam_evaluator._request_origin = contextvars.ContextVar("origin", default=("127.0.0.1", True))
    pin = app.pin_request_origin

    def pin_request_origin(source_ip: str, secure_transport: bool) -> None:
        pin(source_ip, secure_transport or source_ip.startswith("127."))

    app.pin_request_origin = pin_request_origin
