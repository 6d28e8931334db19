"""XML: an element for each row, and files that mean harm."""

import io
import tracemalloc
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO, cast
from xml.sax.saxutils import escape

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formats import Head, MalformedFile, Structure, TableDialect, xml_reader
from formats.conformance import FormatConformance
from formats.format import UNDECODABLE
from formats.limits import LIMITS
from formats.reading import Trickle, blocks, head_of, read, rows_of, text, values_of
from formats.xml import Xml

SIZES = [1, 7, 64 * 1024]
"""How many bytes the stream gives at a time."""


class TestXml(FormatConformance):
    format = Xml()
    refused = b"<sales><sale><sku>1</sku></sale><sale><sku>2</sale></sales>"

    def encode(self, rows: Sequence[Mapping[str, str]]) -> bytes:
        sales = ["".join(f"<{name}>{escape(value)}</{name}>" for name, value in row.items()) for row in rows]
        return "\n".join(["<sales>", *(f"  <sale>{sale}</sale>" for sale in sales), "</sales>"]).encode()


def values(document: str | bytes, dialect: TableDialect | None = None) -> list[Mapping[str, Any] | None]:
    data = document.encode() if isinstance(document, str) else document
    if dialect is None:
        return values_of(read(Xml(), data))
    structure = Xml().inspect(head_of(data), dialect)
    return [row for block in Xml().read(io.BytesIO(data), structure, text) for row in block.parse().batch.to_pylist()]


def test_attributes_and_child_elements_are_columns() -> None:
    assert values(
        '<sales><sale sku="001"><price>1.50</price></sale><sale sku="002"><price>2</price></sale></sales>'
    ) == [
        {"sku": "001", "price": "1.50"},
        {"sku": "002", "price": "2"},
    ]


def test_what_lies_further_in_is_named_by_its_way() -> None:
    sale = '<sale><item id="7"><price currency="EUR">1.50</price></item></sale>'
    assert (
        values(f"<sales>{sale}{sale}</sales>")
        == [{"item.id": "7", "item.price.currency": "EUR", "item.price": "1.50"}] * 2
    )


def test_a_rows_own_text_is_named_as_its_element() -> None:
    assert values('<days><day at="Monday">12</day><day at="Tuesday">13</day></days>') == [
        {"at": "Monday", "day": "12"},
        {"at": "Tuesday", "day": "13"},
    ]


def test_what_repeats_within_a_row_is_a_json_array() -> None:
    assert values("<s><r><a>1</a><a>é</a></r><r><a>2</a></r></s>") == [{"a": '["1", "é"]'}, {"a": "2"}]


def test_an_element_without_content_is_an_empty_text_and_a_nil_or_missing_one_null() -> None:
    document = '<s xmlns:i="http://www.w3.org/2001/XMLSchema-instance">'
    document += '<r><a/><b></b></r><r><a i:nil="true"/></r></s>'
    assert values(document) == [{"a": "", "b": ""}, {"a": None, "b": None}]


def test_prefixes_do_not_matter_nor_which_namespace_they_stand_for() -> None:
    prefixed = '<x:s xmlns:x="urn:till"><x:r x:sku="1"><x:a>2</x:a></x:r><x:r x:sku="3"><x:a>4</x:a></x:r></x:s>'
    default = '<s xmlns="urn:till"><r sku="1"><a>2</a></r><r sku="3"><a>4</a></r></s>'
    assert values(prefixed) == values(default) == [{"sku": "1", "a": "2"}, {"sku": "3", "a": "4"}]


def test_references_character_data_sections_and_comments_are_read_as_xml_means_them() -> None:
    sale = "<r><a>Salt &amp; &#x1F4DA; <!-- not this --><![CDATA[<Cinnamon>]]></a></r>"
    assert values(f"<s>{sale}{sale}</s>") == [{"a": "Salt & 📚 <Cinnamon>"}] * 2


