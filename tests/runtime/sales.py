"""The dataset that the tests of the runtime are about, and uploads of it."""

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

from formats import Head
from formats.format import HEAD_SIZE
from runtime.contract import Contract, parse_contract
from runtime.ledger import ObjectVersion
from runtime.source import Source

KEY = "sales/monday.csv"

DESCRIPTOR: dict[str, Any] = {
    "name": "sales",
    "description": "What was sold",
    "schema": {
        "fieldsMatch": "subset",
        "fields": [
            {"name": "sku", "type": "string", "constraints": {"required": True}},
            {"name": "title", "type": "string"},
            {
                "name": "price",
                "type": "number",
                "decimal": {"precision": 8, "scale": 2},
                "constraints": {"required": True, "minimum": 0},
            },
            {"name": "genre", "type": "string"},
        ],
    },
    "pipeline": {"partitionBy": ["genre"]},
}

SALES: list[dict[str, str]] = [
    {"sku": "0001", "title": "Salt, and Cinnamon", "price": "12.50", "genre": "Cookery"},
    {"sku": "0002", "title": 'The "Quiet" Street', "price": "7.05", "genre": "Fiction"},
    {"sku": "0003", "title": "Über den Flüssen", "price": "0.00", "genre": "Fiction"},
]


def contract(**pipeline: Any) -> Contract:
    """The contract of the dataset, with another ``pipeline`` part where one is given."""
    return parse_contract({**DESCRIPTOR, "pipeline": {**DESCRIPTOR["pipeline"], **pipeline}})


def field_contract(*fields: Mapping[str, Any], **schema: Any) -> Contract:
    """A contract that is about some fields only."""
    return parse_contract({"name": "stock", "schema": {"fields": [dict(field) for field in fields], **schema}})


def as_csv(rows: Sequence[Mapping[str, str]]) -> bytes:
    lines = [",".join('"' + value.replace('"', '""') + '"' for value in row.values()) for row in rows]
    return "".join(f"{line}\n" for line in [",".join(rows[0]), *lines]).encode()


def as_json(rows: Sequence[Mapping[str, Any]]) -> bytes:
    return json.dumps(list(rows), ensure_ascii=False).encode()


def as_ndjson(rows: Sequence[Mapping[str, Any]]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


class Upload(Source):
    """A version of an upload that is in memory."""

    def __init__(self, data: bytes, version: str = "v1", sequencer: str = "01", key: str = KEY) -> None:
        self._data = data
        self.version = ObjectVersion("shop", key, version, len(data), sequencer)

    def head(self) -> Head:
        name = self.version.key.rsplit("/", 1)[-1]
        return Head(name, len(self._data), self._data[:HEAD_SIZE], self._data[-HEAD_SIZE:])

    def open(self) -> BinaryIO:
        return io.BytesIO(self._data)
