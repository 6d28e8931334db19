"""Requests with a word that AWS doesn't know are refused, as AWS would: botocore lets them pass."""

from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StringShape, StructureShape

from emulator.resources.inputs import ResourceError


def refuse_unknown_words(client: Any) -> None:
    """Makes the client hold each text of a request against the enumeration in the service's model."""
    client.meta.events.register("provide-client-params.*.*", _check_request, unique_id="enumerations")


def _check_request(params: dict[str, Any], model: OperationModel, **_: Any) -> None:
    if model.input_shape is not None:
        _check(model.input_shape, params, model.name)


def _check(shape: Shape, value: Any, place: str) -> None:
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        for name, item in value.items():
            if name in shape.members:  # others are botocore's to refuse
                _check(shape.members[name], item, f"{place}.{name}")
    elif isinstance(shape, ListShape) and isinstance(value, list):
        for item in value:
            _check(shape.member, item, place)
    elif isinstance(shape, MapShape) and isinstance(value, dict):
        for name, item in value.items():
            _check(shape.key, name, place)
            _check(shape.value, item, f"{place}.{name}")
    elif isinstance(shape, StringShape) and shape.enum and value not in shape.enum:
        raise ResourceError(f"{place}: {value!r} isn't one of {', '.join(sorted(shape.enum))}")
