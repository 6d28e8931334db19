"""Delimiter-separated text as it really comes: the pollutions that studies of such files count.

Each has the outcome that a careful human would choose: rows right where that can be known, given back with a reason
where not, and the rest of the file unharmed.
"""

import io
from dataclasses import replace
from typing import BinaryIO, cast

import pytest

from formats import AS_FOUND, MalformedFile, MisjudgedCutError, TableDialect
from formats.csv import Csv
from formats.dialect import normalise
from formats.extras import REPEATED_HEADER, TOTAL
from formats.format import Structure
from formats.reading import Row, Trickle, head_of, rows_of, text
from tests.formats.test_csv import SIZES


def stated(*columns: str, **dialect: object) -> TableDialect:
    """What a contract with these fields says."""
    names = frozenset(map(normalise, columns))
    return replace(AS_FOUND, columns=columns, known=names, **dialect)  # type: ignore[arg-type]


SALES = stated("sku", "title", "price")


def inspect(content: str, dialect: TableDialect = SALES) -> Structure:
    return Csv().inspect(head_of(content.encode()), dialect)


def found(content: str, dialect: TableDialect = SALES) -> list[Row]:
    structure = inspect(content, dialect)
    try:
        return rows_of(Csv().read(io.BytesIO(content.encode()), structure, text))
    except MisjudgedCutError:
        return rows_of(Csv().read(io.BytesIO(content.encode()), replace(structure, exact=True), text))


def rows(content: str, dialect: TableDialect = SALES) -> list[tuple[str, ...] | str]:
    """The values of each row, or the raw text of a row that is given back."""
    return [row.raw if row.values is None else tuple(row.values.values()) for row in found(content, dialect)]


def exactly(content: str, dialect: TableDialect = SALES) -> list[Row]:
    """The rows where the cuts between records are surely right."""
    structure = replace(inspect(content, dialect), exact=True)
    return rows_of(Csv().read(io.BytesIO(content.encode()), structure, text))


TWO = [("1", "Salt", "1.50"), ("2", "Moons", "2.50")]


@pytest.mark.parametrize("dialect", [SALES, AS_FOUND], ids=["contract known", "nothing known"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "^", "~"])
def test_the_delimiter_is_found(delimiter: str, dialect: TableDialect) -> None:
    content = "sku,title,price\n1,Salt,1.50\n2,Moons,2.50\n".replace(",", delimiter)
    assert inspect(content, dialect).details["delimiter"] == delimiter
    assert rows(content, dialect) == TWO


def test_a_delimiter_that_nobody_would_look_for_is_stated() -> None:
    assert rows("sku!title!price\n1!Salt!1.50\n2!Moons!2.50\n", stated("sku", delimiter="!")) == TWO


def test_decimal_commas_are_not_taken_for_delimiters() -> None:
    content = "sku;title;price\n" + "1;Salt;1,50\n" * 9
    assert rows(content) == [("1", "Salt", "1,50")] * 9


@pytest.mark.parametrize("dialect", [SALES, AS_FOUND], ids=["contract known", "nothing known"])
def test_single_quotes_are_found_where_they_stand_around_values(dialect: TableDialect) -> None:
    content = "'sku','title','price'\n'1','Salt, ''fine''','1.50'\n'2','Two\nlines','2.50'\n"
    assert inspect(content, dialect).details["quote"] == "'"
    assert rows(content, dialect) == [("1", "Salt, 'fine'", "1.50"), ("2", "Two\nlines", "2.50")]


@pytest.mark.parametrize(
    "lines",
    [
        ["1|'Salt|fine'|1.50", "2|'It''s'|2.50"],
        ["1|'It''s, Salt|fine'|1.50"] * 8,
        ["1|'Salt|fine'|1.50", "2|'Moons'|2.50", '3|"Tea"|3.50'],
    ],
    ids=["one with a mark written twice", "all with one", "more of them than of double ones"],
)
def test_single_quotes_are_found_by_the_values_that_need_them(lines: list[str]) -> None:
    content = "\n".join(["sku|title|price", *lines])
    assert inspect(content).details["quote"] == "'"
    assert [row.values is None for row in found(content)] == [False] * len(lines)
    assert rows(content)[0] in {("1", "Salt|fine", "1.50"), ("1", "It's, Salt|fine", "1.50")}


