"""The components that are off by default, as far as a double of AWS (moto) knows their services.

The requests are what the program deploys. boto3 holds their shapes against AWS's service models before moto gets
them; moto knows neither filters of cells, opt-ins, schedules of refreshes nor chat channels.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.infrastructure.cloudformation import findings, translate
from tests.infrastructure.recording import ACCOUNT, REGION, ROOT, Recorded, Recording, record


@pytest.fixture
def aws() -> Iterator[Any]:
    """Clients of an AWS that is empty."""
    session = boto3.Session("nobody", "nothing", region_name=REGION)
    with mock_aws():
        yield session.client


def _requests(resources: list[Recorded]) -> list[dict[str, Any]]:
    requests = [translate(resource)["Properties"] for resource in resources]
    assert requests
    return requests


def test_the_budget_tells_the_failure_topic(everything: Recording, aws: Any) -> None:
    budgets = aws("budgets")
    (request,) = _requests(everything.of_type("aws:budgets/budget:Budget"))
    budgets.create_budget(AccountId=ACCOUNT, **request)
    name = request["Budget"]["BudgetName"]
    budget = budgets.describe_budget(AccountId=ACCOUNT, BudgetName=name)["Budget"]
    assert budget["BudgetLimit"] == {"Amount": "50", "Unit": "USD"}
    told = budgets.describe_notifications_for_budget(AccountId=ACCOUNT, BudgetName=name)["Notifications"]
    assert {(each["NotificationType"], each["Threshold"]) for each in told} == {("ACTUAL", 80), ("FORECASTED", 100)}
    subscribers = [each["Address"] for n in request["NotificationsWithSubscribers"] for each in n["Subscribers"]]
    assert set(subscribers) == {everything.exports["failure_topic_arn"]}


def test_the_lake_is_registered_tagged_and_granted(everything: Recording, aws: Any) -> None:
    lake = aws("lakeformation")
    for location in _requests(everything.of_type("aws:lakeformation/resource:Resource")):
        lake.register_resource(**location)
        registered = lake.describe_resource(ResourceArn=location["ResourceArn"])["ResourceInfo"]
        assert registered["RoleArn"] == location["RoleArn"]
    (tag,) = _requests(everything.of_type("aws:lakeformation/lfTag:LfTag"))
    lake.create_lf_tag(**tag)
    for each in _requests(everything.of_type("aws:lakeformation/resourceLfTags:ResourceLfTags")):
        assert lake.add_lf_tags_to_resource(**each)["Failures"] == []
    grants = _requests(everything.of_type("aws:lakeformation/permissions:Permissions"))
    for grant in grants:
        lake.grant_permissions(**grant)
    assert len(lake.list_permissions()["PrincipalResourcePermissions"]) == len(grants)


def test_the_buckets_of_all_tables_are_registered_beside_iam(everything: Recording) -> None:
    locations = everything.of_type("aws:lakeformation/resource:Resource")
    buckets = [everything.exports[f"{purpose}_bucket"] for purpose in ("ledger", "processed", "quarantine")]
    assert sorted(each.inputs["arn"] for each in locations) == [f"arn:aws:s3:::{bucket}" for bucket in buckets]
    assert all(each.inputs["hybridAccessEnabled"] for each in locations)


SENSITIVITY = {
    "bookstore_sales": "internal",
    "bookstore_sales_quarantine": "personal",
    "retail_transactions": "personal",
    "retail_transactions_quarantine": "personal",
    "ledger": "internal",
}


def test_every_table_has_its_sensitivity(everything: Recording) -> None:
    tagged = everything.of_type("aws:lakeformation/resourceLfTags:ResourceLfTags")
    assert {each.inputs["table"]["name"]: each.inputs["lfTags"][0]["value"] for each in tagged} == SENSITIVITY
    views = {each.inputs["name"] for each in everything.of_type("aws:glue/catalogTable:CatalogTable")}
    assert {name for name in views if not name.endswith("_features")} == SENSITIVITY.keys()


@pytest.mark.parametrize(
    ("reader", "values", "filtered"),
    [("analyst", ["internal"], ["retail_transactions"]), ("loyalty", ["internal", "personal"], [])],
)
def test_roles_read_what_their_tags_say_and_else_without_personal_columns(
    everything: Recording, reader: str, values: list[str], filtered: list[str]
) -> None:
    grants = [
        each.inputs
        for each in everything.of_type("aws:lakeformation/permissions:Permissions")
        if each.inputs["principal"].endswith(f"/{reader}")
    ]
    (expression,) = [each["lfTagPolicy"]["expressions"] for each in grants if "lfTagPolicy" in each]
    tag = everything.one("aws:lakeformation/lfTag:LfTag", "").inputs["key"]
    assert expression == [{"key": tag, "values": values}]
    assert [each["dataCellsFilter"]["tableName"] for each in grants if "dataCellsFilter" in each] == filtered
    assert [each["permissions"] for each in grants if "database" in each] == [["DESCRIBE"]]
    assert [each for each in grants if "table" in each] == []


@pytest.mark.parametrize("reader", ["analyst", "loyalty"])
def test_lake_formation_rules_a_role_on_every_table_once_it_is_granted(everything: Recording, reader: str) -> None:
    """Also on those that it may not read: without that, rights of its own by IAM would open them."""
    ruled = [
        each
        for each in everything.of_type("aws:lakeformation/optIn:OptIn")
        if each.inputs["principals"][0]["dataLakePrincipalIdentifier"].endswith(f"/{reader}")
    ]
    assert {each.inputs["resourceDatas"][0]["table"]["name"] for each in ruled} == SENSITIVITY.keys()
    grants = {
        each.urn
        for each in everything.of_type("aws:lakeformation/permissions:Permissions")
        if each.inputs["principal"].endswith(f"/{reader}")
    }
    assert all(grants <= set(each.dependencies) for each in ruled)


def test_account_wide_settings_of_the_lake_are_left_alone(everything: Recording) -> None:
    assert everything.of_type("aws:lakeformation/dataLakeSettings:DataLakeSettings") == []


def test_account_wide_settings_of_the_lake_are_set_when_asked(tmp_path: Path, aws: Any) -> None:
    program = tmp_path / "__main__.py"
    program.write_text(f"""
