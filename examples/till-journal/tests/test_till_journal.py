"""The till journal keeps the promises of every format."""

from collections.abc import Mapping, Sequence

from till_journal import FixedWidth

from formats import Registry
from formats.conformance import FormatConformance


class TestTillJournal(FormatConformance):
    format = FixedWidth()

    def encode(self, rows: Sequence[Mapping[str, str]]) -> bytes:
        widths = {name: max(len(row[name]) for row in rows) for name in rows[0]}
        first = "#FIXED " + " ".join(f"{name}:{width}" for name, width in widths.items())
        lines = ["".join(row[name].ljust(width) for name, width in widths.items()) for row in rows]
        return "".join(f"{line}\n" for line in [first, *lines]).encode()


def test_it_is_found_once_it_is_installed() -> None:
    assert Registry()["fixed_width"].suffixes == (".fwf",)
