"""A resource's inputs as Pulumi sends them, and their way into AWS's requests."""

from collections.abc import Collection, Mapping
from typing import Any

from emulator.clients import REGION


class ResourceError(Exception):
    """The emulator can't create the resource as the program asks."""


class Inputs:
    """The inputs of one resource. Each has to be read, or set aside with a reason, before it is created."""

    def __init__(self, type_: str, name: str, values: Mapping[str, Any]) -> None:
        self.resource = f"{type_} {name}"
        self.name = name
        self._values = dict(values)
        self._read: set[str] = set()
        if self.optional("region", REGION) != REGION:
            raise ResourceError(f"{self.resource}: region {values['region']} isn't emulated, only {REGION}")
        self.set_aside("nothing here reads tags", "tags", "tagsAll")

    def __getitem__(self, name: str) -> Any:
        """A required input. Raises ResourceError when it is missing."""
        value = self.optional(name)
        if value is None:
            raise ResourceError(f"{self.resource}: required property {name} is missing")
        return value

    def optional(self, name: str, default: Any = None) -> Any:
        """An input, or the default when the program doesn't give it."""
        self._read.add(name)
        value = self._values.get(name)
        return default if value is None else value

    def set_aside(self, reason: str, *names: str) -> None:
        """Takes note that inputs have no meaning in the emulator, and why."""
        self._read.update(names)

    def request(self, **members: str) -> dict[str, Any]:
        """Members of a request from inputs of the given names (`Description="description"`), where given."""
        values = {member: self.optional(name) for member, name in members.items()}
        return {member: value for member, value in values.items() if value is not None}

    def refuse_unread(self) -> None:
        """Raises ResourceError naming the inputs that would be dropped in silence."""
        unread = sorted(self._values.keys() - self._read)
        if unread:
            raise ResourceError(
                f"{self.resource}: property {', '.join(unread)} isn't emulated; teach it to emulator/resources, "
                "or set it aside there with a reason"
            )


def members(value: Any, renamed: Mapping[str, str] | None = None, maps: Collection[str] = ()) -> Any:
    """A structure with AWS's member names: a capital first, or as `renamed` says.

    `maps` names the members whose keys are the user's own and stay as they are.
    """
    renamed = renamed or {}
    if isinstance(value, list):
        return [members(item, renamed, maps) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        renamed.get(name, name[:1].upper() + name[1:]): item if name in maps else members(item, renamed, maps)
        for name, item in value.items()
        if item is not None
    }
