"""Creates every resource type of our Pulumi program in the emulated AWS, by the calls that AWS takes."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError, ParamValidationError

from emulator.clients import ACCOUNT, REGION, client
from emulator.resources import analytics, compute, messaging, monitoring, network, storage
from emulator.resources.enums import refuse_unknown_words
from emulator.resources.inputs import Inputs, ResourceError
from emulator.resources.registry import Clients, Creator

__all__ = ["EMULATED", "AwsProvider", "ResourceError"]

EMULATED: Mapping[str, Creator] = {
    **analytics.RESOURCES,
    **compute.RESOURCES,
    **messaging.RESOURCES,
    **monitoring.RESOURCES,
    **network.RESOURCES,
    **storage.RESOURCES,
}
"""How each resource type that the emulated AWS has is created."""

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
    "aws:index/getAvailabilityZones:getAvailabilityZones": {
        "names": [f"{REGION}{zone}" for zone in "abc"],
        "id": REGION,
    },
}


class AwsProvider:
    """A `program.Provider` for the AWS at an endpoint. Nothing the program asks for is skipped in silence.

    `elsewhere` has resource types of services that this AWS doesn't have: how each is created, and whose clients
    it is created with.
    """

    def __init__(self, endpoint: str, elsewhere: Mapping[str, tuple[Creator, Clients]] | None = None) -> None:
        self.endpoint = endpoint
        emulated = {type_: (creator, self._client) for type_, creator in EMULATED.items()}
        self._places: dict[str, tuple[Creator, Clients]] = {**emulated, **(elsewhere or {})}

    def create(self, type_: str, name: str, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Creates the resource; returns its id and what AWS adds to its inputs.

        Raises ResourceError, with the resource's type and name, for an unknown type, for an unknown or
        missing property, and when AWS refuses the request.
        """
        if type_ not in self._places:
            raise ResourceError(f"{type_} {name}: resource type isn't emulated; teach it to emulator/resources")
        creator, clients = self._places[type_]
        given = Inputs(type_, name, inputs)
        try:
            id_, outputs = creator(clients, given)
        except (ClientError, ParamValidationError) as error:
            raise ResourceError(f"{given.resource}: {error}") from error
        given.refuse_unread()
        return id_, outputs

    def invoke(self, token: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Answers a provider function. Raises ResourceError for an unknown function or argument."""
        answer = _FUNCTIONS.get(token)
        if answer is None:
            raise ResourceError(f"{token}: function isn't emulated; teach it to emulator/resources")
        # All zones here are available.
        if arguments.keys() - {"region"} and arguments != {"state": "available"}:
            raise ResourceError(f"{token}: arguments {sorted(arguments)} aren't emulated")
        return answer

    def _client(self, service: str) -> Any:
        created = client(service, self.endpoint)
        refuse_unknown_words(created)
        return created
