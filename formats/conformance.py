"""The promises that every format keeps.

A format's test class inherits :class:`FormatConformance`, names the format, and gives three small files of it, with the
rows expected of each. It needs the extra ``conformance``.
"""

import bz2
import gzip
import io
import lzma
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from string import ascii_letters
from typing import BinaryIO, ClassVar

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from formats import Format, MalformedFile, Registry
from formats.encoding import decoded
from formats.limits import LIMITS
from formats.packing import Archive, unpacked
from formats.reading import blocks, head_of, read, read_through, rows_of, text, values_of

SALES: list[Mapping[str, str]] = [
    {"sku": f"00{number:04}", "title": title, "price": f"{number}.50"}
    for number, title in enumerate(
        ["Salt, and Cinnamon", 'The "Quiet" Street', "Über den Flüssen 📚", "[x]; {y} | z"] * 10
    )
]
"""Rows with delimiters, quotes, brackets, leading zeros and characters of 2 to 4 bytes."""

TYPES: Mapping[str, pa.DataType] = {"sku": pa.int64(), "title": pa.string(), "price": pa.decimal128(8, 2)}

_LOOK_WITHOUT_PYARROW = """
import sys
sys.modules["pyarrow"] = None  # importing it raises ImportError
import importlib
from formats import Head
module, _, name = sys.argv[1].rpartition(".")
data = sys.stdin.buffer.read()
head = Head("upload", len(data), data, data)
format_ = getattr(importlib.import_module(module), name)()
print(format_.likelihood(head) > 0, *(format_.inspect(head).columns or ()), sep=chr(10))
"""


def _zipped(data: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("upload", data)
    return packed.getvalue()


def _first_member(stream: BinaryIO) -> BinaryIO:
    archive = Archive(stream, LIMITS)
    return archive.open(archive.members[0])


_PACKED: Mapping[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zip": _zipped,
}
_UNPACKED: Mapping[str, Callable[[BinaryIO], BinaryIO]] = {
    "gzip": lambda stream: unpacked(stream, "gzip", LIMITS),
    "bzip2": lambda stream: unpacked(stream, "bzip2", LIMITS),
    "xz": lambda stream: unpacked(stream, "xz", LIMITS),
    "zip": _first_member,
}

_any_bytes = st.binary(max_size=200) | st.text('",;|\n\r\t[]{}:\\ab01.eé\ufeff ', max_size=80).map(str.encode)
# Every format inherits the same tests, which Hypothesis would take for an accident.
_property = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.differing_executors, HealthCheck.too_slow]
)