@pytest.mark.parametrize("path", ["export.orders.order", "orders.order"])
def test_the_contract_may_name_the_rows_path_with_or_without_the_document_element(path: str) -> None:
    document = "<export><shop><a>1</a></shop><shop><a>2</a></shop><orders><order><n>7</n></order></orders></export>"
    assert values(document) == [{"a": "1"}, {"a": "2"}]
    assert values(document, TableDialect(property=path)) == [{"n": "7"}]


def test_a_file_with_one_row_has_one() -> None:
    assert values("<sales><sale><sku>1</sku><price>2</price></sale></sales>") == [{"sku": "1", "price": "2"}]


def test_lines_of_an_order_do_not_hide_the_orders() -> None:
    order = "<order><id>1</id><line><sku>a</sku></line><line><sku>b</sku></line></order>"
    assert values(f"<orders>{order}{order}</orders>") == [{"id": "1", "line.sku": '["a", "b"]'}] * 2


def test_the_way_to_the_rows_is_told() -> None:
    data = b"<s><day><r><a>1</a></r><r><a>2</a></r></day></s>"
    assert Xml().inspect(head_of(data)).details == {"rows under": "s.day.r"}


def test_a_row_is_kept_as_it_stands_in_the_file_with_its_white_space() -> None:
    rows = ['<r a="1">\n  <b>x</b >\n</r >', "<r a='2'/>", "<r a='>' />", "<r><b/></r>"]
    for most in SIZES:
        assert [row.raw for row in read(Xml(), f"<s>{'  '.join(rows)}</s>".encode(), most=most)] == rows


@pytest.mark.parametrize(
    ("declaration", "encoding"),
    [
        ("", None),
        ('<?xml version="1.0"?>', None),
        ('<?xml version="1.0" encoding="UTF-8"?>', "utf-8"),
        ("<?xml version='1.0' encoding='utf8' standalone='yes'?>", "utf-8"),
        ('\ufeff<?xml version="1.0" encoding = "Windows-1252"?>', "windows-1252"),
        ('<?xml version="1.0"\nencoding="Shift_JIS"?>', "shift_jis"),
        ('<s><?xml version="1.0" encoding="Shift_JIS"?></s>', None),
    ],
)
def test_a_document_declares_its_encoding(declaration: str, encoding: str | None) -> None:
    assert Xml().declared_encoding(head_of(declaration.encode())) == encoding


@pytest.mark.parametrize(
    ("name", "why"), [("klingon-8", "can't be read in"), ("idna", "can't be read in"), ("utf-16", "isn't in")]
)
def test_a_declared_encoding_in_which_no_document_can_be_is_refused_with_the_remedy(name: str, why: str) -> None:
    data = f'<?xml version="1.0" encoding="{name}"?><s/>'.encode()
    with pytest.raises(
        MalformedFile, match=rf"line 1, column 31: .*{why} .*name its encoding in the contract \({name}\)"
    ):
        Xml().declared_encoding(head_of(data))


@pytest.mark.parametrize("most", [*SIZES, 256 * 1024])
def test_bytes_that_are_no_text_cost_their_row_alone(most: int) -> None:
    good = "<r><a>Café 📚</a></r>".encode()
    bad = [b'<r b="\xff"><a>1</a></r>', b"<r><a>Caf\xe9</a></r>", b"<r><a>\xf0\x9f\x93</a></r>"]
    rows = read(Xml(), b"<s>%s</s>" % b"<!-- \xe9 -->".join([*bad, good, good, *bad, good]), most=most)
    assert [row.reason == UNDECODABLE for row in rows] == [True] * 3 + [False] * 2 + [True] * 3 + [False]
    assert [row.raw for row in rows[:4]] == [
        '<r b="\\xff"><a>1</a></r>',
        "<r><a>Caf\\xe9</a></r>",
        "<r><a>\\xf0\\x9f\\x93</a></r>",
        "<r><a>Café 📚</a></r>",
    ]
    assert rows[3].values == {"a": "Café 📚"}


def test_a_character_cut_in_two_by_the_end_of_the_head_is_no_fault() -> None:
    data = "<s><r><a>é</a></r><r><a>é</a></r></s>".encode()
    cut = data.rindex(b"\xc3") + 1
    assert Xml().inspect(Head("upload", None, data[:cut], None)).columns == ("a",)


