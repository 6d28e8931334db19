"""Values within objects. The name of such a column is that of each object on the way, with dots between."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from formats.format import Wanted

if TYPE_CHECKING:
    import pyarrow as pa

Path = tuple[str, ...]
"""The names on the way from a row to a value; one for the row's own."""

_DEEPEST_ROWS = 5
"""Objects around an array of rows, where one line may be the whole document."""


def is_deeper(value: Any, depth: int) -> bool:
    """Whether a value has more than ``depth`` levels of objects and arrays; only of others is it safe to recurse."""
    if not isinstance(value, dict | list):
        return False
    within = value.values() if isinstance(value, dict) else value
    return depth == 0 or any(is_deeper(one, depth - 1) for one in within)


def names_of(rows: Iterable[Any]) -> tuple[str, ...]:
    """The names that the objects among some values have, in the order of their first appearance."""
    names: dict[str, None] = {}
    for row in rows:
        if isinstance(row, dict):
            names.update(dict.fromkeys(row))
    return tuple(names)


def nested_paths(rows: Sequence[Any], before: Path = ()) -> tuple[Path, ...]:
    """The ways to the values in the objects that some rows hold."""
    found: list[Path] = []
    names = names_of(rows)
    objects, _ = _objects(rows, frozenset(names))
    for name in names:
        if before:
            found.append((*before, name))
        if name in objects:
            found += nested_paths(objects[name], (*before, name))
    return tuple(found)


def paths_of(rows: Sequence[Mapping[str, Any]], wanted: Wanted, before: Path = ()) -> list[Path]:
    """The ways to what is wanted of some rows: an object that is not wanted as a whole may be in part."""
    found: list[Path] = []
    asked = {name: wanted(".".join((*before, name))) for name in names_of(rows)}
    objects, others = _objects(rows, frozenset(name for name, type_ in asked.items() if not is_whole(type_)))
    for name, type_ in asked.items():
        if is_whole(type_) or (type_ is not None and name in others):
            found.append((*before, name))
        if name in objects:
            found += paths_of(objects[name], wanted, (*before, name))
    return found


def is_whole(wanted: pa.DataType | None) -> bool:
    """Whether a value is wanted as such, not the values within an object."""
    import pyarrow as pa

    return wanted is not None and not pa.types.is_struct(wanted)


def value_at(row: Mapping[str, Any], path: Path) -> Any:
    """The value at a path; None where there is none."""
    value: Any = row
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _objects(rows: Sequence[Any], names: frozenset[str]) -> tuple[dict[str, list[dict[str, Any]]], set[str]]:
    """The objects that rows have under some names, and under which they have others than objects, too.

    In one go, since names may be as many as rows.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    others: set[str] = set()
    for row in rows if names else ():
        if isinstance(row, dict):
            for name, value in row.items():
                if isinstance(value, dict) and name in names:
                    found.setdefault(name, []).append(value)
                elif value is not None and name in names:
                    others.add(name)
    return found, others


def schema_of(types: Mapping[Path, pa.DataType]) -> pa.Schema:
    """The Arrow schema of rows that have values of some types at some paths, none of which goes through another."""
    import pyarrow as pa

    return pa.schema(_fields(list(types.items()), 0))


def _fields(types: Sequence[tuple[Path, pa.DataType]], depth: int) -> list[pa.Field]:
    import pyarrow as pa

    named: dict[str, list[tuple[Path, pa.DataType]]] = {}
    for path, type_ in types:
        named.setdefault(path[depth], []).append((path, type_))
    return [
        pa.field(name, within[0][1] if len(within[0][0]) == depth + 1 else pa.struct(_fields(within, depth + 1)))
        for name, within in named.items()
    ]


def has_more(fields: Iterable[pa.Field], known: Mapping[Path, Any], wanted: Wanted, before: Path = ()) -> bool:
    """Whether something is wanted of what was read that is not among the known paths, or is no object as wanted."""
    import pyarrow as pa

    for field in fields:
        path = (*before, field.name)
        if path in known:
            continue
        type_, is_object = wanted(".".join(path)), pa.types.is_struct(field.type)
        if is_whole(type_) or (type_ is not None and not is_object and not pa.types.is_null(field.type)):
            return True
        if is_object and has_more(field.type.fields, known, wanted, path):
            return True
    return False


def flat(batch: pa.RecordBatch, paths: Iterable[Path]) -> pa.RecordBatch:
    """A batch with a column for each of some paths."""
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = {
        ".".join(path): pc.struct_field(batch.column(path[0]), list(path[1:])) if path[1:] else batch.column(path[0])
        for path in paths
    }
    return pa.RecordBatch.from_arrays(list(columns.values()), list(columns)) if columns else batch.select([])


def way_to_rows(value: Any, deepest: int = _DEEPEST_ROWS) -> tuple[str, ...] | None:
    """The names that lead to an array of objects within a value, which may be it; None where it has no such array."""
    if isinstance(value, list):
        return () if value and isinstance(value[0], dict) else None
    if isinstance(value, dict) and deepest > 0:
        for name, one in value.items():
            way = way_to_rows(one, deepest - 1)
            if way is not None:
                return (name, *way)
    return None


def is_without_rows(value: Any, deepest: int = _DEEPEST_ROWS) -> bool:
    """Whether a value is an object around an empty array of rows: of arrays and objects alone, on the way to that.

    A number or a text there may be a row's own, beside an empty list such as ``tags``.
    """
    if not isinstance(value, dict) or deepest == 0 or not all(isinstance(one, dict | list) for one in value.values()):
        return False
    return any(one == [] or is_without_rows(one, deepest - 1) for one in value.values())
