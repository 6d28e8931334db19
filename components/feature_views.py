"""A dataset's features as a view in Athena's SQL, in the shape of SageMaker's offline store."""

import base64
import json
import re
from collections.abc import Sequence
from typing import NamedTuple

from runtime.contract import Contract
from runtime.tables import Column, dataset_table

# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_FeatureDefinition.html
_FEATURE_NAME = re.compile("[a-zA-Z0-9]([-_]*[a-zA-Z0-9]){0,63}")
_OF_THE_STORE = ("write_time", "api_invocation_time", "is_deleted")
_PRESTO_TYPES = {"string": "varchar"}
"""Of the types here those whose name differs (https://docs.aws.amazon.com/athena/latest/ug/data-types.html)."""


class Feature(NamedTuple):
    """A feature: its name, its type in Hive's words, and its value as SQL on the dataset's table."""

    name: str
    type: str
    sql: str

    @property
    def feature_type(self) -> str:
        """Its type in SageMaker's words."""
        return {"bigint": "Integral", "double": "Fractional", "string": "String"}[self.type]


class FeatureView(NamedTuple):
    """The view of a dataset's features, named after the dataset."""

    dataset: str
    identifier: str
    event_time: str
    features: Sequence[Feature]

    @property
    def name(self) -> str:
        return f"{self.dataset}_features"

    @property
    def columns(self) -> Sequence[Feature]:
        """The features and what an offline store has beside them: a row was known when it happened, and stays."""
        time = f'"{self.event_time}"'
        return [
            *self.features,
            Feature("write_time", "timestamp", time),
            Feature("api_invocation_time", "timestamp", time),
            Feature("is_deleted", "boolean", "false"),
        ]

    @property
    def sql(self) -> str:
        """The view: rows without identifier or event time are no records of a feature store."""
        columns = ",\n       ".join(f'{column.sql} AS "{column.name}"' for column in self.columns)
        return (
            f'SELECT {columns}\nFROM "{self.dataset}"\n'
            f'WHERE "{self.identifier}" IS NOT NULL AND "{self.event_time}" IS NOT NULL'
        )

    @property
    def latest(self) -> str:
        """A query: of each identifier the features that hold now."""
        names = ", ".join(f'"{feature.name}"' for feature in self.features)
        return (
            f"SELECT {names}\n"  # noqa: S608 (a checked name holds no quote)
            f'FROM (SELECT *, row_number() OVER (PARTITION BY "{self.identifier}"\n'
            f'                                   ORDER BY "{self.event_time}" DESC) AS recency\n'
            f'      FROM "{self.name}") AS ranked\n'
            "WHERE recency = 1 AND NOT is_deleted\n"
        )

    def catalogue_text(self, database: str) -> str:
        """The view as Athena keeps it in the catalogue: a comment that holds JSON in Base64."""
        columns = [
            {"name": column.name, "type": _PRESTO_TYPES.get(column.type, column.type)} for column in self.columns
        ]
        view = {"originalSql": self.sql, "catalog": "awsdatacatalog", "schema": database, "columns": columns}
        return f"/* Presto View: {base64.b64encode(json.dumps(view).encode()).decode()} */"


def feature_view(contracts: Sequence[Contract], dataset: str, identifier: str, event_time: str) -> FeatureView:
    """The view of a dataset's features. Raises ValueError when there can't be one, and says what is allowed."""
    by_name = {contract.name: contract for contract in contracts}
    if dataset not in by_name:
        raise ValueError(f"no dataset is named {dataset}; allowed is {', '.join(by_name)}")
    contract = by_name[dataset]
    features = [_feature(column) for column in _usable_columns(contract)]
    times = [field.name for field in contract.fields if field.type == "datetime" and not field.personal]
    for what, name, allowed in (
        ("identifier", identifier, [feature.name for feature in features]),
        ("event time", event_time, times),
    ):
        if name not in allowed:
            raise ValueError(f"{name} can't be the {what} of {dataset}; allowed is {', '.join(allowed) or 'none'}")
    for feature in features:
        if not _FEATURE_NAME.fullmatch(feature.name) or feature.name in _OF_THE_STORE:
            raise ValueError(f"{dataset} can't be a feature group: SageMaker allows no feature named {feature.name}")
    return FeatureView(dataset, identifier, event_time, features)


def _usable_columns(contract: Contract) -> list[Column]:
    """All but personal fields and the columns of our own, which begin with an underscore."""
    table = dataset_table(contract)
    personal = {field.name for field in contract.fields if field.personal}
    columns = (*table.columns, *table.partition_columns)
    return [column for column in columns if column.name not in personal and not column.name.startswith("_")]


def _feature(column: Column) -> Feature:
    value = f'"{column.name}"'
    if column.type.startswith("decimal("):
        return Feature(column.name, "double", f"CAST({value} AS double)")
    type_, sql = {
        "bigint": ("bigint", value),
        "boolean": ("bigint", f"CAST({value} AS bigint)"),
        "date": ("string", f"CAST({value} AS varchar)"),
        "int": ("bigint", f"CAST({value} AS bigint)"),
        "string": ("string", value),
        # https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateFeatureGroup.html: EventTimeFeatureName
        "timestamp": ("string", f"date_format({value}, '%Y-%m-%dT%H:%i:%sZ')"),
    }[column.type]
    return Feature(column.name, type_, sql)
