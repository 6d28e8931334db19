"""The till journal keeps the promises of every format."""

from till_journal import FixedWidth

from formats import Registry
from formats.conformance import FormatConformance, Sample


class TestTillJournal(FormatConformance):
    format = FixedWidth()

    clean = Sample(
        b"#FIXED sku:4 title:12\n0001Salt        \n0002\xc3\x9cber Fl\xc3\xbcsse \n",
        rows=[{"sku": "0001", "title": "Salt"}, {"sku": "0002", "title": "Über Flüsse"}],
    )
    faulty = Sample(
        b"#FIXED sku:4 count:3\n0001 12\n00\n0002  7\n",
        rows=[{"sku": "0001", "count": "12"}, None, {"sku": "0002", "count": "7"}],
    )
    refused = b"#FIXED\n0001 12\n"


def test_it_is_found_once_it_is_installed() -> None:
    assert Registry()["fixed_width"].suffixes == (".fwf",)
