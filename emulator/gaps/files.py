"""What a table's files hold, in the catalogue's words: for the crawler and for Athena."""

import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

PARQUET = "parquet"
_SIMPLE_TYPES = {
    pa.bool_(): "boolean",
    pa.int8(): "tinyint",
    pa.int16(): "smallint",
    pa.int32(): "int",
    pa.int64(): "bigint",
    pa.float32(): "float",
    pa.float64(): "double",
    pa.string(): "string",
    pa.large_string(): "string",
    pa.binary(): "binary",
    pa.date32(): "date",
}


class NotThisFormatError(Exception):
    """The file isn't of the format that its table has."""


def table_format(table: dict[str, Any]) -> str:
    """`parquet` or `json`, by the table's SerDe."""
    library = table["StorageDescriptor"].get("SerdeInfo", {}).get("SerializationLibrary", "").lower()
    return PARQUET if "parquet" in library else "json" if "json" in library else library


def parquet_columns(content: bytes) -> dict[str, str]:
    """The columns of a Parquet file and their Hive types, from its footer.

    Raises NotThisFormatError for any other file.
    """
    try:
        schema = pq.read_schema(io.BytesIO(content))
    except pa.ArrowInvalid as error:
        raise NotThisFormatError(f"not a Parquet file ({error})") from error
    return {field.name.lower(): hive_type(field.type) for field in schema}


def hive_type(type_: pa.DataType) -> str:
    """The Hive type of a column of this Arrow type."""
    if pa.types.is_decimal(type_):
        return f"decimal({type_.precision},{type_.scale})"
    if pa.types.is_timestamp(type_):
        return "timestamp"
    if pa.types.is_list(type_) or pa.types.is_large_list(type_):
        return f"array<{hive_type(type_.value_type)}>"
    if pa.types.is_map(type_):
        return f"map<{hive_type(type_.key_type)},{hive_type(type_.item_type)}>"
    if pa.types.is_struct(type_):
        return f"struct<{','.join(f'{field.name}:{hive_type(field.type)}' for field in type_)}>"
    return _SIMPLE_TYPES.get(type_, str(type_))


def faults(table: dict[str, Any], content: bytes) -> list[str]:
    """How a file's columns differ from its table's; nothing when it fits."""
    columns = {column["Name"]: column["Type"] for column in table["StorageDescriptor"]["Columns"]}
    try:
        if table_format(table) == PARQUET:
            return _column_faults(columns, parquet_columns(content))
        return _json_faults(columns, content)
    except NotThisFormatError as error:
        return [str(error)]


def _column_faults(wanted: dict[str, str], found: dict[str, str]) -> list[str]:
    missing = [f"column {name} is missing" for name in wanted if name not in found]
    unknown = [f"column {name} isn't in the table" for name in found if name not in wanted]
    differing = [
        f"column {name} is {found[name]}, the table says {wanted[name]}"
        for name in wanted
        if name in found and found[name] != wanted[name]
    ]
    return [*missing, *unknown, *differing]


def _json_faults(wanted: dict[str, str], content: bytes) -> list[str]:
    for line in content.splitlines():
        try:
            record = json.loads(line)
        except ValueError as error:
            return [f"not JSON, one object a line ({error})"]
        if not isinstance(record, dict):
            return ["not JSON, one object a line"]
        unknown = [name for name in record if name.lower() not in wanted]
        if unknown:
            return [f"column {name} isn't in the table" for name in unknown]
    return []