@pytest.mark.parametrize("column", [0, 1, 2])
def test_single_quotes_are_found_in_whichever_column_they_are(column: int) -> None:
    cells = [["1", "Salt", "1.50"], ["2", "Moons", "2.50"]]
    lines = [",".join(f"'{cell}'" if at == column else cell for at, cell in enumerate(row)) for row in cells]
    assert rows("\n".join(["sku,title,price", *lines, ""])) == TWO


def test_single_quotes_within_double_ones_are_characters() -> None:
    content = "sku,title,price\n1,\"Salt,'fine','dry','white',\",1.50\n"
    assert rows(content) == [("1", "Salt,'fine','dry','white',", "1.50")]


def test_an_apostrophe_is_no_quote() -> None:
    content = "sku,title,price\n1,'Tis,1.50\n2,Rock 'n' Roll,2.50\n"
    assert rows(content) == [("1", "'Tis", "1.50"), ("2", "Rock 'n' Roll", "2.50")]


def test_without_quotes_a_quotation_mark_is_a_character() -> None:
    dialect = stated("sku", "title", "price", quote_char="")
    assert rows('sku,title,price\n1,"Salt,1.50\n2,Moons",2.50\n', dialect) == [
        ("1", '"Salt', "1.50"),
        ("2", 'Moons"', "2.50"),
    ]


def test_a_backslash_before_quotes_is_found() -> None:
    content = 'sku,title,price\n1,"Salt \\"fine\\", dry",1.50\n2,"Moons",2.50\n'
    assert inspect(content).details["escape"] == "\\"
    assert rows(content) == [("1", 'Salt "fine", dry', "1.50"), ("2", "Moons", "2.50")]


def test_a_backslash_at_a_values_end_is_no_escape() -> None:
    assert rows('sku,title,price\n1,"C:\\",1.50\n2,"Moons ""x""",2.50\n')[0] == ("1", "C:\\", "1.50")


@pytest.mark.parametrize("dialect", [SALES, AS_FOUND], ids=["contract known", "nothing known"])
def test_a_preamble_is_passed_over_and_shown(dialect: TableDialect) -> None:
    content = "Sales of the week\nPrinted: 2025-12-31; 18:05\n\nsku,title,price\n1,Salt,1.50\n2,Moons,2.50\n"
    structure = inspect(content, dialect)
    assert (structure.columns, structure.details["header"]) == (("sku", "title", "price"), "record 3")
    assert rows(content, dialect) == TWO


def test_a_preamble_as_wide_as_the_table_is_passed_over_where_the_contract_knows_the_header() -> None:
    content = "Report;;\nShop;Berlin;\nsku;title;price\n1;Salt;1.50\n2;Moons;2.50\n"
    assert rows(content) == TWO


def test_a_narrow_header_is_not_taken_for_a_preamble() -> None:
    assert inspect("a,b\n1,2,3\n4,5,6\n", AS_FOUND).columns == ("a", "b")


def test_a_header_over_two_rows_is_joined() -> None:
    dialect = stated("sku", "price net", "price gross")
    content = ",price,\nsku,net,gross\n1,1.50,1.80\n2,2.50,3.00\n"
    structure = inspect(content, dialect)
    assert structure.columns == ("sku", "price net", "price gross")
    assert structure.details["header"] == "record 1 and 2"
    assert rows(content, dialect) == [("1", "1.50", "1.80"), ("2", "2.50", "3.00")]


def test_two_rows_that_name_columns_only_together_are_a_header() -> None:
    dialect = stated("item_sku", "unit_price")
    content = "Monday,\nitem,unit\nsku,price\n1,1.50\n2,2.50\n"
    assert inspect(content, dialect).columns == ("item sku", "unit price")
    assert rows(content, dialect) == [("1", "1.50"), ("2", "2.50")]


