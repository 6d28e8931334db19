"""What a service does for its customer it does as a role: with that role's rights, and only if trusted."""

import hashlib
import json
import os
from collections.abc import Collection
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import iam, sts

from emulator.clients import Credentials, client


class RoleError(Exception):
    """The service can't assume the role, or may not do with it what it has to."""


def endpoint() -> str:
    """Where this server is reached from this machine."""
    return f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}"


def assume(role: str, service: str, session: str, source_arn: str | None = None) -> Credentials:
    """Credentials of the role (ARN or name) for a service such as `glue.amazonaws.com`.

    `source_arn` is the resource that the service does it for, where the service says which.
    Raises RoleError when there is no such role or it doesn't trust the service.
    """
    name = role.rsplit("/", 1)[-1]
    record = iam._roles.get(name)
    if record is None:
        raise RoleError(f"Role {role} doesn't exist")
    if not _trusts(record, service, source_arn):
        raise RoleError(f"Role {role} can't be assumed by {service}: its trust policy doesn't allow it")
    digest = hashlib.sha256(f"{get_account_id()}/{name}/{service}/{session}".encode()).hexdigest()
    credentials = Credentials(f"ASIA{digest[:16].upper()}", digest[16:56], digest[::-1])
    sts.register_session(
        credentials.access_key,
        {
            "Arn": f"arn:aws:sts::{get_account_id()}:assumed-role/{name}/{session}",
            "UserId": f"{record.get('RoleId', name)}:{session}",
            "SecretAccessKey": credentials.secret_key,
            "SessionToken": credentials.token,
        },
    )
    return credentials


def role_client(role: str, service: str, session: str, api: str) -> Any:
    """A client of this server's own API `api`, as the role."""
    return client(api, endpoint(), assume(role, service, session))


def may(credentials: Credentials, action: str, resource: str) -> bool:
    """Whether a request with these credentials would be let through, by all policies that it would be held against.

    For what services do with a role inside AWS, where no request is made that could be refused.
    """
    service = action.partition(":")[0]
    return iam_evaluator.enforce(credentials.access_key, action, service, get_region(), resource) is None


def require(role: str, actions: Collection[str], resource: str) -> None:
    """Raises RoleError, in AWS's words, unless the role's policies allow all these actions on the resource.

    For what needs no more than the role's own policies, before the service acts as the role.
    """
    name, account = role.rsplit("/", 1)[-1], get_account_id()
    policies = iam_evaluator._gather_role_policies(name, account)
    for action in actions:
        context = iam_evaluator.EvalContext(
            principal_arn=role,
            principal_type="AssumedRole",
            principal_account=account,
            action=action,
            resource_arn=resource,
            region=get_region(),
        )
        if iam_evaluator.evaluate(context, policies).decision != "Allow":
            raise RoleError(f"Role {role} is not authorized to perform: {action} on resource: {resource}")


def _trusts(role: dict[str, Any], service: str, source_arn: str | None) -> bool:
    document: Any = role["AssumeRolePolicyDocument"]
    document = json.loads(document) if isinstance(document, str) else document
    statements = document["Statement"]
    context = iam_evaluator.EvalContext(
        principal_arn=service,
        principal_type="Service",
        principal_account=get_account_id(),
        action="sts:AssumeRole",
        resource_arn=role["Arn"],
        region=get_region(),
        service_context={"aws:sourceaccount": get_account_id(), "aws:sourcearn": source_arn},
    )
    return any(
        statement["Effect"] == "Allow"
        and iam_evaluator._service_principal_matches(statement.get("Principal"), service)
        and iam_evaluator._conditions_met(statement.get("Condition", {}), context)
        for statement in (statements if isinstance(statements, list) else [statements])
    )
