"""What a function that creates a resource gets and gives."""

from collections.abc import Callable
from typing import Any

from emulator.resources.inputs import Inputs

Clients = Callable[[str], Any]
"""A boto client for a service's name."""
Created = tuple[str, dict[str, Any]]
"""The id and the outputs that AWS adds to the inputs."""
Creator = Callable[[Clients, Inputs], Created]