@pytest.mark.parametrize("upper", ["sku,title,,", "sku,title,sales,sales", "sku,title,sales,"])
def test_a_header_over_two_rows_may_name_columns_in_its_second_alone(upper: str) -> None:
    content = f"{upper}\n,,qty,price\n1,Salt,2,1.50\n"
    assert rows(content, stated("sku", "title", "qty", "price")) == [("1", "Salt", "2", "1.50")]
    assert inspect(content, stated("sku", "title", "qty", "price")).columns == ("sku", "title", "qty", "price")


def test_two_rows_that_name_each_column_once_are_a_header_whatever_the_names() -> None:
    content = "sku,title,,\n,,qty,price\n1,Salt,2,1.50\n"
    assert inspect(content, AS_FOUND).columns == ("sku", "title", "qty", "price")
    assert rows(content, AS_FOUND) == [("1", "Salt", "2", "1.50")]


def test_header_rows_can_be_stated() -> None:
    dialect = stated("a", header_rows=(2, 3), header_join="/")
    assert inspect("x,y\nprice,\nnet,gross\n1,2\n", dialect).columns == ("price/net", "price/gross")


def test_a_file_without_a_header_has_the_contracts_columns() -> None:
    content = "1,Salt,1.50\n2,Moons,2.50\n"
    structure = inspect(content)
    assert (structure.columns, structure.details["header"]) == (("sku", "title", "price"), "none")
    assert rows(content) == TWO


def test_that_there_is_no_header_can_be_stated() -> None:
    assert rows("a,b,c\n", stated("sku", "title", "price", header=False)) == [("a", "b", "c")]


def test_a_header_of_unknown_names_is_still_a_header() -> None:
    assert inspect("number,name,cost\n1,Salt,1.50\n").columns == ("number", "name", "cost")


def test_a_header_that_comes_again_is_given_back_as_what_it_is() -> None:
    lines = found("sku,title,price\n1,Salt,1.50\nsku,title,price\n2,Moons,2.50\n")
    assert [row.values is None for row in lines] == [False, True, False]
    assert (lines[1].raw, lines[1].reason) == ("sku,title,price", REPEATED_HEADER)


def test_a_value_that_is_its_columns_name_is_a_value() -> None:
    assert rows("sku,title,price\n1,title,1.50\nsku,x,2\n") == [("1", "title", "1.50"), ("sku", "x", "2")]


@pytest.mark.parametrize(
    "footer", ["Total;;4,00", "Gesamtsumme;4,00", ";Summe;;4,00", "TOTAL", "Total:;;4,00\n\n\n", "End of report"]
)
def test_a_footer_is_given_back_as_what_it_is(footer: str) -> None:
    lines = found("sku;title;price;shop;till\n1;Salt;1,50;B;1\n2;Moons;2,50;B;1\n" + footer)
    assert [row.values is None for row in lines] == [False, False, True]
    assert lines[-1].reason == TOTAL
    assert lines[-1].raw == footer.strip("\n")


def test_a_last_row_that_only_begins_with_such_a_word_is_a_row() -> None:
    assert rows("title,price\nTotal Recall,9.99\nTotally,2\n", stated("title", "price"))[-1] == ("Totally", "2")


def test_a_row_of_spaces_only_is_a_row_and_blank_lines_are_none() -> None:
    assert rows("sku,title,price\n1,Salt,1.50\n\n \n,,\n\n") == [("1", "Salt", "1.50"), " "]


@pytest.mark.parametrize("line", ["2,Moons", "2,Moons,2.50,", "2,Moons,2,50", "2,Moons,"])
def test_a_missing_or_additional_delimiter_costs_its_row_only(line: str) -> None:
    result = rows(f"sku,title,price\n1,Salt,1.50\n{line}\n3,Owls,3.50\n")
    assert (result[0], result[-1]) == (("1", "Salt", "1.50"), ("3", "Owls", "3.50"))
    assert result[1] == (line if line.count(",") != 2 else ("2", "Moons", ""))


