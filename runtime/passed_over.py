"""What stood beside a file's rows and is none of them, such as a header: nothing is passed over without a word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from runtime.contract import Contract
from runtime.text import printable

_MOST_KINDS = 20
"""Kinds that are named. A file has one or two."""
_OTHERS = "others"


class PassedOver:
    """Counts by kind, block by block. Under a contract with personal fields no kind is named: it is the file's word."""

    def __init__(self, contract: Contract) -> None:
        self._may_name = not contract.has_personal_fields
        self._counts: Counter[str] = Counter()

    def add(self, counts: Mapping[str, int]) -> None:
        """Take the counts of a block."""
        for kind, count in counts.items():
            is_named = self._may_name and (kind in self._counts or len(self._counts) < _MOST_KINDS)
            self._counts[kind if is_named else _OTHERS] += count

    @property
    def details(self) -> Mapping[str, str]:
        """The counts as a detail of how the file was read, the most frequent first; none where there are none."""
        counts = (f"{count:,} {printable(kind)}" for kind, count in self._counts.most_common())
        return {"passed over": " and ".join(counts)} if self._counts else {}
