"""Writes a package's schema as TypeScript declarations, as `pulumi package add` makes an SDK of it.

https://www.pulumi.com/docs/iac/extending-pulumi/schema/
"""

from collections.abc import Mapping
from typing import Any

_SIMPLE = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean"}


class UnknownTypeError(Exception):
    """The schema has a type that this file doesn't know to write."""


def declarations(schema: Mapping[str, Any]) -> str:
    """The text of the SDK's `index.d.ts`: a class for each component, an interface for its arguments."""
    parts = ['import * as pulumi from "@pulumi/pulumi";\n']
    for token, type_ in schema["types"].items():
        parts.append(_interface(f"{_name(token)}Args", type_["properties"], type_.get("required", [])))
    for token, component in schema["resources"].items():
        parts.append(_class(_name(token), component))
        parts.append(
            _interface(f"{_name(token)}Args", component["inputProperties"], component.get("requiredInputs", []))
        )
    return "\n".join(parts)


def _class(name: str, component: Mapping[str, Any]) -> str:
    required = component.get("required", [])
    outputs = [
        _comment(each)
        + f"    readonly {key}: pulumi.Output<{_type(each)}{'' if key in required else ' | undefined'}>;\n"
        for key, each in component["properties"].items()
    ]
    optional = "" if component.get("requiredInputs") else "?"
    constructor = (
        f"    constructor(name: string, args{optional}: {name}Args, opts?: pulumi.ComponentResourceOptions);\n"
    )
    return f"export declare class {name} extends pulumi.ComponentResource {{\n{''.join(outputs)}{constructor}}}\n"


def _interface(name: str, properties: Mapping[str, Any], required: list[str]) -> str:
    lines = [
        _comment(each) + f"    {key}{'' if key in required else '?'}: {_input(each)};\n"
        for key, each in properties.items()
    ]
    return f"export interface {name} {{\n{''.join(lines)}}}\n"


def _input(described: Mapping[str, Any]) -> str:
    return _type(described) if described.get("plain") else f"pulumi.Input<{_type(described)}>"


def _type(described: Mapping[str, Any]) -> str:
    if "$ref" in described:
        return f"{_name(described['$ref'])}Args"
    match described["type"]:
        case "array":
            return f"{_input(described['items'])}[]"
        case simple if simple in _SIMPLE:
            return _SIMPLE[simple]
        case other:
            raise UnknownTypeError(f"say in typescript.py how TypeScript writes the type {other} of {described}")


def _name(token: str) -> str:
    return token.rsplit(":", 1)[1]


def _comment(described: Mapping[str, Any]) -> str:
    return f"    /** {described['description']} */\n"