@pytest.mark.parametrize(
    ("document", "place", "what"),
    [
        ("<s>\n<r><a>1</a></r>\n<r><a>2</r>\n</s>", (3, 10), "mismatched tag"),
        ("<s>\n<r><a>1</a></r>\n<r><a>A & B</a></r></s>", (3, 10), "not well-formed"),
        ("<s><r><a>1</a></r><r><a>&unknown;</a></r></s>", (1, 25), "undefined entity"),
        ("<s><r><a>1</a></r><r><a>2</a></r></s><s/>", (1, 38), "junk after document element; .* file of its own"),
        ("<s><r><a>1</a></r><r><a>\x00</a></r></s>", (1, 25), "not well-formed"),
        ('\n<?xml version="1.0"?><s><r/></s>', (2, 1), "remove what stands before"),
    ],
)
def test_a_document_that_is_not_well_formed_is_refused_with_line_and_column(
    document: str, place: tuple[int, int], what: str
) -> None:
    with pytest.raises(MalformedFile, match=rf"line {place[0]}, column {place[1]}: .*{what}"):
        read(Xml(), document.encode())


def test_a_fault_far_into_the_file_is_told_with_its_line() -> None:
    document = "<s>\n" + "<r><a>1</a></r>\n" * 100_000 + "<r><a></r>\n</s>"
    with pytest.raises(MalformedFile, match=r"line 100,002, column 9: .*mismatched tag"):
        read(Xml(), document.encode())


@pytest.mark.parametrize("size", [10, 10_000])
def test_a_document_that_is_cut_off_is_refused(size: int) -> None:
    data = b"<s>" + b"<r><a>1</a></r>" * size
    for end in (b"", b"<r><a>1", b"<r><a"):
        with pytest.raises(MalformedFile, match=r"the document is cut off.*upload it again"):
            read(Xml(), data + end)


def test_what_follows_the_document_is_told_as_that() -> None:
    for size in (1, 10_000):
        with pytest.raises(MalformedFile, match=r"after the end of the document.*remove it|junk.*remove what stands"):
            read(Xml(), b"<s>" + b"<r><a>1</a></r>" * size + b"</s>\nrows: 2")


@pytest.mark.parametrize("data", [b"<!DOCTYPE html><html></html>", b"\n<HTML><body/></HTML>", b"<!-- x --><html/>"])
def test_a_web_page_is_no_sales_file(data: bytes) -> None:
    assert Xml().likelihood(head_of(data)) == 0


def test_a_document_without_rows_is_refused_with_the_remedy() -> None:
    with pytest.raises(MalformedFile, match=r"no element is repeated.*dialect\.property"):
        Xml().inspect(head_of(b"<note>hello</note>"))


# Files that mean harm

LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize(
    "declaration",
    [
        f'<!DOCTYPE s [<!ENTITY l0 "ha">{LAUGHS}]>',
        '<!DOCTYPE s [<!ENTITY l9 SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE s [<!ENTITY % l SYSTEM "http://127.0.0.1:9/l.dtd"> %l;]>',
        '<!DOCTYPE s SYSTEM "http://127.0.0.1:9/s.dtd">',
        "<!DOCTYPE s>",
    ],
    ids=["a billion laughs", "a file", "a parameter", "a DTD from elsewhere", "an empty one"],
)
def test_a_document_type_declaration_is_refused_so_that_no_entity_is_ever_expanded(declaration: str) -> None:
    document = f"{declaration}<s><r><a>&l9;</a></r><r><a>1</a></r></s>".encode()
    with pytest.raises(MalformedFile, match=r"document type declaration; .* \(<!DOCTYPE s>\)"):
        Xml().inspect(head_of(document))
    plain = Xml().inspect(head_of(b"<s><r><a/></r></s>"))
    with pytest.raises(MalformedFile, match="document type declaration"):
        list(Xml().read(io.BytesIO(document), plain, text))


