"""Feature groups are the lake's rows as SageMaker's offline store would have them."""

import base64
import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from components.feature_views import FeatureView, feature_view
from components.settings import parse_settings
from components.settings_reader import SettingsError
from runtime.contract_file import load_contracts
from runtime.tables import dataset_table
from tests.infrastructure.recording import REGION, ROOT, Recording, record

CONTRACTS = load_contracts(ROOT / "contracts")
NOTEBOOK = ROOT / "examples" / "features.ipynb"


@pytest.fixture
def view() -> FeatureView:
    return feature_view(CONTRACTS, "retail_transactions", "article_id", "sold_at")


@pytest.fixture
def lake(view: FeatureView) -> duckdb.DuckDBPyConnection:
    """The dataset's table with three sales, and the view, by DuckDB; of Athena's functions it lacks one."""
    connection = duckdb.connect()
    connection.execute(
        "CREATE MACRO date_format(time, format) AS strftime(time, replace(replace(format, '%i', '%M'), '%s', '%S'))"
    )
    (contract,) = [each for each in CONTRACTS if each.name == "retail_transactions"]
    table = dataset_table(contract)
    columns = ", ".join(f'"{each.name}" {each.type}' for each in (*table.columns, *table.partition_columns))
    connection.execute(f'CREATE TABLE "{table.name}" ({columns})')
    for article, day, price, wrapped in (("1", 1, "2.50", True), ("1", 2, "3.75", False), (None, 3, "1.00", None)):
        connection.execute(
            f'INSERT INTO "{table.name}" (article_id, sold_at, unit_price, gift_wrapped) VALUES (?, ?, ?, ?)',
            [article, datetime(2026, 3, day, 9, 5, tzinfo=UTC).replace(tzinfo=None), Decimal(price), wrapped],
        )
    connection.execute(f'CREATE VIEW "{view.name}" AS {view.sql}')
    return connection


def test_rows_become_records(lake: duckdb.DuckDBPyConnection, view: FeatureView) -> None:
    records = lake.execute(
        f'SELECT article_id, sold_at, unit_price, gift_wrapped, is_deleted FROM "{view.name}" ORDER BY sold_at'
    ).fetchall()
    assert records == [("1", "2026-03-01T09:05:00Z", 2.5, 1, False), ("1", "2026-03-02T09:05:00Z", 3.75, 0, False)]


def test_the_notebook_gets_the_latest_features_of_each_article(
    lake: duckdb.DuckDBPyConnection, view: FeatureView
) -> None:
    rows = lake.execute(view.latest).fetchall()
    names = [column[0] for column in lake.description or []]
    assert names == [feature.name for feature in view.features]
    assert [dict(zip(names, row, strict=True))["unit_price"] for row in rows] == [3.75]


def test_nothing_personal_and_nothing_of_ours_is_a_feature(view: FeatureView) -> None:
    names = {feature.name for feature in view.features}
    assert names.isdisjoint({"card_number", "email", "customer_name"})
    assert [name for name in names if name.startswith("_")] == []


def test_the_feature_group_reads_the_view_and_makes_no_table(everything: Recording, view: FeatureView) -> None:
    (group,) = everything.of_type("aws:sagemaker/featureGroup:FeatureGroup")
    store = group.inputs["offlineStoreConfig"]
    assert store["disableGlueTableCreation"] is True
    assert store["dataCatalogConfig"]["tableName"] == view.name
    definitions = {each["featureName"]: each["featureType"] for each in group.inputs["featureDefinitions"]}
    assert definitions == {feature.name: feature.feature_type for feature in view.features}
    assert definitions[group.inputs["eventTimeFeatureName"]] == "String"


def test_the_role_of_the_store_may_do_what_aws_asks_for_and_only_there(everything: Recording) -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/dg/security-iam-awsmanpol-feature-store.html, but for Iceberg."""
    policy = json.loads(everything.one("aws:iam/rolePolicy:RolePolicy", "-feature-store").inputs["policy"])
    rights = {action: each["Resource"] for each in policy["Statement"] for action in each["Action"]}
    bucket = f"arn:aws:s3:::{everything.exports['artefact_bucket']}"
    assert rights["s3:GetBucketAcl"] == [bucket]
    assert rights["s3:PutObject"] == rights["s3:PutObjectAcl"] == [f"{bucket}/feature-store/*"]
    assert all(resource.startswith("arn:aws:glue:") for resource in rights["glue:GetTable"])
    assert "glue:UpdateTable" not in rights


def test_the_catalogue_has_the_view_as_athena_writes_it(everything: Recording, view: FeatureView) -> None:
    table = everything.one("aws:glue/catalogTable:CatalogTable", "-features")
    assert table.inputs["tableType"] == "VIRTUAL_VIEW"
    (encoded,) = re.findall(r"^/\* Presto View: (\S+) \*/$", table.inputs["viewOriginalText"])
    text = json.loads(base64.b64decode(encoded))
    assert (text["originalSql"], text["schema"]) == (view.sql, everything.exports["database"])
    assert [each["name"] for each in text["columns"]] == [
        each["name"] for each in table.inputs["storageDescriptor"]["columns"]
    ]


@pytest.mark.parametrize(
    ("group", "message"),
    [
        (("sales", "id", "time"), "no dataset is named sales; allowed is bookstore_sales, retail_transactions"),
        (("retail_transactions", "email", "sold_at"), "email can't be the identifier of retail_transactions"),
        (("retail_transactions", "store_id", "sale_date"), "sale_date can't be the event time .* allowed is sold_at"),
        (("bookstore_sales", "book_id", "title"), "allowed is none"),
    ],
)
def test_what_can_be_no_feature_group_is_refused(group: tuple[str, str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        feature_view(CONTRACTS, *group)


def test_a_dataset_has_one_group_only(tmp_path: Path) -> None:
    """Two would be two resources of one name, which Pulumi refuses in the middle of a deployment."""
    groups = [f"retail_transactions/{identifier}/sold_at" for identifier in ("article_id", "store_id")]
    with pytest.raises(SettingsError, match=r"featureGroups is .*one group a dataset: retail_transactions has more"):
        parse_settings({"featureGroups": groups, "contracts": str(ROOT / "contracts")}, "dev")
    program = tmp_path / "__main__.py"
    program.write_text(f"""
from components.feature_store import FeatureStore
groups = [{{"dataset": "retail_transactions", "identifier": each, "event_time": "sold_at"}}
          for each in ("article_id", "store_id")]
FeatureStore("shop", {{"contracts": "{ROOT}/contracts", "groups": groups, "database": "shop", "workgroup": "shop",
                      "store_bucket": "artefacts"}})
""")
    recording = record(program, "alone", {"aws:region": REGION})
    assert "shop: retail_transactions is given more than one group; a dataset may have one" in recording.error
    assert recording.created == []


def test_the_notebook_is_about_what_is_deployed(everything: Recording) -> None:
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    compile(code, NOTEBOOK.name, "exec")
    saved = {query.inputs["name"] for query in everything.of_type("aws:athena/namedQuery:NamedQuery")}
    (asked,) = re.findall(r'QUERY = "(.+)"', code)
    assert asked in saved
