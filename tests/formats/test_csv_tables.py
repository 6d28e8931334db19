"""Several tables in a file of delimiter-separated text: the first one is read, the others' rows are given back."""

from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formats.csv import Csv
from formats.csv_dialect import Dialect
from formats.csv_tables import ANOTHER_BEGINS, OF_ANOTHER, may_begin_another
from formats.extras import REPEATED_HEADER
from formats.reading import read
from tests.formats.test_csv import SIZES

FIRST = "sku,title,price\n1,Salt,1.50\n2,Moons,2.50\n"


def outcomes(content: str, most: int | None = None) -> list[tuple[str, ...] | str]:
    """The values of each row, or why it has none."""
    found = read(Csv(), content.encode(), most=most)
    return [tuple(row.values.values()) if row.values is not None else row.reason for row in found]


TWO = [("1", "Salt", "1.50"), ("2", "Moons", "2.50")]
OTHER = [ANOTHER_BEGINS, OF_ANOTHER, OF_ANOTHER]


@pytest.mark.parametrize("most", [None, *SIZES])
@pytest.mark.parametrize(
    "gap", ["\n", "\n\n\n", ",,\n", "\n,,\n\n", "\r\n"], ids=["blank", "three", "delimiters", "both", "CRLF"]
)
def test_a_header_of_other_names_below_a_gap_begins_another_table(gap: str, most: int | None) -> None:
    content = FIRST + gap + "shop,city,revenue\nB1,Berlin,4.00\nB2,Bonn,5.00\n"
    assert outcomes(content, most) == TWO + OTHER


@pytest.mark.parametrize("most", [None, *SIZES])
@pytest.mark.parametrize(
    "title", ["Returns\n", "\nReturns\n", "\nReturns by shop,,\n\n", "Returns\n,,\n", ",,\nReturns,,\n"]
)
def test_a_title_is_a_gap(title: str, most: int | None) -> None:
    content = FIRST + title + "shop,city,revenue\nB1,Berlin,4.00\nB2,Bonn,5.00\n"
    found = outcomes(content, most)
    assert found[:2] + found[3:] == TWO + OTHER
    assert isinstance(found[2], str) or found[2][1:] == ("", "")


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_lines_may_end_in_any_way(line_end: str) -> None:
    content = FIRST + "\nshop,city,revenue\n" + '"B1","two\n\nlines",4.00\n,,\nB2,Bonn,5.00'
    assert outcomes(content.replace("\n", line_end)) == TWO + OTHER


def test_the_first_table_goes_on_where_its_header_comes_again() -> None:
    section = "1,Salt,1.50\n2,Moons,2.50\n\nshop,city,revenue\nB1,Berlin,4.00\nB2,Bonn,5.00\n\nsku,title,price\n"
    again = [REPEATED_HEADER]
    assert outcomes("sku,title,price\n" + section * 2) == (TWO + OTHER + again) * 2


def test_another_table_goes_on_to_the_files_end() -> None:
    found = outcomes(FIRST + "\nshop,city,revenue\n" + "B1,Berlin,4.00\n" * 400_000)
    assert found[:3] == [*TWO, ANOTHER_BEGINS]
    assert len(found) == 400_003
    assert set(found[3:]) == {OF_ANOTHER}


@pytest.mark.parametrize(
    "line",
    [
        "3,Owls,3.50",
        "GIFT,Voucher,9.99",
        "GIFT,Voucher,",
        "n/a,Voucher,unknown",
        "GIFT,Salt,free",
        "GIFT,Voucher,9 off",
        "GIFT,GIFT,free",
        "sku,title,price",
        "SKU,Title,Price",
        "Total,,4.00",
        "shop,city",
        "shop,city,revenue,staff",
    ],
)
@pytest.mark.parametrize("gap", ["\n", "Returns\n", ",,\n"])
def test_a_row_below_a_gap_is_no_header_where_it_has_a_rows_values(line: str, gap: str) -> None:
    assert outcomes(FIRST + gap + line + "\n4,Tea,4.50\n")[-1] == ("4", "Tea", "4.50")