@dataclass(frozen=True)
class Sample:
    """A small file, and what is to come of each of its rows: its values, or None where it can't be taken."""

    data: bytes
    rows: Sequence[Mapping[str, str | None] | None]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns, in the order of the first row that has them."""
        return tuple(dict.fromkeys(name for row in self.rows for name in row or ()))


class FormatConformance:
    """What a format promises to the pipeline, held against three small files of it.

    A class that can also write the format, by :meth:`encode`, has it held to files of any length; then the clean file
    may be left out. A format whose rows can't be faulty one by one leaves out ``faulty``.
    """

    format: ClassVar[Format]
    clean: ClassVar[Sample | None] = None
    """A file of some rows that are all right, each value a text."""
    faulty: ClassVar[Sample | None] = None
    """A file with rows that can't be taken between others that can."""
    refused: ClassVar[bytes]
    """A file that looks like one of the format, but can't be read."""
    raw_is_in_the_file: ClassVar[bool] = True
    """Whether a row's raw text stands in the file as it is; of a packed file it is made up, as JSON."""
    shows_columns_without_pyarrow: ClassVar[bool] = True
    """Whether the head shows the columns where pyarrow is missing."""
    shows_columns_beyond_the_head: ClassVar[bool] = True
    """Whether the head shows the columns of a file that is longer."""

    def encode(self, rows: Sequence[Mapping[str, str]]) -> bytes:
        """A file of this format that holds the rows, every value as a text."""
        pytest.skip("the class has no encode")

    def registry(self) -> Registry:
        """The formats among which this one is recognised."""
        return Registry()

    def test_its_name_is_one_word_in_lower_case_and_its_suffixes_have_their_dot(self) -> None:
        assert re.fullmatch("[a-z][a-z0-9_]*", self.format.name)
        assert self.format.title.strip()
        assert self.format.suffixes
        assert all(re.fullmatch(r"\.[a-z0-9.]+", suffix) for suffix in self.format.suffixes)

    @property
    def _clean(self) -> Sample:
        return self.clean or Sample(self.encode(SALES), SALES)

    @property
    def _samples(self) -> Sequence[Sample]:
        return [sample for sample in (self._clean, self.faulty) if sample]

    def test_every_row_of_a_clean_file_comes_with_its_values_in_the_files_order(self) -> None:
        assert values_of(read(self.format, self._clean.data)) == list(self._clean.rows)

    def test_a_row_that_cannot_be_taken_is_told_with_its_reason_and_the_others_come(self) -> None:
        if self.faulty is None:
            pytest.skip("rows of the format can't be faulty one by one")
        assert None in self.faulty.rows, "a row has to be faulty"
        assert any(self.faulty.rows), "a row has to be right"
        for wanted in (text, lambda _: pa.int64(), lambda _: None):
            found = read(self.format, self.faulty.data, wanted)
            assert [row.values is None for row in found] == [row is None for row in self.faulty.rows]
            assert all(row.reason and row.raw for row in found if row.values is None)
        assert values_of(read(self.format, self.faulty.data)) == list(self.faulty.rows)

    def test_a_file_that_cannot_be_read_is_refused_in_words(self) -> None:
        with pytest.raises(MalformedFile, match=r"\w+ \w+"):
            read(self.format, self.refused)

    def test_the_raw_text_of_a_row_is_that_row_as_it_stands_in_the_file(self) -> None:
        seen = 0
        for row in read(self.format, self._clean.data):
            if self.raw_is_in_the_file:
                found = self._clean.data.find(row.raw.encode(), seen)
                assert found >= seen, f"the file's rest has no {row.raw!r}"
                seen = found + len(row.raw.encode())
            assert row.raw.strip()

    def test_the_raw_text_of_a_row_holds_no_other(self) -> None:
        for row, sale in zip(read(self.format, self.encode(SALES)), SALES, strict=True):
            assert [other["sku"] for other in SALES if other["sku"] in row.raw] == [sale["sku"]]

    def test_the_columns_show_in_the_head(self) -> None:
        assert self.format.inspect(head_of(self._clean.data)).columns == self._clean.columns

    def test_the_columns_show_in_the_head_of_a_file_of_long_rows(self) -> None:
        letters = Random(7)  # noqa: S311 - not to be kept secret, but not to be packed small either
        long_rows = [{**sale, "title": "".join(letters.choices(ascii_letters, k=4000))} for sale in SALES]
        data = self.encode(long_rows)
        assert len(data) > 64 * 1024, "the head has to end amid the rows"
        columns = self.format.inspect(head_of(data)).columns
        assert columns == (tuple(SALES[0]) if self.shows_columns_beyond_the_head else None)

    @pytest.mark.parametrize("name", ["upload", "SALES.JSON", "sales.csv", "sales.ndjson", "photo.png"])
    def test_it_is_recognised_by_its_content_whatever_its_name(self, name: str) -> None:
        assert self.registry().detect(head_of(self._clean.data, name)).name == self.format.name

    @pytest.mark.parametrize("data", [b"", b" \n\r\n\n"], ids=["no byte", "only space"])
    def test_a_file_without_content_is_refused(self, data: bytes) -> None:
        assert self.format.likelihood(head_of(data)) == 0
        with pytest.raises(MalformedFile, match="upload"):
            self.registry().detect(head_of(data))

    def test_the_head_is_looked_at_without_pyarrow(self) -> None:
        class_name = f"{type(self.format).__module__}.{type(self.format).__name__}"
        look = subprocess.run(
            [sys.executable, "-c", _LOOK_WITHOUT_PYARROW, class_name],
            input=self._clean.data,
            capture_output=True,
            check=False,
        )
        columns = self._clean.columns if self.shows_columns_without_pyarrow else ()
        assert look.stdout.decode().splitlines() == ["True", *columns], look.stderr.decode()

    @pytest.mark.parametrize("most", [1, 2, 3, 5, 64, 1000])
    def test_rows_are_the_same_however_few_bytes_the_stream_gives_at_a_time(self, most: int) -> None:
        for sample in self._samples:
            assert read(self.format, sample.data, most=most) == read(self.format, sample.data)

    @pytest.mark.parametrize("packing", ["gzip", "bzip2", "xz", "zip"])
    def test_a_packed_file_has_the_same_rows_in_the_same_places(self, packing: str) -> None:
        for sample in self._samples:
            packed, unpack = _PACKED[packing](sample.data), _UNPACKED[packing]
            assert read_through(self.format, packed, unpack) == read(self.format, sample.data)

    @pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16-le", "utf-16-be", "windows-1252"])
    def test_text_has_the_same_rows_in_the_same_places_whatever_its_encoding(self, encoding: str) -> None:
        if not self.format.is_text:
            pytest.skip("the format sees to encodings itself, or has none")
        for sample in self._samples:
            data = sample.data.decode(errors="replace").encode(
                encoding, errors="ignore"
            )  # Windows-1252 has no pictures of books
            plain = data.decode(encoding).encode()
            assert read_through(self.format, data, lambda stream: decoded(stream, encoding)) == read(self.format, plain)

    def test_blocks_can_be_parsed_on_any_thread_and_in_any_order(self) -> None:
        data = self._clean.data if type(self).encode is FormatConformance.encode else self.encode(SALES * 50)
        found = list(blocks(self.format, data))
        with ThreadPoolExecutor(4) as threads:
            late_first = [*threads.map(lambda block: rows_of([block]), reversed(found))]
        assert [row.raw for rows in reversed(late_first) for row in rows] == [row.raw for row in rows_of(found)]

    def test_a_column_that_nobody_wants_is_not_delivered(self) -> None:
        first = self._clean.columns[0]
        rows = read(self.format, self._clean.data, lambda name: pa.string() if name == first else None)
        assert values_of(rows) == [{first: (row or {}).get(first)} for row in self._clean.rows]

    def test_rows_are_counted_even_if_no_column_is_wanted(self) -> None:
        assert values_of(read(self.format, self._clean.data, lambda _: None)) == [{}] * len(self._clean.rows)

    @pytest.mark.parametrize("wanted", [pa.int64(), pa.decimal128(8, 2), pa.date32(), pa.bool_()], ids=str)
    def test_a_column_comes_in_the_wanted_type_with_its_values_or_as_text(self, wanted: pa.DataType) -> None:
        for block in blocks(self.format, self._clean.data, lambda _: wanted):
            batch = block.parse().batch
            for name, column in zip(batch.schema.names, batch.columns, strict=True):
                assert column.type in (wanted, pa.string()), name
        texts = values_of(read(self.format, self._clean.data))
        typed = values_of(read(self.format, self._clean.data, lambda _: wanted))
        for row, expected in zip(typed, texts, strict=True):
            for name, value in (row or {}).items():
                same = value if isinstance(value, str | None) else pa.scalar(value, wanted)
                as_text = (expected or {})[name]
                assert same == (as_text if isinstance(value, str | None) else pa.scalar(as_text).cast(wanted))

    def test_a_column_comes_in_the_type_of_a_contract_or_as_text(self) -> None:
        prices: list[Decimal] = []
        for block in blocks(self.format, self.encode(SALES), TYPES.__getitem__):
            batch = block.parse().batch
            assert all(column.type in (pa.string(), TYPES[name]) for name, column in zip(TYPES, batch, strict=True))
            prices += batch.column("price").cast(TYPES["price"]).to_pylist()
        assert prices == [Decimal(sale["price"]) for sale in SALES]

    @_property
    @given(_any_bytes)
    def test_its_likelihood_is_between_no_and_certain_for_any_bytes(self, data: bytes) -> None:
        assert 0 <= self.format.likelihood(head_of(data)) <= 1

    @_property
    @given(_any_bytes)
    def test_any_bytes_are_rows_or_a_malformed_file_and_nothing_worse(self, data: bytes) -> None:
        self._read_or_refuse(data)

    @_property
    @given(st.integers(0, 10**6), st.integers(0, 40), _any_bytes)
    def test_a_damaged_file_is_rows_or_a_malformed_file_and_nothing_worse(
        self, place: int, removed: int, added: bytes
    ) -> None:
        data = (self.clean or Sample(self.encode(SALES[:8]), ())).data
        place %= len(data)
        self._read_or_refuse(data[:place] + added[:20] + data[place + removed :])

    def _read_or_refuse(self, data: bytes) -> None:
        try:
            read(self.format, data)
        except MalformedFile as error:
            assert str(error)  # noqa: PT017 - not raising it is as right
