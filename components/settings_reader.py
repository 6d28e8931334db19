"""Reads settings by key, and collects what is wrong with them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from components.arguments import repeated
from components.packages import ArtefactError
from components.plugins import folder_modules
from runtime.contract_file import load_contracts
from runtime.descriptor import ContractError

SETTINGS_KEY = "settings"
LONGEST_NAME = 23
"""Letters of a name, so that `<name>-access-logs-<account>-<region>` is a bucket's name of 63 at most."""

_T = TypeVar("_T", str, int)
_NAME = re.compile(rf"[a-z]([a-z0-9-]{{0,{LONGEST_NAME - 2}}}[a-z0-9])?")
_REGION = re.compile(r"(?!cn-|us-gov-|us-iso|eu-isoe-|eusc-)[a-z]{2}-[a-z]+-[0-9]{1,2}")
"""A region of the partition `aws`, which all ARNs here are of: not of China, of governments, or the sovereign cloud."""
_REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(\[[A-Za-z0-9._,-]+\])?\s*([=<>!~]=?[^/]+)?")
"""A name, extras, versions: https://packaging.python.org/en/latest/specifications/dependency-specifiers/."""


class SettingsError(Exception):
    """The settings are wrong; names every wrong key, its value and what is allowed."""


@dataclass
class SettingsReader:
    """Reads values by key, and collects what is wrong instead of stopping at the first fault."""

    values: Any
    problems: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)

    def refuse(self, key: str, value: object, allowed: str) -> None:
        self.problems.append(f"{key} is {value!r}; allowed is {allowed}")

    def finish(self) -> None:
        if not isinstance(self.values, Mapping):
            self.problems = [f"it is {self.values!r}; allowed is a mapping with the keys {', '.join(self.known)}"]
        else:
            for key in self.values:
                if key not in self.known:
                    self.problems.append(f"{key} is no setting; the settings are {', '.join(self.known)}")
        if self.problems:
            lines = "".join(f"\n  {problem}" for problem in self.problems)
            raise SettingsError(f"wrong settings under retail-pipeline:{SETTINGS_KEY}:{lines}")

    def name(self, key: str, default: str) -> str:
        value = self._value(key, default)
        if isinstance(value, str) and _NAME.fullmatch(value):
            return value
        allowed = f"a letter, then letters, digits and hyphens, {LONGEST_NAME} at most, in lower case"
        reason = "it is a part of the buckets' names" + (", so set a shorter one" if value == default else "")
        self.refuse(key, value, f"{allowed}: {reason}")
        return default

    def region(self, value: str | None) -> str:
        if value and _REGION.fullmatch(value):
            return value
        self.problems.append(f"aws:region is {value!r}; allowed is a region, such as eu-west-1, of the partition aws")
        return ""

    def tags(self, default_tags: Any) -> Mapping[str, str]:
        """The tags of `aws:defaultTags` (https://docs.aws.amazon.com/tag-editor/latest/userguide/tagging.html)."""
        tags = default_tags.get("tags", {}) if isinstance(default_tags, Mapping) else default_tags
        known = not isinstance(default_tags, Mapping) or default_tags.keys() <= {"tags"}
        if known and isinstance(tags, Mapping) and len(tags) <= 50 and all(map(_is_tag, tags.items())):
            return tags
        self.problems.append(
            f"aws:defaultTags is {default_tags!r}; allowed is only tags: with at most 50 keys of up to 128 letters"
            " that don't begin with aws:, each with a text of up to 256"
        )
        return {}

    def choice(self, key: str, allowed: Sequence[_T], default: _T) -> _T:
        value = self._value(key, default)
        if value in allowed and not isinstance(value, bool):
            return allowed[allowed.index(value)]
        self.refuse(key, value, ", ".join(map(str, allowed)))
        return default

    def integer(self, key: str, minimum: int, maximum: int, default: int) -> int:
        value = self._value(key, default)
        if isinstance(value, int) and not isinstance(value, bool) and minimum <= value <= maximum:
            return value
        self.refuse(key, value, f"a whole number from {minimum} to {maximum}")
        return default

    def boolean(self, key: str, *, default: bool) -> bool:
        value = self._value(key, default)
        if isinstance(value, bool):
            return value
        self.refuse(key, value, "true or false")
        return default

    def text(self, key: str, pattern: re.Pattern[str], allowed: str) -> str | None:
        value = self._value(key, None)
        if value is None or (isinstance(value, str) and pattern.fullmatch(value)):
            return value
        self.refuse(key, value, allowed)
        return None

    def texts(self, key: str, pattern: re.Pattern[str], allowed: str) -> Sequence[str]:
        value = self._value(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) and pattern.fullmatch(item) for item in value):
            self.refuse(key, value, allowed)
            return []
        twice = repeated(value)
        if twice:
            self.refuse(key, value, f"each one once: {', '.join(twice)} is there more than once")
        return value

    def plugins(self, key: str) -> Sequence[str]:
        value = self._value(key, [])
        if isinstance(value, list) and all(isinstance(item, str) and _is_package(item) for item in value):
            return value
        allowed = "a list of requirements such as till-journal==1.0, or of paths of wheels or of folders with a"
        self.refuse(key, value, f"{allowed} pyproject.toml that are there")
        return []

    def plugin_folder(self, key: str) -> str | None:
        value = self._value(key, None)
        if value is None:
            return None
        if not isinstance(value, str) or not Path(value).is_dir():
            self.refuse(key, value, "a folder that is there, from the project's folder")
            return None
        try:
            folder_modules(Path(value))
        except ArtefactError as error:
            self.problems.append(f"{key} is {value!r}: {error}")
        return value

    def contracts(self, key: str, default: str) -> str:
        value = self._value(key, default)
        if not isinstance(value, str) or not Path(value).is_dir():
            self.refuse(key, value, "a folder that is there, from the project's folder")
            return default
        try:
            load_contracts(Path(value))
        except ContractError as error:
            self.problems.append(f"{key} is {value!r}, whose contracts have mistakes:\n{error}")
        return value

    def _value(self, key: str, default: Any) -> Any:
        self.known.append(key)
        return self.values.get(key, default) if isinstance(self.values, Mapping) else default


def _is_package(item: str) -> bool:
    path = Path(item)
    if item.endswith(".whl"):
        return path.is_file()
    if path.is_dir():
        return (path / "pyproject.toml").is_file()
    return _REQUIREMENT.fullmatch(item) is not None


def _is_tag(tag: tuple[object, object]) -> bool:
    return all(
        isinstance(part, str) and len(part) <= longest for part, longest in zip(tag, (128, 256), strict=True)
    ) and (not str(tag[0]).lower().startswith("aws:"))
