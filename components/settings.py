"""The settings of a stack, checked before its first resource."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pulumi

from components.artefacts import PLATFORMS
from runtime.contract_file import load_contracts
from runtime.descriptor import ContractError

SETTINGS_KEY = "settings"
WORKER_TYPES = ("G.1X", "G.2X", "G.4X", "G.8X", "G.12X", "G.16X", "R.1X", "R.2X", "R.4X", "R.8X")
RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545),
    *(731, 1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
"""What CloudWatch Logs allows (https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html)."""

_T = TypeVar("_T", str, int)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_STACK = re.compile(r"[a-z][a-z0-9-]{0,15}")
_SCHEDULE = re.compile(r"cron\([^()]+\)")


class SettingsError(Exception):
    """The settings are wrong; names every wrong key, its value and what is allowed."""


@dataclass(frozen=True)
class Settings:
    """What a stack may choose, under `retail-pipeline:settings` in `Pulumi.<stack>.yaml`."""

    name: str
    """Beginning of all names: `retail-<stack>`."""

    contracts: str
    """Folder of the contracts, from the project's folder."""

    alert_emails: Sequence[str]
    """Addresses that get the failure notices."""

    lambda_platform: str
    """What the validator is built for: `arm64`, or `host` for an emulator on this machine."""

    batch_size: int
    """Most uploads that the validator gets at once."""

    batch_window_seconds: int
    """How long uploads may wait for others to share a batch with."""

    validator_concurrency: int
    """Most validators at work at once."""

    glue_worker_type: str
    """Size of the job's workers."""

    glue_workers: int
    """Workers of one run of the job."""

    glue_concurrent_runs: int
    """Most runs of the job at once; more are queued."""

    crawler_schedule: str | None
    """When the drift check runs, in UTC; without a schedule, when somebody starts it."""

    query_scan_limit_gigabytes: int
    """Gigabytes that one query may scan."""

    log_retention_days: int
    """Days that logs are kept."""

    noncurrent_days: int
    """Days that overwritten and deleted objects can be brought back."""

    protect_data: bool
    """Keep the buckets when the stack is destroyed."""

    redshift: bool
    """Have Redshift Serverless query the lake too."""


def load_settings(config: pulumi.Config, stack: str) -> Settings:
    """The stack's settings. Raises SettingsError with every problem there is, the contracts' included."""
    return parse_settings(config.get_object(SETTINGS_KEY) or {}, stack)


def parse_settings(values: Any, stack: str) -> Settings:
    """The settings in a decoded document. Raises SettingsError with every problem there is."""
    reader = _Reader(values)
    if not _STACK.fullmatch(stack):
        reader.problems.append(
            f"the stack's name is {stack!r}; allowed is a letter, then up to 15 letters, digits and hyphens,"
            " all in lower case: it is a part of the buckets' names"
        )
    settings = Settings(
        name=f"retail-{stack}",
        contracts=reader.contracts("contracts", "contracts"),
        alert_emails=reader.texts("alertEmails", _EMAIL, "a list of e-mail addresses"),
        lambda_platform=reader.choice("lambdaPlatform", PLATFORMS, "arm64"),
        batch_size=reader.integer("batchSize", 1, 10_000, 10),
        batch_window_seconds=reader.integer("batchWindowSeconds", 0, 300, 0),
        validator_concurrency=reader.integer("validatorConcurrency", 2, 1000, 10),
        glue_worker_type=reader.choice("glueWorkerType", WORKER_TYPES, "G.1X"),
        glue_workers=reader.integer("glueWorkers", 2, 299, 2),
        glue_concurrent_runs=reader.integer("glueConcurrentRuns", 1, 1000, 10),
        crawler_schedule=reader.text("crawlerSchedule", _SCHEDULE, "a schedule such as cron(0 3 * * ? *)"),
        query_scan_limit_gigabytes=reader.integer("queryScanLimitGigabytes", 1, 100_000, 100),
        log_retention_days=reader.choice("logRetentionDays", RETENTION_DAYS, 90),
        noncurrent_days=reader.integer("noncurrentDays", 1, 36_500, 90),
        protect_data=reader.boolean("protectData", default=True),
        redshift=reader.boolean("redshift", default=False),
    )
    # https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
    if settings.batch_size > 10 and settings.batch_window_seconds == 0:
        reader.refuse("batchWindowSeconds", 0, f"at least 1, as batchSize is {settings.batch_size}, above 10")
    reader.finish()
    return settings


@dataclass
class _Reader:
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
        if isinstance(value, list) and all(isinstance(item, str) and pattern.fullmatch(item) for item in value):
            return value
        self.refuse(key, value, allowed)
        return []

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