from components.lake_formation import LakeFormation
LakeFormation("shop", {{
    "contracts": "{ROOT}/contracts", "database": "shop", "processed_bucket": "rows",
    "quarantine_bucket": "refused", "ledger_bucket": "ledger",
    "readers": ["arn:aws:iam::{ACCOUNT}:role/analyst"], "administrators": ["arn:aws:iam::{ACCOUNT}:role/deployer"]}})
""")
    recording = record(program, "alone", {"aws:region": REGION})
    assert not recording.error
    assert findings(recording.resources) == []
    (kept,) = recording.of_type("aws:lakeformation/dataLakeSettings:DataLakeSettings")
    assert kept.retain_on_delete  # deleted, it would leave the account without an administrator
    lake = aws("lakeformation")
    (settings,) = _requests(recording.of_type("aws:lakeformation/dataLakeSettings:DataLakeSettings"))
    settings["DataLakeAdmins"] = settings.pop("Admins")  # CloudFormation's name of it is a name of its own
    lake.put_data_lake_settings(DataLakeSettings=settings)
    set_now = lake.get_data_lake_settings()["DataLakeSettings"]
    assert set_now["DataLakeAdmins"] == [{"DataLakePrincipalIdentifier": f"arn:aws:iam::{ACCOUNT}:role/deployer"}]
    assert set_now["CreateTableDefaultPermissions"] == []
    # The job, the crawler and the warehouse have no other way to the tables.
    by_iam = [
        each.inputs
        for each in recording.of_type("aws:lakeformation/permissions:Permissions")
        if each.inputs["principal"] == "IAM_ALLOWED_PRINCIPALS"
    ]
    assert [each["database"]["name"] for each in by_iam if "database" in each] == ["shop"]
    assert [each["table"]["wildcard"] for each in by_iam if "table" in each] == [True]


def test_quick_sight_gets_the_source_and_data_sets(everything: Recording, aws: Any) -> None:
    quicksight = aws("quicksight")
    (source,) = _requests(everything.of_type("aws:quicksight/dataSource:DataSource"))
    quicksight.create_data_source(AwsAccountId=ACCOUNT, **source)
    (described,) = quicksight.list_data_sources(AwsAccountId=ACCOUNT)["DataSources"]
    assert described["Type"] == "ATHENA"
    for data_set in _requests(everything.of_type("aws:quicksight/dataSet:DataSet")):
        assert quicksight.create_data_set(AwsAccountId=ACCOUNT, **data_set)["DataSetId"] == data_set["DataSetId"]


def test_quick_sight_shows_nothing_personal_and_is_read_anew_daily(everything: Recording) -> None:
    data_set = everything.one("aws:quicksight/dataSet:DataSet", "retail_transactions")
    (table,) = data_set.inputs["physicalTableMaps"]
    columns = {column["name"]: column["type"] for column in table["relationalTable"]["inputColumns"]}
    assert columns["unit_price"] == "DECIMAL"
    assert columns.keys().isdisjoint({"card_number", "email", "customer_name"})
    schedules = everything.of_type("aws:quicksight/refreshSchedule:RefreshSchedule")
    assert {each.inputs["schedule"]["scheduleFrequency"]["interval"] for each in schedules} == {"DAILY"}
    assert len(schedules) == len(everything.of_type("aws:quicksight/dataSet:DataSet"))


def test_sagemaker_gets_the_feature_group(everything: Recording, aws: Any) -> None:
    sagemaker = aws("sagemaker")
    (group,) = _requests(everything.of_type("aws:sagemaker/featureGroup:FeatureGroup"))
    sagemaker.create_feature_group(**group)
    described = sagemaker.describe_feature_group(FeatureGroupName=group["FeatureGroupName"])
    assert described["RecordIdentifierFeatureName"] == "article_id"
    assert described["FeatureDefinitions"] == group["FeatureDefinitions"]
    written = described["OfflineStoreConfig"]["S3StorageConfig"]["ResolvedOutputS3Uri"]
    assert written.startswith(f"s3://{everything.exports['artefact_bucket']}/feature-store/{ACCOUNT}/")


def test_without_settings_none_of_them_is_there(recordings: dict[str, Recording]) -> None:
    from tests.infrastructure.conftest import deployed

    optional = ("budgets", "chatbot", "lakeformation", "quicksight", "sagemaker")
    minimum = deployed(recordings, "minimum")
    assert [each.type for each in minimum.resources if each.type.split(":")[1].split("/")[0] in optional] == []
