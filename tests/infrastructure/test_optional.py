"""The components that are off by default, as far as a double of AWS (moto) knows their services.

The requests are what the program deploys. boto3 holds their shapes against AWS's service models before moto gets
them; moto knows neither filters of cells, opt-ins, schedules of refreshes nor chat channels.
"""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.infrastructure.cloudformation import translate
from tests.infrastructure.recording import ACCOUNT, REGION, Recorded, Recording


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
    (location,) = _requests(everything.of_type("aws:lakeformation/resource:Resource"))
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


def test_account_wide_settings_of_the_lake_are_left_alone(everything: Recording) -> None:
    assert everything.of_type("aws:lakeformation/dataLakeSettings:DataLakeSettings") == []


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
