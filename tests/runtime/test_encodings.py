"""How text is encoded: decided by the whole of a file, never by a sample of it, and on record."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runtime.contract import Contract, parse_contract
from runtime.descriptor import ContractError
from tests.runtime.lakes import OpenLake, folder_lake
from tests.runtime.sales import DESCRIPTOR, SALES, Upload, as_csv, as_json, as_ndjson

TEXT = as_csv(SALES).decode()
TITLES = [sale["title"] for sale in SALES]


def contract(encoding: Any) -> Contract:
    return parse_contract({**DESCRIPTOR, "encoding": encoding})


@pytest.fixture
def lake(tmp_path: Path) -> OpenLake:
    return folder_lake(tmp_path)


def titles(lake: OpenLake) -> list[str]:
    return [row["title"] for row in lake.rows()]


@pytest.mark.parametrize(
    ("codec", "mark", "found"),
    [
        ("utf-8", "", "utf-8"),
        ("utf-8", "\ufeff", "utf-8"),
        ("utf-16-le", "\ufeff", "utf-16-le"),
        ("utf-16-be", "\ufeff", "utf-16-be"),
        ("utf-16-le", "", "utf-16-le"),
        ("utf-16-be", "", "utf-16-be"),
        ("utf-32-le", "\ufeff", "utf-32-le"),
    ],
)
@pytest.mark.parametrize("encode", [as_csv, as_json, as_ndjson])
def test_unicode_is_read_in_any_of_its_forms(
    codec: str, mark: str, found: str, encode: Callable[..., bytes], lake: OpenLake
) -> None:
    record = lake.take(Upload((mark + encode(SALES).decode()).encode(codec)))
    assert (record.status, record.encoding) == ("processed", found)
    assert titles(lake) == TITLES


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("title", ["Хлеб с маслом и солью", "パンと牛乳、五個入り", "خبز", "𝔉ünf"])
def test_utf_16_without_a_mark_is_known_in_any_script(codec: str, title: str, lake: OpenLake) -> None:
    text = "sku,title,price,genre\r\n" + f"0001,{title},1.00,{title}\r\n" * 300
    record = lake.take(Upload(text.encode(codec)))
    assert (record.status, record.encoding) == ("processed", codec)
    assert titles(lake) == [title] * 300


@pytest.mark.parametrize("rows_before", [0, 50_000], ids=["in the head", "beyond the head"])
def test_text_that_nothing_shows_to_be_utf8_is_windows_1252(rows_before: int, lake: OpenLake) -> None:
    text = "sku,title,price,genre\n" + "9999,x,1.00,g\n" * rows_before + "0001,Café – 5 €,1.00,g\n"
    record = lake.take(Upload(text.encode("windows-1252")))
    assert (record.status, record.encoding) == ("processed", "windows-1252")
    assert titles(lake)[-1] == "Café – 5 €"
    assert record.rows_out == rows_before + 1


def test_one_character_in_utf8_anywhere_makes_the_file_utf8_and_the_others_faults(lake: OpenLake) -> None:
    text = b"sku,title,price,genre\n0001,Caf\xe9,1.00,g\n" + b"9999,x,1.00,g\n" * 50_000 + "0002,Café,1.00,g\n".encode()
    record = lake.take(Upload(text))
    assert (record.encoding, record.rows_in, record.rows_quarantined) == ("utf-8", 50_002, 1)
    [row] = lake.quarantined()
    assert (row["_source_row"], row["raw_text"]) == (1, "0001,Caf\\xe9,1.00,g")
    assert "not UTF-8" in row["reason"]


def test_a_byte_that_windows_1252_does_not_have_speaks_against_it(lake: OpenLake) -> None:
    record = lake.take(Upload(b"sku,title,price,genre\n0001,Caf\xe9,1.00,g\n0002,\x81,1.00,g\n0003,x,1.00,g\n"))
    assert (record.encoding, record.rows_out, record.rows_quarantined) == ("utf-8", 1, 2)


def test_a_header_in_windows_1252_names_its_columns(lake: OpenLake) -> None:
    aliased = parse_contract({**DESCRIPTOR, "pipeline": {"aliases": {"sku": ["Prüfnummer"]}}})
    text = "Prüfnummer;title;price;genre\n1;Äpfel;2;g\n"
    assert lake.take(Upload(text.encode("windows-1252")), aliased).rows_out == 1


def test_json_is_utf8_by_its_standard(lake: OpenLake) -> None:
    data = as_ndjson(SALES).decode().encode("windows-1252")
    record = lake.take(Upload(data))
    assert (record.encoding, record.rows_out, record.rows_quarantined) == ("utf-8", 2, 1)


def as_xml(text: str, declared: str = "", mark: str = "", rows_before: int = 0) -> str:
    """Two sales, one of which has a title."""
    declaration = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    sale = "<sale><sku>0001</sku><title>{}</title><price>1.00</price><genre>g</genre></sale>"
    return f"{mark}{declaration}<sales>{sale.format('x') * rows_before}{sale.format(text) * 2}</sales>"


@pytest.mark.parametrize("rows_before", [0, 5_000], ids=["in the head", "beyond the head"])
@pytest.mark.parametrize(
    ("declared", "text"),
    [
        ("utf-8", "Café 📚"),
        ("windows-1252", "Café – 5 €"),
        ("windows-1251", "Мастер и Маргарита"),
        ("iso-8859-15", "Œuvres à 5 €"),
        ("shift_jis", "吾輩は猫である"),
        ("euc-jp", "吾輩は猫である"),
        ("iso-2022-jp", "吾輩は猫である"),
        ("gbk", "红楼梦"),
        ("gb18030", "红楼梦 📚"),
        ("big5", "紅樓夢"),
        ("euc-kr", "홍길동전"),
    ],
)
def test_xml_is_read_in_the_encoding_that_it_declares(
    declared: str, text: str, rows_before: int, lake: OpenLake
) -> None:
    record = lake.take(Upload(as_xml(text, declared.upper(), rows_before=rows_before).encode(declared)))
    assert (record.status, record.encoding) == ("processed", declared)
    assert titles(lake)[-2:] == [text, text]


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("mark", ["\ufeff", ""], ids=["marked", "unmarked"])
@pytest.mark.parametrize("declared", ["", "utf-16", "utf-32", "utf-8"])
def test_wide_xml_shows_its_encoding_whatever_it_declares(codec: str, mark: str, declared: str, lake: OpenLake) -> None:
    record = lake.take(Upload(as_xml("Café", declared, mark).encode(codec)))
    assert (record.status, record.encoding) == ("processed", codec)
    assert titles(lake) == ["Café", "Café"]


def test_what_the_contract_says_counts_for_more_than_what_xml_declares(lake: OpenLake) -> None:
    record = lake.take(Upload(as_xml("Ґанок", "utf-16").encode("windows-1251")), contract("windows-1251"))
    assert (record.status, record.encoding, titles(lake)) == ("processed", "windows-1251", ["Ґанок"] * 2)


def test_a_mark_counts_for_more_than_the_contract_and_what_xml_declares(lake: OpenLake) -> None:
    record = lake.take(Upload(as_xml("Café", "iso-8859-1", "\ufeff").encode()), contract("windows-1251"))
    assert (record.status, record.encoding, titles(lake)) == ("processed", "utf-8", ["Café"] * 2)


def test_xml_that_declares_nothing_is_utf8_by_its_standard(lake: OpenLake) -> None:
    data = as_xml("Café").encode().replace("é".encode(), b"\xe9", 1)
    record = lake.take(Upload(data))
    assert (record.encoding, record.rows_out, record.rows_quarantined) == ("utf-8", 1, 1)
    [row] = lake.quarantined()
    assert "Caf\\xe9</title>" in row["raw_text"]
    assert "not UTF-8" in row["reason"]


def test_what_is_no_text_in_the_encoding_that_xml_declares_costs_its_row(lake: OpenLake) -> None:
    data = as_xml("猫", "shift_jis").encode("shift_jis").replace("猫".encode("shift_jis"), b"\xfd", 1)
    record = lake.take(Upload(data))
    assert (record.encoding, record.rows_out, record.rows_quarantined) == ("shift_jis", 1, 1)


def test_an_encoding_that_xml_declares_and_nobody_knows_is_refused_with_the_remedy(lake: OpenLake) -> None:
    record = lake.take(Upload(as_xml("x", "klingon-8").encode()))
    assert record.status == "refused"
    assert "can't be read in the encoding that it declares" in (record.reason or "")
    assert "name its encoding in the contract" in (record.reason or "")


@pytest.mark.parametrize("codec", ["iso-8859-1", "cp437", "iso-8859-15", "mac-roman", "utf-16-le", "cp500"])
def test_the_contract_may_name_any_encoding(codec: str, lake: OpenLake) -> None:
    record = lake.take(Upload(TEXT.encode(codec)), contract(codec))
    assert record.status == "processed"
    assert titles(lake) == TITLES


def test_of_several_encodings_the_first_counts_that_the_whole_file_is_in(lake: OpenLake) -> None:
    both = contract(["utf-8", "windows-1252"])
    text = "sku,title,price,genre\n" + "9999,x,1.00,g\n" * 50_000 + "0001,Café,1.00,g\n"
    assert lake.take(Upload(text.encode("windows-1252")), both).encoding == "windows-1252"
    assert lake.take(Upload(text.encode(), version="v2", sequencer="02"), both).encoding == "utf-8"


def test_a_file_in_none_of_the_contracts_encodings_is_refused(lake: OpenLake) -> None:
    record = lake.take(Upload(TEXT.encode("windows-1252")), contract(["utf-8", "ascii"]))
    assert record.status == "refused"
    assert "in none of the contract's encodings (utf-8, ascii)" in (record.reason or "")


def test_what_is_no_text_in_the_one_encoding_named_costs_its_row(lake: OpenLake) -> None:
    record = lake.take(Upload(b"sku,title,price,genre\n1,\x81,1,g\n2,y,1,g\n"), contract("windows-1252"))
    assert (record.rows_in, record.rows_out, record.rows_quarantined) == (2, 1, 1)
    assert "not text in windows-1252, in which the file is read" in lake.quarantined()[0]["reason"]


@pytest.mark.parametrize("name", ["klingon-8", "base64", "rot13", "idna", "unicode_escape"])
def test_a_name_that_is_no_encoding_of_text_is_refused_in_the_contract(name: str) -> None:
    with pytest.raises(ContractError, match="encoding: expected encodings such as"):
        contract(name)