@pytest.mark.parametrize(
    "header", ["sku;title;price\n", "sku;title;price;\n", ""], ids=["with a header", "at its end too", "without"]
)
def test_a_delimiter_at_the_end_of_each_row_is_no_further_value(header: str) -> None:
    content = header + '1;Salt;1.50;\n2;"Moons";2.50;\n'
    assert inspect(content).details["row end"] == "1 delimiter"
    assert rows(content) == TWO


@pytest.mark.parametrize("end", ["", "\n1;Salt;1.50\n2;Moons;2.50\n", "\n1;Salt;1.50;\n2;Moons;2.50;\n"])
def test_a_delimiter_at_the_end_of_the_header_is_no_further_column(end: str) -> None:
    content = "sku;title;price;" + end
    assert inspect(content).columns == ("sku", "title", "price")
    assert rows(content) == (TWO if end else [])


@pytest.mark.parametrize("header", ["sku;title;price;;\n", "sku;title;price;\n", "sku;title;price\n", ""])
def test_rows_may_end_with_as_many_delimiters_as_a_sheet_had_empty_columns(header: str) -> None:
    content = header + "1;Salt;1.50;;\n;;;;;;\n2;Moons;2.50;;\n;;;;;;\n;;;;;;\n"
    assert inspect(content).details["row end"] == "2 delimiters"
    assert rows(content) == TWO


def test_among_rows_that_end_with_several_delimiters_others_are_given_back() -> None:
    others = [
        ("3;Owls;3.50;", "the row has only 1 at its end, where the file's other rows have 2; end it with 2"),
        ("3;Owls;3.50", "the row has no delimiter at its end, where the file's other rows have 2; end it with 2"),
        (
            "3;Owls;3.50;x;",
            "the row has 5 values, the header has 3 columns; put quotes around a value that holds the delimiter",
        ),
        ("sku;title;price;", REPEATED_HEADER),
        ("sku;title;price;;", REPEATED_HEADER),
    ]
    content = "sku;title;price;;\n" + "1;Salt;1.50;;\n2;Moons;2.50;;\n" * 4
    result = found(content + "\n".join(line for line, _ in others))[8:]
    assert [(row.raw, row.reason) for row in result] == others


def test_a_value_below_the_end_of_such_a_header_costs_its_row_only() -> None:
    assert rows("sku;title;price;\n1;Salt;1.50;\nx;Owls;1;y\n2;Moons;2.50;\n") == [TWO[0], "x;Owls;1;y", TWO[1]]


def test_a_column_without_a_name_that_has_values_is_a_column() -> None:
    assert inspect("sku;title;\n1;Salt;1.50\n2;Moons;\n3;Owls;2\n").columns == ("sku", "title", "")


def test_among_rows_that_end_with_a_delimiter_others_are_given_back() -> None:
    others = "3;Owls;3.50;x\n4;Tea;4\n5;Tea;\nsku;title;price\n6;Tea;1;;\n"
    content = "sku;title;price\n" + "1;Salt;1.50;\n2;Moons;2.50;\n;;;\n" * 4 + others
    assert rows(content)[:8] == TWO * 4
    assert [(row.raw, row.reason) for row in found(content)[8:]] == [
        (
            "3;Owls;3.50;x",
            "the row has 4 values, the header has 3 columns; put quotes around a value that holds the delimiter",
        ),
        ("4;Tea;4", "the row has no delimiter at its end, where the file's other rows have one; end it with one"),
        ("5;Tea;", "the row has no delimiter at its end, where the file's other rows have one; end it with one"),
        ("sku;title;price", REPEATED_HEADER),
        (
            "6;Tea;1;;",
            "the row has 5 values, the header has 3 columns; put quotes around a value that holds the delimiter",
        ),
    ]


def test_a_delimiter_at_the_end_of_one_row_may_stand_before_a_missing_value() -> None:
    content = "sku,title,author\n1,Salt,Ann\n2,Moons, late,\n3,Owls,Bea\n"
    assert rows(content, stated("sku", "title", "author"))[1] == "2,Moons, late,"


def test_another_delimiter_in_a_row_costs_its_row_only() -> None:
    assert rows("sku,title,price\n1;Salt;1.50\n2,Moons,2.50\n") == ["1;Salt;1.50", TWO[1]]