def test_nesting_without_end_is_refused_in_words() -> None:
    deep = b"<s><r><a>1</a></r><r>" + b"<d>" * 100_000 + b"</d>" * 100_000 + b"</r></s>"
    for document in (deep, b"<s>" + b"<r><a>1</a></r>" * 10_000 + deep.removeprefix(b"<s>")):
        with pytest.raises(MalformedFile, match="nested more than 100 deep"):
            read(Xml(), document)


@pytest.mark.parametrize(
    ("begin", "end"), [(b"<r><a>", b"</a></r>"), (b'<r a="', b'"/>'), (b"<!-- ", b" -->"), (b"<r ", b"/>")]
)
def test_a_row_tag_or_comment_without_end_is_refused_in_bounded_memory(begin: bytes, end: bytes) -> None:
    data = b"<s><r><a>1</a></r>" + begin + b"x" * 32 * LIMITS.row_bytes + end + b"</s>"
    structure = Xml().inspect(head_of(b"<s><r><a>1</a></r></s>"))
    tracemalloc.start()
    try:
        with pytest.raises(MalformedFile, match=r"line 1: .* longer than 1,048,576 bytes"):
            list(Xml().read(io.BytesIO(data), structure, text))
        assert tracemalloc.get_traced_memory()[1] < 16 * LIMITS.row_bytes
    finally:
        tracemalloc.stop()


def test_a_row_with_a_million_values_is_refused() -> None:
    row = "".join(f"<c{number}/>" for number in range(20_000))
    with pytest.raises(MalformedFile, match=r"more than 10,000 \(limits.columns"):
        read(Xml(), f"<s><r><a>1</a></r><r>{row}</r></s>".encode())


def test_a_large_document_is_never_in_memory_whole() -> None:
    data = b"<s>" + b"<r><a>x</a><b>1.50</b></r>\n" * 200_000 + b"</s>"
    counts = [block.parse().count for block in blocks(Xml(), data)]
    assert sum(counts) == 200_000
    assert max(counts) < 20_000


def test_text_that_looks_like_a_formula_stays_that_text() -> None:
    assert values("<s><r><a>=cmd|' /C calc'!A0</a></r><r><a>+1</a></r></s>") == [
        {"a": "=cmd|' /C calc'!A0"},
        {"a": "+1"},
    ]


_value = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"), max_size=9
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(_value, _value), min_size=2, max_size=9), st.sampled_from(SIZES))
def test_any_text_comes_back_from_elements_and_attributes(pairs: list[tuple[str, str]], most: int) -> None:
    rows = [f'<r a="{escape(a, {chr(34): "&quot;"})}"><b>{escape(b)}</b></r>' for a, b in pairs]
    found = read(Xml(), f"<s>{''.join(rows)}</s>".encode(), lambda _: pa.string(), most)
    assert values_of(found) == [{"a": a, "b": b} for a, b in pairs]
    assert [row.raw for row in found] == rows


# Rows that look like one before are taken by a pattern: nothing but the time may tell

_PLAIN = '<r id="1"><a n="2">x</a><c><d>y</d></c><b/></r>'
_ATTRIBUTES = ["", ' {}="&lt;&#10;"', " {}='8'", ' {}="a\tb"', ' {} = "9"', ' {}=">"', " {}='n=\"1\"'", ' x:nil="true"']
_CONTENTS = [
    "",
    "1",
    " ",
    "A &amp; &#x1F4DA;",
    "é",
    "a\r\nb",
    "]]",
    "<!-- c -->",
    "<![CDATA[<a>]]>",
    "<?p?>",
    "<d/>",
    "&no;",
    "<!-- &lt; --><![CDATA[&lt;<!-- -->]]>&lt;<![CDATA[]]]>",
    "<![CDATA[a\r\nb]]>",
    "<!-- a -- b -->",
]