@pytest.mark.parametrize("most", [None, *SIZES])
@pytest.mark.parametrize("gap", ["\n", "Returns\n", ",,\n"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_an_odd_row_below_a_gap_is_no_header_where_the_rows_below_it_are_like_the_first_ones(
    gap: str, line_end: str, most: int | None
) -> None:
    content = FIRST + gap + "restocked,from,cellar\n\n3,Owls,13.50\n4,Tea,4.50\n"
    found = outcomes(content.replace("\n", line_end), most)
    assert found[-3:] == [("restocked", "from", "cellar"), ("3", "Owls", "13.50"), ("4", "Tea", "4.50")]


def test_a_row_of_words_below_which_nothing_stands_is_no_header() -> None:
    assert outcomes(FIRST + "\nshop,city,revenue\n\n")[2:] == [("shop", "city", "revenue")]


def test_a_header_with_a_name_of_the_first_table_is_one_whatever_stands_below_it() -> None:
    assert outcomes(FIRST + "\nsku,title,refund\n3,Owls,3.50\n4,Tea,4.50\n") == TWO + OTHER


def test_a_name_of_the_first_header_tells_another_one_where_one_column_alone_has_numbers() -> None:
    first = "product,store,units\n" + "aa,a,1\n" * 20
    rows = [("aa", "a", "1")] * 20
    assert outcomes(first + "\nstore,manager,staff\nNorth,Ann,5\nSouth,Bob,6\n") == rows + OTHER
    assert outcomes(first + "\nshop,manager,few\nbb,b,2\n") == [*rows, ("shop", "manager", "few"), ("bb", "b", "2")]


@pytest.mark.parametrize("below", ["3,Owls,3", "3a,Owls,3.50", "3,Owls", "3,,"])
def test_a_row_of_another_form_is_of_another_table(below: str) -> None:
    assert outcomes(FIRST + f"\nshop,city,revenue\n{below}\n4,Tea,4.50\n") == TWO + OTHER


@pytest.mark.parametrize("gap", ["\r\r", "\n\r", "\r,,\n", "\r\r\n"])
def test_a_gap_may_be_of_other_line_ends_than_the_rest(gap: str) -> None:
    content = FIRST.removesuffix("\n") + gap + "shop,city,revenue\nB1,Berlin,4.00\nB2,Bonn,5.00\n"
    assert outcomes(content) == TWO + OTHER


def test_a_header_of_other_names_without_a_gap_is_a_row() -> None:
    assert outcomes(FIRST + "shop,city,revenue\n3,Owls,3.50\n")[2:] == [
        ("shop", "city", "revenue"),
        ("3", "Owls", "3.50"),
    ]


@pytest.mark.parametrize("gap", ["\n", "\r\r\n"])
def test_blank_lines_between_all_rows_are_no_gaps(gap: str) -> None:
    lines = ["sku,title,price", "1,Salt,1.50", "2,Moons,2.50", "gift,voucher,free", "4,Tea,4.50"]
    assert outcomes("".join(f"{line}\n{gap}" for line in lines))[2:] == [
        ("gift", "voucher", "free"),
        ("4", "Tea", "4.50"),
    ]


def test_where_no_column_has_numbers_words_below_a_gap_are_values() -> None:
    content = "name,city\nAnn,Bonn\nBea,Berlin\n\nCara,Mainz\nDora,Ulm\n"
    assert outcomes(content)[2:] == [("Cara", "Mainz"), ("Dora", "Ulm")]


def test_one_column_of_whole_numbers_may_have_a_word_among_them() -> None:
    assert outcomes("sku,title\n1,Salt\n2,Moons\n\nGIFT,Voucher\n3,Tea\n")[2:] == [("GIFT", "Voucher"), ("3", "Tea")]


def test_one_column_of_amounts_has_no_words() -> None:
    found = outcomes("title,price\nSalt,1.50\nMoons,2.50\n\nshop,revenue\nBonn,4.00\nUlm,5.00\n")
    assert found == [("Salt", "1.50"), ("Moons", "2.50"), *OTHER]


def test_a_header_within_quotes_is_part_of_a_value() -> None:
    content = FIRST + '3,"Owls\n\nshop,city,revenue\nx",3.50\n4,Tea,4.50\n'
    assert outcomes(content)[2:] == [("3", "Owls\n\nshop,city,revenue\nx", "3.50"), ("4", "Tea", "4.50")]


def test_a_row_with_a_quote_left_open_in_another_table_is_of_that_table() -> None:
    assert outcomes(FIRST + '\nshop,city,revenue\nB1,"Berlin,4.00\nB2,Bonn,5.00\n') == TWO + OTHER


_LINES = st.sampled_from(
    ["1,x,2.50", "3,y,4.50", "shop,city,sum", "till,staff,day", "", ",,", "Title", "Title,,", '5,"a\n\nb",1.5', "7,z"]
)


@settings(deadline=None, max_examples=200)
@given(st.lists(_LINES, max_size=12), st.sampled_from(["\n", "\r\n", "\r"]), st.sampled_from(SIZES[:-1]))
def test_rows_do_not_depend_on_how_much_comes_at_a_time(lines: list[str], line_end: str, most: int) -> None:
    content = line_end.join(["sku,title,price", "1,Salt,1.50", *lines])
    assert outcomes(content, most) == outcomes(content)


def test_the_first_tables_header_within_a_value_ends_no_other_table() -> None:
    other = 'shop,city,note\nB1,Berlin,"x\nsku,title,price\n"\nB2,Bonn,5.00'
    found = outcomes("sku,title,price\n1,2.5,1.50\n2,2.5,2.50\n\n" + other)
    assert found == [("1", "2.5", "1.50"), ("2", "2.5", "2.50"), *OTHER]


def test_many_sections_with_a_table_between_them_are_read_each() -> None:
    section = "1,Salt,1.50\n2,Moons,2.50\n\nshop,city,revenue\nB1,Berlin,4.00\nB2,Bonn,5.00\n\nsku,title,price\n"
    assert outcomes("sku,title,price\n" + section * 300) == (TWO + OTHER + [REPEATED_HEADER]) * 300


def test_lines_that_may_be_titles_take_no_longer_than_others() -> None:
    found = outcomes(FIRST + "word\n" * 60_000 + "3,Tides,3.50\n")
    assert (found[:2], len(found), found[-1]) == (TWO, 60_003, ("3", "Tides", "3.50"))


@pytest.mark.parametrize("gap", ["\n", "\r\n", ",,\n", "\nword\n"], ids=["blank", "CRLF", "delimiters", "titles"])
def test_gaps_below_which_nothing_stands_take_no_longer_than_others(gap: str) -> None:
    begin = process_time()
    assert not may_begin_another(
        ("1,Salt,1.50\n" + gap * 200_000).encode(), Dialect(","), ("sku", "title", "price"), below_gap=False
    )
    assert process_time() - begin < 5


@pytest.mark.parametrize("most", [None, *SIZES])
def test_a_title_may_have_bytes_that_are_no_text(most: int | None) -> None:
    data = FIRST.encode() + b"\xf8 Shops\nshop,city,revenue\nB1,Berlin,4.00\nB2,Bonn,5.00\n"
    found = [tuple(row.values.values()) if row.values else row.reason for row in read(Csv(), data, most=most)]
    assert found[:2] + found[3:] == TWO + OTHER


def test_a_header_of_very_long_names_begins_another_table() -> None:
    names = [f"{letter}{'x' * 9_000}" for letter in "abc"]
    assert outcomes(FIRST + f"\n{','.join(names)}\nB1,Berlin,4.00\n")[:2] == TWO
    assert may_begin_another(f"\n{','.join(names)}\n".encode(), Dialect(","), ["sku", "title", "price"], below_gap=True)