def test_another_quote_in_a_row_stays_in_its_value() -> None:
    assert rows("sku,title,price\n1,\"Salt\",1.50\n2,'Moons',2.50\n") == [TWO[0], ("2", "'Moons'", "2.50")]


@pytest.mark.parametrize(
    "line", ['2,"Mo\\"ons",2.50', '2,"Mo"ons,2.50', '2,"Mo\\"o, ns",2.50', '2,"Moons \\"x\\"",2.50']
)
@pytest.mark.parametrize("lines", [1, 3], ids=["in the head", "in each row"])
def test_another_escape_in_a_row_costs_its_row_and_never_alters_a_value(line: str, lines: int) -> None:
    others = '1,"Salt ""dry""",1.50'
    result = found(f"sku,title,price\n{others}\n" + f"{line}\n" * lines + f"{others}\n")
    assert [row.raw for row in result if row.values is None] == [line] * lines
    assert [row.values for row in result if row.values] == [{"sku": "1", "title": 'Salt "dry"', "price": "1.50"}] * 2


def test_marks_of_inches_and_spaces_after_quotes_are_no_faults() -> None:
    content = 'sku,title,price\n1,Disk 3.5"x2,1.50\n2,"Moons" ,2.50\n3,"5"" disk",1\n'
    assert rows(content) == [("1", 'Disk 3.5"x2', "1.50"), ("2", "Moons ", "2.50"), ("3", '5" disk', "1")]


@pytest.mark.parametrize("dialect", [SALES, AS_FOUND], ids=["contract known", "nothing known"])
@pytest.mark.parametrize("delimiter", [",", ";", "|", "\t"])
def test_values_in_quotes_after_a_space_are_read_where_all_of_the_file_are(
    delimiter: str, dialect: TableDialect
) -> None:
    content = 'sku, title, price\n1, "Salt, dry", 1.50\n2, "Two\nlines",  2.50\n"3", "Tea ""x""", "3, 5"\n4,Owls,4\n'
    content = content.replace(", ", f"{delimiter} ").replace(",Owls,", f"{delimiter}Owls{delimiter}")
    quoted = [value.replace(", ", f"{delimiter} ") for value in ("Salt, dry", "3, 5")]
    assert inspect(content, dialect).details["space after a delimiter"] == "skipped"
    assert rows(content, dialect) == [
        ("1", quoted[0], "1.50"),
        ("2", "Two\nlines", "2.50"),
        ("3", 'Tea "x"', quoted[1]),
        ("4", "Owls", "4"),
    ]


def test_an_empty_value_between_tabs_is_no_space_before_quotes() -> None:
    content = 'sku\ttitle\tprice\n1\t\t"1.50"\n2\t\t"2.50"\n'
    assert "space after a delimiter" not in inspect(content).details
    assert rows(content) == [("1", "", "1.50"), ("2", "", "2.50")]


def test_rows_of_a_file_with_space_after_delimiters_have_the_outcomes_of_any_other() -> None:
    content = (
        'sku, title, price\n1, "Salt, dry", 1.50\n2, "Moons"\n3, "open, 1\n , , \n, , \n4, "Tea"x, 2\nTotal, , 5\n'
    )
    result = found(content)
    assert [row.raw for row in result if row.values is None] == [
        '2, "Moons"',
        '3, "open, 1',
        '4, "Tea"x, 2',
        "Total, , 5",
    ]
    assert [row.raw for row in result if row.values] == ['1, "Salt, dry", 1.50', " , , "]


def test_that_space_after_a_delimiter_is_skipped_or_a_part_of_the_value_can_be_stated() -> None:
    content = 'sku, title, price\n1, "Salt", 1.50\n'
    assert rows(content, stated("sku", "title", "price", skip_initial_space=False)) == ['1, "Salt", 1.50']
    assert rows("sku,title,price\n1, Salt,1.50\n", stated("sku", "title", "price", skip_initial_space=True)) == [TWO[0]]


def test_space_within_quotes_and_before_values_without_quotes_stays() -> None:
    assert rows('sku,title,price\n1, Salt,"1, ""50"", x"\n') == [("1", " Salt", '1, "50", x')]


