"""What a dataset is: the fields of its rows, the rules they keep, the uploads that belong to it.

A contract is a Data Resource with a Table Schema (Data Package v2, https://datapackage.org/standard/table-schema/)
and a ``pipeline`` part of our own. This module needs neither pyarrow nor YAML, so that the validator starts fast.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal, get_args

from formats import MalformedFile
from formats.dialect import TableDialect, normalise
from formats.limits import Limits
from runtime.descriptor import ContractError, Problem, Section
from runtime.dialect import parse_dialect, parse_encodings, parse_limits
from runtime.field import NAME, Constraints, Field, FieldType, names_in_files, parse_aliases, parse_field
from runtime.pipeline import Computed, Rule, parse_computed, parse_partition_by, parse_rules

__all__ = [
    "FIELDS_MATCH",
    "Constraints",
    "Contract",
    "Field",
    "FieldType",
    "FieldsMatch",
    "contract_of_key",
    "normalise",
    "parse_contract",
]

FieldsMatch = Literal["exact", "equal", "subset", "superset", "partial"]

FIELDS_MATCH: tuple[str, ...] = get_args(FieldsMatch)

_OWN_TABLE = "ledger"
_SHORTEST_HASH_KEY = 16
_DISORDER = "the columns are not in the contract's order"
_COLUMNS_SHOWN = 40
_DATASET_PROPERTIES = ("name", "title", "description", "format", "encoding", "dialect", "schema", "pipeline")
_SCHEMA_PROPERTIES = ("fields", "fieldsMatch", "missingValues", "primaryKey")
_PIPELINE_PROPERTIES = (
    "prefix", "partitionBy", "aliases", "timeZone", "rules", "computed", "rescue", "hashKey", "toleratedBadRows",
    "quarantineSample", "limits",
)  # fmt: skip


@dataclass(frozen=True)
class Contract:
    """A dataset's contract, checked: build it with :func:`parse_contract`."""

    name: str
    description: str
    fields: tuple[Field, ...]
    fields_match: FieldsMatch
    primary_key: tuple[str, ...]
    prefix: str
    partition_by: tuple[str, ...]
    aliases: Mapping[str, tuple[str, ...]]
    rules: tuple[Rule, ...]
    computed: tuple[Computed, ...]
    rescue: bool
    """Whether what the contract doesn't know is kept, in a column of its own."""
    hash_key: str
    """What the values of fields with ``personal: hash`` are hashed with."""
    tolerated_bad_rows: Decimal
    """The share of bad rows above which a file is refused whole."""
    format: str | None
    """The name of the files' format; None to find it out."""
    encodings: tuple[str, ...]
    """What text may be encoded in, by Python's names; where there are several, the first that a whole file is in."""
    dialect: TableDialect
    """How files spell a table, with the names of the columns, and how much they may have."""
    quarantine_sample: int | None
    """How many bad rows of a file are kept in the quarantine; None for all. They are counted all the same."""
    descriptor: Mapping[str, Any]
    """The contract as it was written, for shipping it as JSON."""

    @property
    def limits(self) -> Limits:
        """How much a file may have."""
        return self.dialect.limits

    def field(self, name: str) -> Field:
        """The field of this name. Raises ``KeyError`` when there is none."""
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(name)

    def field_of_column(self, column: str) -> Field | None:
        """The field that a file's column of this name feeds, or None when the contract doesn't know the column.

        Names are compared without regard to case, and spaces and dashes count as underscores. The name of a value
        within an object is its path, with dots.
        """
        return self._known.get(column) or self._known.get(normalise(column))

    @cached_property
    def takes_further_columns(self) -> bool:
        """Whether rows may have what no field claims."""
        return self.fields_match in ("subset", "partial")

    def is_further(self, column: str) -> bool:
        """Whether a column is none of the contract's, nor within an object that has some of its fields."""
        parts = column.split(".")
        within = (".".join(parts[:depth]) for depth in range(1, len(parts) + 1))
        return self.field_of_column(column) is None and not any(map(self.has_fields_within, within))

    def has_fields_within(self, column: str) -> bool:
        """Whether a field's value may be within an object in this column."""
        return normalise(column) in self._objects

    @cached_property
    def keys(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """What may not repeat within a file: the rule's name, and the fields that it is about."""
        unique = tuple(("unique", (field.name,)) for field in self.fields if field.constraints.unique)
        return ((("primaryKey", self.primary_key),) if self.primary_key else ()) + unique

    @cached_property
    def has_personal_fields(self) -> bool:
        """Whether some values must not be seen outside the dataset's table."""
        return any(field.personal for field in self.fields)

    @cached_property
    def _known(self) -> dict[str, Field]:
        names = [(name, field) for field in self.fields for name in names_in_files(field, self.aliases[field.name])]
        return {normalise(name): field for name, field in names}

    @cached_property
    def _objects(self) -> set[str]:
        steps = [name.split(".") for name in self._known]
        return {".".join(names[:depth]) for names in steps for depth in range(1, len(names))}

    def misfit(self, columns: Sequence[str], *, complete: bool = True) -> MalformedFile | None:
        """Why a file with these columns is not of this dataset; None when it is.

        The rule is the contract's ``fieldsMatch`` (Table Schema v2); all modes map columns by name, and ``exact``
        asks for the contract's order too. A column that is an object may have several fields within. Where the columns
        may not be ``complete``, only required fields have to be among them, in any order.
        """
        feeds = [(column, self._fields_from(column)) for column in columns]
        found = [field.name for _, fields in feeds for field in fields]
        missing = [field.name for field in self.fields if field.name not in found]
        surplus = [number for number, (_, fields) in enumerate(feeds, 1) if not fields]
        problems = [f"column {name!r} is there more than once" for name in _repeated(found)]
        if missing and complete and self.fields_match in ("exact", "equal", "subset"):
            problems.append("these columns are missing: " + ", ".join(map(repr, missing)))
        if surplus and not self.takes_further_columns:
            problems.append("these columns are not in the contract: number " + ", ".join(map(str, surplus)))
        if not found and not problems:
            problems.append("no column of the contract is there")
        if (
            self.fields_match == "exact"
            and complete
            and not problems
            and found != [field.name for field in self.fields]
        ):
            problems.append(f"{_DISORDER}: " + ", ".join(f.name for f in self.fields))
        required = [field.name for field in self.fields if field.constraints.required and field.name in missing]
        if required and (not complete or self.fields_match in ("superset", "partial")):
            problems.append("these columns are missing: " + ", ".join(map(repr, required)))
        if not problems:
            return None
        # What stands where the header should is a row of values at times.
        names = ", ".join(map(repr, columns[:_COLUMNS_SHOWN])) + ", ..." * (len(columns) > _COLUMNS_SHOWN)
        remedies = ["export it as the contract says"]
        if missing or surplus:
            remedies.append("give the contract its names as pipeline.aliases")
        if any(problem.startswith(_DISORDER) for problem in problems):
            remedies.append("say fieldsMatch: equal there, which takes any order")
        elif surplus and not missing and not self.takes_further_columns:
            remedies.append("say fieldsMatch: subset there, which takes further columns")
        return MalformedFile(
            f"not a file of {self.name}: {'; '.join(problems)}; {', or '.join(remedies)}",
            f"its columns are {names or 'none'}",
        )

    def likeness(self, columns: Sequence[str]) -> float:
        """How near a file with these columns is to this dataset, from 0 to 1: the share of names that both have."""
        found = {field.name for column in columns for field in self._fields_from(column)}
        unknown = sum(not self._fields_from(column) for column in columns)
        return len(found) / (len(self.fields) + unknown)

    def _fields_from(self, column: str) -> list[Field]:
        field = self.field_of_column(column)
        if field:
            return [field]
        within = normalise(column) + "."
        return list({field.name: field for name, field in self._known.items() if name.startswith(within)}.values())


def contract_of_key(contracts: Iterable[Contract], key: str) -> Contract | None:
    """The contract whose prefix the object key begins with; the longest prefix where several do."""
    claims = [contract for contract in contracts if key.startswith(contract.prefix)]
    return max(claims, key=lambda contract: len(contract.prefix), default=None)


def parse_contract(descriptor: Any) -> Contract:
    """The contract that a descriptor (a YAML or JSON document, decoded) states.

    Raises :class:`~runtime.descriptor.ContractError` with every problem found, each with its place. What only
    pyarrow can tell is for :mod:`runtime.contract_proof`.
    """
    problems: list[Problem] = []
    root = Section(descriptor, (), problems)
    root.allow_only(_DATASET_PROPERTIES)
    schema = root.section("schema", required=True)
    schema.allow_only(_SCHEMA_PROPERTIES)
    pipeline = root.section("pipeline")
    pipeline.allow_only(_PIPELINE_PROPERTIES)
    name = _parse_name(root)
    time_zone = pipeline.text("timeZone", "") or None
    primary_key = schema.text_or_texts("primaryKey", ())
    fields = _parse_fields(schema, primary_key, time_zone)
    computed = parse_computed(pipeline, fields, time_zone)
    aliases = parse_aliases(root, pipeline, fields)
    columns = [names_in_files(field, aliases[field.name]) for field in fields]
    contract = Contract(
        name=name,
        description=root.text("description", root.text("title", "")),
        fields=fields,
        fields_match=schema.choice("fieldsMatch", FIELDS_MATCH, "exact"),
        primary_key=primary_key,
        prefix=_parse_prefix(pipeline, name),
        partition_by=parse_partition_by(pipeline, fields, computed),
        aliases=aliases,
        rules=parse_rules(pipeline, fields),
        computed=computed,
        rescue=pipeline.boolean("rescue", default=False),
        hash_key=_parse_hash_key(pipeline, fields),
        tolerated_bad_rows=pipeline.share("toleratedBadRows", "1"),
        format=root.name("format", NAME) if root.has("format") else None,
        encodings=parse_encodings(root),
        dialect=replace(parse_dialect(root, columns), limits=parse_limits(pipeline)),
        quarantine_sample=pipeline.integer("quarantineSample", 0),
        descriptor=descriptor if isinstance(descriptor, dict) else {},
    )
    if problems:
        raise ContractError(problems)
    return contract


def _parse_name(root: Section) -> str:
    name = root.name("name", NAME)
    if name == _OWN_TABLE:
        root.problem("name", f"another name than {_OWN_TABLE}, which is a table of the pipeline's own")
    return name


def _parse_fields(schema: Section, primary_key: Sequence[str], time_zone: str | None) -> tuple[Field, ...]:
    missing_values = schema.texts("missingValues", ("",))
    fields = [parse_field(section, missing_values, time_zone) for section in schema.sections("fields", required=True)]
    for position, field in enumerate(fields):
        if field.name and field.name in [other.name for other in fields[:position]]:
            expected = "a name that no field before it has (rename or remove one of the two)"
            schema.problem_at(("fields", position, "name"), expected, repr(field.name))
    by_name = {field.name: field for field in fields}
    for name in primary_key:
        if name not in by_name:
            schema.problem("primaryKey", f"names of fields ({', '.join(by_name)}); {name!r} is none")
        elif by_name[name].personal in ("mask", "drop"):
            schema.problem("primaryKey", f"fields whose values are kept, or hashed; {name!r} is not")
    for name in _repeated(primary_key):
        schema.problem("primaryKey", f"each field once; {name!r} is there twice")
    return tuple(_required(field) if field.name in primary_key else field for field in fields)


def _required(field: Field) -> Field:
    return replace(field, constraints=replace(field.constraints, required=True))


def _parse_prefix(pipeline: Section, name: str) -> str:
    prefix = pipeline.text("prefix", f"{name}/")
    if prefix.startswith("/") or not prefix.endswith("/"):
        pipeline.problem("prefix", "a key prefix such as 'bookstore_sales/', ending but not beginning with a slash")
    return prefix


def _parse_hash_key(pipeline: Section, fields: Sequence[Field]) -> str:
    key = pipeline.text("hashKey", "")
    hashed = [field.name for field in fields if field.personal == "hash"]
    if hashed and len(key) < _SHORTEST_HASH_KEY:
        pipeline.problem(
            "hashKey", f"a random text of at least {_SHORTEST_HASH_KEY} characters to hash {hashed[0]!r} with"
        )
    if key and not hashed:
        pipeline.problem("hashKey", "no key: no field says personal: hash")
    return key


def _repeated(names: Sequence[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})
