"""Creates every resource type of our Pulumi program in the emulated AWS, by the calls that AWS takes."""

from typing import Any

from botocore.exceptions import ClientError, ParamValidationError

from emulator.clients import ACCOUNT, REGION, client
from emulator.resources import analytics, compute, messaging, monitoring, storage
from emulator.resources.enums import refuse_unknown_words
from emulator.resources.inputs import Inputs, ResourceError
from emulator.resources.registry import Creator

__all__ = ["AwsProvider", "ResourceError"]

_CREATORS: dict[str, Creator] = {
    **analytics.RESOURCES,
    **compute.RESOURCES,
    **messaging.RESOURCES,
    **monitoring.RESOURCES,
    **storage.RESOURCES,
}
_REGION = {"region": REGION, "name": REGION, "id": REGION, "description": "Europe (Ireland)"}
_FUNCTIONS: dict[str, dict[str, Any]] = {
    "aws:index/getCallerIdentity:getCallerIdentity": {
        "accountId": ACCOUNT,
        "arn": f"arn:aws:iam::{ACCOUNT}:root",
        "userId": ACCOUNT,
        "id": ACCOUNT,
    },
    "aws:index/getRegion:getRegion": _REGION,
    "aws:index/getPartition:getPartition": {
        "partition": "aws",
        "dnsSuffix": "amazonaws.com",
        "reverseDnsPrefix": "com.amazonaws",
        "id": "aws",
    },
}


class AwsProvider:
    """A `program.Provider` for the AWS at an endpoint. Nothing the program asks for is skipped in silence."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint

    def create(self, type_: str, name: str, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Creates the resource; returns its id and what AWS adds to its inputs.

        Raises ResourceError, with the resource's type and name, for an unknown type, for an unknown or
        missing property, and when AWS refuses the request.
        """
        creator = _CREATORS.get(type_)
        if creator is None:
            raise ResourceError(f"{type_} {name}: resource type isn't emulated; teach it to emulator/resources")
        given = Inputs(type_, name, inputs)
        try:
            id_, outputs = creator(self._client, given)
        except (ClientError, ParamValidationError) as error:
            raise ResourceError(f"{given.resource}: {error}") from error
        given.refuse_unread()
        return id_, outputs

    def invoke(self, token: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Answers a provider function. Raises ResourceError for an unknown function or argument."""
        answer = _FUNCTIONS.get(token)
        if answer is None:
            raise ResourceError(f"{token}: function isn't emulated; teach it to emulator/resources")
        if arguments.keys() - {"region"}:
            raise ResourceError(f"{token}: arguments {sorted(arguments)} aren't emulated")
        return answer

    def _client(self, service: str) -> Any:
        created = client(service, self.endpoint)
        refuse_unknown_words(created)
        return created