def test_a_value_in_quotes_after_a_space_costs_its_row_and_is_told() -> None:
    content = 'sku, title, price\n1, "Salt, dry", x\n2, "Moons", y\n3, Owls, z\n4,"Tea, ""dry""",z\n'
    result = found(content)
    assert [row.values is None for row in result] == [True, True, False, False]
    assert "skipInitialSpace" in result[1].reason


def test_single_quotes_around_a_value_with_a_delimiter_cost_its_row_only() -> None:
    content = "sku,title,price\n1,Salt,1.50\n2,'Moons, late',2.50\n"
    assert rows(content) == [TWO[0], "2,'Moons, late',2.50"]
    assert "dialect.quoteChar" in found(content)[1].reason


def test_a_row_in_quotes_as_a_whole_costs_itself_only() -> None:
    assert rows('sku,title,price\n"1,Salt,1.50"\n2,Moons,2.50\n') == ['"1,Salt,1.50"', TWO[1]]


@pytest.mark.parametrize("mark", ["\u2028", "\u0085", "\x0c", "\x0b"])
def test_what_only_unicode_calls_a_line_end_is_none(mark: str) -> None:
    assert rows(f"sku,title,price\n1,Salt{mark}x,1.50\n2,Moons,2.50\n") == [("1", f"Salt{mark}x", "1.50"), TWO[1]]


def test_line_ends_of_all_kinds_in_one_file_end_rows() -> None:
    content = "sku,title,price\r\n1,Salt,1.50\n\r2,Moons,2.50\r\r\n1,Salt,1.50\r2,Moons,2.50"
    assert rows(content) == TWO * 2


@pytest.mark.parametrize("blank", [",,", ",,,,", ","])
@pytest.mark.parametrize("dialect", [SALES, AS_FOUND], ids=["contract known", "nothing known"])
def test_rows_of_delimiters_only_are_passed_over_as_blank_lines_are(blank: str, dialect: TableDialect) -> None:
    content = f"sku,title,price\n1,Salt,1.50\n{blank}\n2,Moons,2.50\nTotal,,4.00\n" + f"{blank}\n" * 3
    assert rows(content, dialect) == [TWO[0], TWO[1], "Total,,4.00"]


def test_a_file_of_a_header_and_rows_of_delimiters_only_has_no_rows() -> None:
    assert rows("sku,title,price\n" + ",,\r\n" * 9) == []


def test_a_row_whose_value_is_in_a_column_that_nobody_wants_is_no_blank_one() -> None:
    content = "sku,title,price\n1,Salt,1.50\n,,2.50\n"
    blocks = Csv().read(
        io.BytesIO(content.encode()), inspect(content), lambda name: text(name) if name == "sku" else None
    )
    assert [row.values for row in rows_of(blocks)] == [{"sku": "1"}, {"sku": ""}]


def test_the_same_header_again_below_a_blank_line_begins_no_other_table() -> None:
    content = "sku,title,price\n1,Salt,1.50\n\nsku,title,price\n2,Moons,2.50\n"
    assert rows(content) == [TWO[0], "sku,title,price", TWO[1]]


def test_another_line_end_in_a_row_ends_the_row_all_the_same() -> None:
    assert rows("sku,title,price\n1,Salt,1.50\r2,Moons,2.50\r\n") == TWO


def test_a_second_table_of_another_width_is_given_back_row_by_row() -> None:
    content = "sku,title,price\n1,Salt,1.50\n2,Moons,2.50\n\nshop,till\nBerlin,1\n"
    lines = found(content)
    assert [row.raw for row in lines if row.values is None] == ["shop,till", "Berlin,1"]
    assert all("2 values, the header has 3" in row.reason for row in lines if row.values is None)


def test_comment_lines_are_passed_over_where_the_contract_says_so() -> None:
    dialect = stated("sku", "title", "price", comment_char="#")
    assert rows("# printed\nsku,title,price\n1,Salt,1.50\n# page 2\n2,Moons,2.50\n# end", dialect) == TWO