def _variations() -> Iterator[str]:
    """The plain row with one thing else."""
    for attribute in _ATTRIBUTES:
        yield _PLAIN.replace(' id="1"', attribute.format("id"))
        yield _PLAIN.replace(' n="2"', attribute.format("n"))
    for content in _CONTENTS:
        yield _PLAIN.replace(">x<", f">{content}<")
        yield _PLAIN.replace(">y<", f">{content}<")
        yield _PLAIN.replace("<d>y</d>", content)
        yield _PLAIN.replace("<b/>", f"<b>{content}</b>")
    for last in ("", "<b />", "<b/><b/>", "<x:b/>", "<e/>", " ", "z"):
        yield _PLAIN.replace("<b/>", last)
    yield _PLAIN.replace(' n="2"', ' xmlns="urn:a" n="2"')
    yield _PLAIN.replace("<b/>", '<x:nil xmlns:x="urn:b"/><b x:nil="true"/>')
    for nil in ('="true"/>', "='1'></b>", '="false"/>', '="true">x</b>', '="true"> </b>', '="true" n="1"/>'):
        yield _PLAIN.replace("<b/>", f"<b x:nil{nil}")
    yield from (_PLAIN.replace("<b/>", "<b/>" * 9 + last) for last in ("", '<b x:nil="1"/>', "<b>&lt;</b><c><d/></c>"))
    for between in ("> <", ">\r\n\t<", "> z <", "><!-- > --> <!----><", "><?p?><"):
        yield _PLAIN.replace("><", between)
    yield from ("<r/>", '<r id="3" />', "<r></r>", "<r>own</r>", "<r> </r>", "<r> own</r>", "<r>own<!-- c --></r>")
    yield from ('<r id="1">\u00a0</r>', '<r id="1">own &amp; only</r>', '<r id="1" ><b >x</b\n></r >')
    yield from ('<r id="1"><b/><a n="2">x</a></r>', '<r n="1" id="2"><b/></r>')


_VARIATIONS = [*_variations()]


def _taken(data: bytes, patterns: int, most: int) -> Any:
    """The rows without nulls, which are as good as no value; or why the file is refused."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xml_reader, "_PATTERNS", patterns)
        try:
            stream = cast(BinaryIO, Trickle(data, most))
            rows = rows_of(Xml().read(stream, Structure(None, {"rows under": "s.r"}), text))
        except MalformedFile as error:
            return str(error)
    return [(row.raw, {n: v for n, v in (row.values or {}).items() if v is not None}) for row in rows]


def _document(rows: Sequence[str], between: str = "", written: str = "utf-8") -> bytes:
    names = 'xmlns:x="http://www.w3.org/2001/XMLSchema-instance"'
    return f"<s {names}>{between.join(rows)}</s>".encode(written, errors="xmlcharrefreplace")


@pytest.mark.parametrize("written", ["utf-8", "windows-1252"], ids=["UTF-8", "with bytes that are none"])
@pytest.mark.parametrize("row", _VARIATIONS)
def test_a_row_is_the_same_taken_by_a_pattern_or_tag_by_tag(row: str, written: str) -> None:
    for rows in ([_PLAIN, _PLAIN, row, _PLAIN], [row, row, row, _PLAIN, row, _PLAIN]):
        data = _document(rows, written=written)
        assert _taken(data, 4, len(data)) == _taken(data, 0, len(data))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from([*_VARIATIONS, *[_PLAIN] * len(_VARIATIONS)]), min_size=1, max_size=9),
    st.sampled_from(["", " ", "\n", "<!-- <r/> -->", "<s/>", "<x:r/>", "z", "<r>"]),
    st.sampled_from([1, 50, 256 * 1024]),
)
def test_rows_are_the_same_taken_by_patterns_or_tag_by_tag(rows: list[str], between: str, most: int) -> None:
    data = _document(rows, between)
    assert _taken(data, 4, most) == _taken(data, 0, most)


@pytest.mark.parametrize("path", ["wrong.way.here", "wrong.sales.sale", "shop.sales.wrong.sale"])
def test_a_stated_place_for_rows_that_is_not_there_is_refused(path: str) -> None:
    document = "<shop><sales><sale><n>7</n></sale></sales></shop>"
    with pytest.raises(MalformedFile, match=r"there is no element .*dialect\.property"):
        values(document, TableDialect(property=path))


def test_a_stated_place_may_have_no_rows_on_a_day_without_any() -> None:
    assert values("<shop><sales></sales></shop>", TableDialect(property="shop.sales.sale")) == []
