"""The arguments of components, where no type checker has looked at them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, get_args, is_typeddict


def refuse_unknown(place: str, value: object, type_: Any) -> None:
    """Finds keys that aren't in a TypedDict, nor in those within it: they would be passed over without a word.

    `place` is the component's name. Raises ValueError with where the key is, and which there are.
    """
    if not is_typeddict(type_):
        for each in value if isinstance(value, list | tuple) else [value]:
            for item in get_args(type_):
                refuse_unknown(place, each, item)
    elif isinstance(value, Mapping):
        known = type_.__annotations__
        for key, within in value.items():
            if key not in known:
                raise ValueError(f"{place}: {key} is no argument; the arguments are {', '.join(sorted(known))}")
            refuse_unknown(f"{place}: {key}", within, known[key])


def repeated(values: Iterable[str]) -> list[str]:
    """The values that are there more than once, in their order."""
    return [value for value, times in Counter(values).items() if times > 1]