def test_a_line_within_quotes_that_begins_as_a_comment_is_part_of_its_value() -> None:
    dialect = stated("sku", "title", "price", comment_char="#")
    content = 'sku,title,price\n1,"Salt\n# 2\nof 3",1.50\n# page "2"\n2,Moons,2.50\n'
    assert rows(content, dialect) == [("1", "Salt\n# 2\nof 3", "1.50"), ("2", "Moons", "2.50")]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("comment", ['# a,"b', '#"', '# 5" disk', '# "a","b"c', "# it's, 'so"])
def test_quotes_in_a_comment_cost_no_row(comment: str, line_end: str) -> None:
    dialect = stated("sku", "title", "price", comment_char="#")
    lines = ["sku,title,price", comment, '1,"Salt",1.50', comment, comment, '2,"Moons",2.50', comment]
    assert rows(line_end.join(lines), dialect) == TWO


def test_comments_around_a_row_with_a_quote_left_open_are_passed_over() -> None:
    dialect = stated("sku", "title", "price", comment_char="#")
    content = '# one\nsku,title,price\n# two\n1,"Salt,1.50\n# "three"\n2,Moons,2.50\n# four\n1,"Salt",1.50\n'
    result = [row.raw if row.values is None else tuple(row.values.values()) for row in exactly(content, dialect)]
    assert result == ['1,"Salt,1.50', TWO[1], TWO[0]]


@pytest.mark.parametrize("comment", ['#,"', '# 1,"Salt', "#"])
@pytest.mark.parametrize("line_end", ["\n", "\r"])
def test_a_quote_in_a_comment_opens_no_value(comment: str, line_end: str) -> None:
    dialect = stated("sku", "title", "price", comment_char="#")
    lines = ["sku,title,price", "1,Salt,1.50", comment, "2,Moons,2.50", comment, '"1","Salt",1.50']
    assert rows(line_end.join(lines), dialect) == [*TWO, TWO[0]]


def test_a_comment_within_the_quotes_of_the_header_is_part_of_a_name() -> None:
    dialect = stated("sku", "title", comment_char="#")
    content = '# one\n"sku","title\n# in words"\n#,"\n1,Salt\n'
    assert inspect(content, dialect).columns == ("sku", "title\n# in words")
    assert rows(content, dialect) == [("1", "Salt")]


@pytest.mark.parametrize("most", SIZES)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
def test_records_that_are_comments_are_passed_over_below_the_header_too(line_end: str, most: int) -> None:
    lines = ["printed", "", "sku,title,price", 'number,"of the\nbook",EUR', "1,Salt,1.50", "---", "2,Moons,2.50"]
    content = line_end.join(lines)
    structure = inspect(content, stated("sku", "title", "price", comment_rows=(3, 5)))
    found = rows_of(Csv().read(cast(BinaryIO, Trickle(content.encode(), most)), structure, text))
    assert [tuple(row.values.values()) for row in found if row.values is not None] == TWO
    assert len(found) == 2


def test_a_record_that_is_a_comment_may_have_a_quote_left_open() -> None:
    dialect = stated("sku", "title", "price", comment_rows=(3,))
    content = 'sku,title,price\n1,Salt,1.50\nx,"y,z\n2,Moons,2.50\n'
    assert [tuple(row.values.values()) for row in exactly(content, dialect) if row.values is not None] == TWO


def test_a_comment_above_rows_without_a_header_is_passed_over() -> None:
    dialect = stated("sku", "title", "price", comment_rows=(1,))
    assert rows("from the,till,of Anna\n1,Salt,1.50\n2,Moons,2.50\n", dialect) == TWO


def test_a_comment_too_far_down_to_be_passed_over_is_told() -> None:
    with pytest.raises(MalformedFile, match=r"commentRows of the contract names record 51; only the first 50"):
        inspect("sku,title,price\n1,Salt,1.50\n", stated("sku", "title", "price", comment_rows=(51,)))


