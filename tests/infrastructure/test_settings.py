"""A wrong setting stops the deployment before its first resource, and says what is allowed."""

import json
from pathlib import Path
from typing import Any

import pytest

from components.settings import parse_settings
from components.settings_reader import SettingsError
from emulator.program import stack_config
from tests.infrastructure.recording import ROOT, record

KEY = "arn:aws:kms:eu-west-1:123456789012:key/0a1b2c3d"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:alerts"
ROLE = "arn:aws:iam::123456789012:role/analyst"


@pytest.fixture(autouse=True)
def _in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def test_every_setting_has_a_default() -> None:
    settings = parse_settings({}, "dev")
    assert settings.name == "retail-dev"
    assert settings.protect_data
    assert not settings.redshift


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("alertEmails", "me@example.com", "a list of e-mail addresses"),
        ("alertEmails", ["nobody"], "a list of e-mail addresses"),
        ("batchSize", 0, "a whole number from 1 to 10000"),
        ("batchSize", True, "a whole number from 1 to 10000"),
        ("batchWindowSeconds", 301, "a whole number from 0 to 300"),
        ("alertEmails", ["me@example.com"] * 2, "each one once: me@example.com is there more than once"),
        ("lakeReaders", [ROLE] * 2, "each one once"),
        ("kmsKey", KEY.replace("eu-west-1", "us-east-1"), "one of the region eu-west-1"),
        ("failureTopicArn", TOPIC.replace("eu-west-1", "us-east-1"), "one of the region eu-west-1"),
        ("contracts", "nowhere", "a folder that is there"),
        ("crawlerSchedule", "daily", "a schedule such as cron(0 3 * * ? *)"),
        ("glueConcurrentRuns", 2.5, "a whole number from 1 to 1000"),
        ("failureTopicArn", "alerts", "the ARN of a topic, such as arn:aws:sns:"),
        ("formatPlugins", "till-journal", "a list of requirements such as till-journal==1.0"),
        ("formatPlugins", ["nowhere/till_journal-1.0-py3-none-any.whl"], "a list of requirements such as"),
        ("formatPlugins", ["docs"], "a list of requirements such as"),
        ("glueTimeoutMinutes", 0, "a whole number from 1 to 10080"),
        ("glueWorkerType", "G.9X", "G.1X, G.2X"),
        ("glueWorkers", 1, "a whole number from 2 to 299"),
        ("kmsKey", "alias/shop", "create, or the ARN of a key"),
        ("lambdaPlatform", "x86", "arm64, host"),
        ("logRetentionDays", 8, "1, 3, 5, 7, 14"),
        ("noncurrentDays", "90", "a whole number from 1 to 36500"),
        ("name", "Shop", "a letter, then letters, digits and hyphens, 23 at most, in lower case"),
        ("name", "shop-", "a letter, then letters, digits and hyphens, 23 at most, in lower case"),
        ("protectData", "yes", "true or false"),
        ("redshift", 1, "true or false"),
        ("sourceBucket", "s3://uploads", "the name of a bucket"),
        ("sourceBucket", "shop..uploads", "the name of a bucket"),
        ("sourceBucket", "192.168.5.4", "the name of a bucket"),
        ("sourceBucketEvents", True, "nothing, as there is no sourceBucket"),
        ("sourceKeyArn", KEY, "nothing, as there is no sourceBucket"),
        ("successTopicArn", 1, "the ARN of a topic, such as arn:aws:sns:"),
        ("topicKeyArn", KEY, "nothing, as there is no successTopicArn or failureTopicArn"),
        ("lakeReaders", ["analyst"], "a list of ARNs of roles"),
        ("lakePersonalReaders", "analyst", "a list of ARNs of roles"),
        ("monthlyBudgetDollars", -1, "a whole number from 0 to 1000000"),
        ("slackChannel", "#sales", "<workspace>/<channel>, such as T0123ABCDEF/C0123ABCDEF"),
        ("teamsChannel", "Sales", "<tenant>/<team>/<channel>, two UUIDs and 19%3a…"),
        ("validatorConcurrency", 1, "a whole number from 2 to 1000"),
    ],
)
def test_a_wrong_value_is_refused_with_what_is_allowed(key: str, value: Any, allowed: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_settings({key: value}, "dev")
    assert f"{key} is {value!r}; allowed is {allowed}" in str(caught.value)


def test_a_misspelt_key_is_refused_with_the_keys_there_are() -> None:
    with pytest.raises(SettingsError, match=r"alertEmail is no setting; the settings are .*alertEmails"):
        parse_settings({"alertEmail": []}, "dev")


def test_large_batches_need_a_window() -> None:
    with pytest.raises(SettingsError, match=r"batchWindowSeconds is 0; allowed is at least 1, as batchSize is 11"):
        parse_settings({"batchSize": 11}, "dev")


def test_addresses_are_for_a_topic_of_ours_only() -> None:
    values = {"failureTopicArn": TOPIC, "alertEmails": ["me@example.com"]}
    with pytest.raises(
        SettingsError, match=r"alertEmails is .*; allowed is none, as failureTopicArn is a topic of your"
    ):
        parse_settings(values, "dev")


@pytest.mark.parametrize("stack", ["Production_EU", "a-very-long-name-of-a-stack"])
def test_a_stack_whose_name_fits_no_bucket_needs_another(stack: str) -> None:
    with pytest.raises(SettingsError, match=rf"name is 'retail-{stack}'; .* so set a shorter one"):
        parse_settings({}, stack)
    assert parse_settings({"name": "shop-eu"}, stack).name == "shop-eu"


def test_a_stack_needs_a_region() -> None:
    with pytest.raises(SettingsError, match="aws:region is None; allowed is a region, such as eu-west-1"):
        parse_settings({}, "dev", region=None)


@pytest.mark.parametrize("region", ["cn-north-1", "us-gov-west-1", "us-iso-east-1", "eusc-de-east-1", "ireland"])
def test_a_region_of_another_partition_is_refused(region: str) -> None:
    """All ARNs are of the partition `aws`: elsewhere every policy would be about nothing."""
    with pytest.raises(SettingsError, match=rf"aws:region is '{region}'; allowed is a region, .* of the partition aws"):
        parse_settings({}, "dev", region=region)


@pytest.mark.parametrize("region", ["eu-west-1", "us-east-2", "ap-southeast-7", "me-central-1", "mx-central-1"])
def test_a_region_of_the_partition_aws_is_taken(region: str) -> None:
    assert parse_settings({}, "dev", region=region).region == region


def test_a_role_reads_with_personal_columns_or_without() -> None:
    with pytest.raises(SettingsError, match=rf"lakePersonalReaders is .*that aren't lakeReaders too, as {ROLE} is"):
        parse_settings({"lakeReaders": [ROLE], "lakePersonalReaders": [ROLE]}, "dev")


@pytest.mark.parametrize(
    "tags",
    ["shop", {"tags": {"aws:shop": "1"}}, {"tags": {"shop": 1}}, {"tags": {"k" * 129: ""}}, {"tag": {"shop": "1"}}],
)
def test_wrong_tags_are_refused(tags: object) -> None:
    with pytest.raises(SettingsError, match=r"aws:defaultTags is .*; allowed is only tags: with at most 50 keys"):
        parse_settings({}, "dev", default_tags=tags)


def test_the_example_for_a_chain_is_right() -> None:
    config = stack_config(ROOT, "prod.example")
    settings = parse_settings(
        json.loads(config["retail-pipeline:settings"]),
        "prod",
        region=config["aws:region"],
        default_tags=json.loads(config["aws:defaultTags"]),
    )
    assert settings.protect_data
    assert settings.tags["owner"] == "data-platform"


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        parse_settings({"glueWorkers": 0, "redshift": "on", "colour": "red"}, "dev")
    assert all(key in str(caught.value) for key in ("glueWorkers", "redshift", "colour"))


def test_settings_that_are_no_mapping_are_refused() -> None:
    with pytest.raises(SettingsError, match="allowed is a mapping with the keys name, contracts"):
        parse_settings(["glueWorkers"], "dev")


def test_a_folder_of_plugins_has_to_bring_formats(tmp_path: Path) -> None:
    (tmp_path / "sales.py").write_text("import teapot\n")
    with pytest.raises(SettingsError, match=r"pluginFolder is .*sales\.py: the plugin can't be imported"):
        parse_settings({"pluginFolder": str(tmp_path)}, "dev")
    with pytest.raises(SettingsError, match=r"pluginFolder is 'no/such'; allowed is a folder that is there"):
        parse_settings({"pluginFolder": "no/such"}, "dev")


def test_mistakes_of_a_contract_are_told_with_their_place(tmp_path: Path) -> None:
    (tmp_path / "sales.yaml").write_text("name: sales\nschema:\n  fields:\n    - name: price\n      type: money\n")
    with pytest.raises(SettingsError, match=r"sales\.yaml:5: "):
        parse_settings({"contracts": str(tmp_path)}, "dev")


def test_the_program_stops_before_its_first_resource() -> None:
    config = stack_config(ROOT, "dev") | {"retail-pipeline:settings": json.dumps({"glueWorkers": 1})}
    recording = record(ROOT / "__main__.py", "dev", config)
    assert "glueWorkers is 1; allowed is a whole number from 2 to 299" in recording.error
    assert recording.created == []
