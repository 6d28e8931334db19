"""One contract gives the table in every engine's words."""

from pathlib import Path

import boto3
import pyarrow as pa
import pytest

from runtime.catalog import FolderCatalog, GlueCatalog
from runtime.contract_file import load_contract
from runtime.storage import FolderStorage
from runtime.tables import arrow_schema, dataset_table, ledger_table, quarantine_table
from tests.runtime.sales import contract, field_contract

BOOKSTORE = load_contract(Path(__file__).parents[2] / "contracts" / "bookstore_sales.yaml")


def test_the_bookstores_table_has_its_columns_the_lineage_and_the_partition() -> None:
    table = dataset_table(BOOKSTORE)
    assert [(column.name, column.type) for column in table.columns] == [
        ("title", "string"),
        ("price", "decimal(12,2)"),
        ("age_group", "string"),
        ("book_id", "string"),
        ("transaction_id", "string"),
        ("_source_key", "string"),
        ("_source_version", "string"),
        ("_source_row", "bigint"),
    ]
    assert [(column.name, column.type) for column in table.partition_columns] == [("genre", "string")]
    assert all(column.comment for column in (*table.columns, *table.partition_columns))
    assert (table.name, table.bucket, table.prefix) == ("bookstore_sales", "processed", "bookstore_sales/")


def test_its_files_have_an_arrow_schema_without_the_partition() -> None:
    assert arrow_schema(dataset_table(BOOKSTORE)) == pa.schema(
        [
            ("title", pa.string()),
            ("price", pa.decimal128(12, 2)),
            ("age_group", pa.string()),
            ("book_id", pa.string()),
            ("transaction_id", pa.string()),
            ("_source_key", pa.string()),
            ("_source_version", pa.string()),
            ("_source_row", pa.int64()),
        ]
    )


@pytest.mark.parametrize(
    ("field", "hive", "arrow"),
    [
        ({"type": "string"}, "string", pa.string()),
        ({"type": "number"}, "decimal(18,4)", pa.decimal128(18, 4)),
        ({"type": "number", "decimal": {"precision": 38}}, "decimal(38,4)", pa.decimal128(38, 4)),
        ({"type": "integer"}, "bigint", pa.int64()),
        ({"type": "boolean"}, "boolean", pa.bool_()),
        ({"type": "date"}, "date", pa.date32()),
        ({"type": "datetime"}, "timestamp", pa.timestamp("us", "UTC")),
    ],
)
def test_a_type_is_stored_alike_in_hives_and_arrows_words(
    field: dict[str, object], hive: str, arrow: pa.DataType
) -> None:
    table = dataset_table(field_contract({"name": "it", **field}))
    assert table.columns[0].type == hive
    assert arrow_schema(table).field("it").type == arrow


def test_the_quarantine_is_a_table_beside_each_dataset_and_the_ledger_one_for_all() -> None:
    quarantine = quarantine_table(BOOKSTORE)
    assert (quarantine.name, quarantine.bucket, quarantine.format) == (
        "bookstore_sales_quarantine",
        "quarantine",
        "parquet",
    )
    assert {"reason", "rule", "raw_text", "_source_row"} <= {column.name for column in quarantine.columns}
    ledger = ledger_table()
    assert (ledger.name, ledger.bucket, ledger.prefix, ledger.format) == ("ledger", "ledger", "objects/", "json")


def test_a_folders_catalogue_gives_back_the_tables_that_it_was_told(tmp_path: Path) -> None:
    catalog = FolderCatalog(FolderStorage(tmp_path))
    tables = [dataset_table(BOOKSTORE), quarantine_table(BOOKSTORE), ledger_table()]
    for table in [*tables, *tables]:
        catalog.register(table, {("Fiction",)} if table.partition_columns else ())
    assert catalog.tables() == tables


@pytest.fixture
def glue_table(aws: None) -> None:
    client = boto3.client("glue")
    client.create_database(DatabaseInput={"Name": "shop"})
    client.create_table(
        DatabaseName="shop", TableInput={"Name": "sales", "PartitionKeys": [{"Name": "genre", "Type": "string"}]}
    )


def registered() -> dict[str, str]:
    pages = boto3.client("glue").get_paginator("get_partitions").paginate(DatabaseName="shop", TableName="sales")
    return {
        partition["Values"][0]: partition["StorageDescriptor"]["Location"]
        for page in pages
        for partition in page["Partitions"]
    }


@pytest.mark.usefixtures("glue_table")
def test_glue_knows_each_partition_by_its_value_and_its_folder_by_hives_spelling() -> None:
    table = dataset_table(contract())
    GlueCatalog(boto3.client("glue"), "shop", "lake").register(table, {("Fiction",), ("a/b",)})
    assert registered() == {
        "Fiction": "s3://lake/sales/genre=Fiction/",
        "a/b": "s3://lake/sales/genre=a%2Fb/",
    }
    [partition, _] = boto3.client("glue").get_partitions(DatabaseName="shop", TableName="sales")["Partitions"]
    columns = [(column["Name"], column["Type"]) for column in partition["StorageDescriptor"]["Columns"]]
    assert columns == [(column.name, column.type) for column in table.columns]


@pytest.mark.usefixtures("glue_table")
def test_partitions_that_glue_knows_already_may_be_given_again_and_many_at_once() -> None:
    catalog = GlueCatalog(boto3.client("glue"), "shop", "lake")
    catalog.register(dataset_table(contract()), {("g7",)})
    catalog.register(dataset_table(contract()), {(f"g{number}",) for number in range(250)})
    assert len(registered()) == 250


@pytest.mark.usefixtures("glue_table")
def test_a_table_without_partitions_needs_no_word_to_glue() -> None:
    GlueCatalog(boto3.client("glue"), "no such database", "lake").register(quarantine_table(contract()), ())


@pytest.mark.usefixtures("glue_table")
def test_another_refusal_of_glue_is_raised() -> None:
    client = boto3.client("glue")
    with pytest.raises(client.exceptions.EntityNotFoundException):
        GlueCatalog(client, "nowhere", "lake").register(dataset_table(contract()), {("Fiction",)})