def test_a_line_end_behind_an_escape_is_part_of_its_value_without_quotes_too() -> None:
    dialect = stated("sku", "title", "price", escape_char="\\")
    content = 'sku,title,price\n1,Sa\\\nlt,1.50\n2,Moons\n3,a\\,"b,1\n'
    assert rows(content, dialect) == [("1", "Sa\nlt", "1.50"), "2,Moons", ("3", 'a,"b', "1")]


def test_no_last_line_end_is_no_fault() -> None:
    assert rows("sku,title,price\n1,Salt,1.50\n2,Moons,2.50") == TWO


@pytest.mark.parametrize("content", ["", "\n\n", "\ufeff"])
def test_an_empty_file_is_refused(content: str) -> None:
    with pytest.raises(MalformedFile):
        inspect(content)


def test_what_begins_as_a_formula_stays_the_text_that_it_is() -> None:
    formulas = ["=1+1", "+49 30", "-2", "@SUM(A1)", '=HYPERLINK(""x"")']
    content = "sku,title,price\n" + "".join(f'1,"{formula}",1\n' for formula in formulas)
    assert [row[1] for row in rows(content)] == [formula.replace('""', '"') for formula in formulas]


@pytest.mark.parametrize("most", SIZES)
def test_rows_do_not_depend_on_how_much_comes_at_a_time(most: int) -> None:
    content = "Report\nsku;title;price\n1;'a;b';2\nsku;title;price\n2;'x\ny';3\n4;'z';5\nTotal;;10\n"
    structure = inspect(content)
    stream = cast(BinaryIO, Trickle(content.encode(), most))
    assert [
        row.raw if row.values is None else tuple(row.values.values())
        for row in rows_of(Csv().read(stream, structure, text))
    ] == [("1", "a;b", "2"), "sku;title;price", ("2", "x\ny", "3"), ("4", "z", "5"), "Total;;10"]


@pytest.mark.parametrize("value", ['"12" LP"', '"Harry" Potter', '"y" "z"', '"y"\tz'])
def test_what_follows_a_closing_quote_and_space_is_not_joined_to_the_value(value: str) -> None:
    row = f"1,{value},1.50"
    assert rows(f"sku,title,price\n{row}\n2,Moons,2.50\n") == [row, TWO[1]]


def test_space_alone_may_follow_a_closing_quote() -> None:
    assert rows('sku,title,price\n1,"Salt"  ,1.50\n') == [("1", "Salt  ", "1.50")]


def test_a_header_that_is_stated_and_not_there_is_refused() -> None:
    with pytest.raises(MalformedFile, match=r"there is no record 9, which dialect\.headerRows"):
        inspect("sku,title,price\n1,Salt,1.50\n", stated("sku", "title", "price", header_rows=(9,)))


def test_a_header_that_is_stated_too_far_below_the_beginning_is_refused() -> None:
    many = "note\n" * 20_000 + "sku,title,price\n1,Salt,1.50\n"
    with pytest.raises(MalformedFile, match=r"no record 20001 among the first 50.*headerRows"):
        inspect(many, stated("sku", "title", "price", header_rows=(20_001,)))


@pytest.mark.parametrize("path", ["C:\\new", '"C:\\new"', "\\\\\\n"])
@pytest.mark.parametrize("escape", [None, "\\"], ids=["found", "stated"])
def test_an_escape_before_what_needs_none_is_not_dropped_from_its_value(path: str, escape: str | None) -> None:
    escaped = '3,"5\\" disk",3.50'  # which shows what escapes
    content = f"sku,title,price\n{escaped}\n1,{path},1.50\n2,a\\\\b,2.50\n"
    found = rows(content, stated("sku", "title", "price", escape_char=escape))
    assert found == [("3", '5" disk', "3.50"), f"1,{path},1.50", ("2", "a\\b", "2.50")]


@pytest.mark.parametrize("header", ["\ufeffsku,title,price", '\ufeff"sku","title","price"', "sku,title,price"])
def test_a_header_that_comes_again_with_the_mark_of_another_file_is_no_row(header: str) -> None:
    one, two = ("1,Salt,1.50", "2,Moons,2.50")
    content = f"\ufeffsku,title,price\n{one}\n{header}\n{two}\n"
    assert rows(content) == [TWO[0], header, TWO[1]]
