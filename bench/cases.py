"""The files that are taken into the lake, each a case with a name to ask for it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bench.recipe import Recipe, parse_size


@dataclass(frozen=True)
class Case:
    """A file to time, and its smaller brother for a short run; a ``huge`` one is timed only when asked for."""

    name: str
    title: str
    recipe: Recipe
    short_size: str = ""
    """Size in a short run; empty for a case that a short run leaves out."""
    huge: bool = False

    def shortened(self) -> Case:
        """The case for a short run."""
        return replace(self, recipe=replace(self.recipe, size=parse_size(self.short_size)))

    def seeded(self, seed: int) -> Case:
        """The case with other rows."""
        return replace(self, recipe=replace(self.recipe, seed=seed))


_GIGABYTE = parse_size("1GB")
_DAILY = Recipe(size=parse_size("5MB"), days=1)
_PRETTY = Recipe("json", parse_size("300MB"), whitespace="pretty", nested=0.2)
_OTHER = Recipe(size=_GIGABYTE, seed=11, days=100, title_length=60, quoted=0.6)

CASES = (
    Case("csv-clean", "CSV", Recipe(size=_GIGABYTE), "50MB"),
    Case("csv-dirty", "CSV, 1 % faulty rows", Recipe(size=_GIGABYTE, dirt=0.01), "50MB"),
    Case("ndjson", "JSON lines", Recipe("ndjson", 2 * _GIGABYTE), "50MB"),
    Case("json-array", "JSON array, an object a line", Recipe("json", parse_size("300MB")), "50MB"),
    Case("json-pretty", "JSON array, a value a line, objects nested in it", _PRETTY),
    Case("daily-csv", "A day's CSV", _DAILY, "5MB"),
    Case("daily-dirty", "A day's CSV, 1 % faulty rows", replace(_DAILY, dirt=0.01), "5MB"),
    Case("daily-ndjson", "A day's JSON lines", replace(_DAILY, format="ndjson")),
    Case("daily-json", "A day's JSON array", replace(_DAILY, format="json")),
    Case("csv-other", "CSV of other rows: wider, more quotes, 100 partitions", _OTHER, "50MB"),
    Case("partitions", "CSV into 1000 partitions", Recipe(size=_GIGABYTE, days=1000)),
    Case("csv-10gb", "CSV of 10 GB", Recipe(size=10 * _GIGABYTE), huge=True),
)
