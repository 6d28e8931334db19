"""A wrong setting stops the deployment before its first resource, and says what is allowed."""

import json
from pathlib import Path
from typing import Any

import pytest

from components.settings import SettingsError, parse_settings
from emulator.program import stack_config
from tests.infrastructure.recording import ROOT, record


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
        ("contracts", "nowhere", "a folder that is there"),
        ("crawlerSchedule", "daily", "a schedule such as cron(0 3 * * ? *)"),
        ("glueConcurrentRuns", 2.5, "a whole number from 1 to 1000"),
        ("glueWorkerType", "G.9X", "G.1X, G.2X"),
        ("glueWorkers", 1, "a whole number from 2 to 299"),
        ("lambdaPlatform", "x86", "arm64, host"),
        ("logRetentionDays", 8, "1, 3, 5, 7, 14"),
        ("noncurrentDays", "90", "a whole number from 1 to 36500"),
        ("protectData", "yes", "true or false"),
        ("redshift", 1, "true or false"),
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


def test_a_stack_whose_name_fits_no_bucket_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"the stack's name is 'Production_EU'"):
        parse_settings({}, "Production_EU")


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        parse_settings({"glueWorkers": 0, "redshift": "on", "colour": "red"}, "dev")
    assert all(key in str(caught.value) for key in ("glueWorkers", "redshift", "colour"))


def test_settings_that_are_no_mapping_are_refused() -> None:
    with pytest.raises(SettingsError, match="allowed is a mapping with the keys contracts"):
        parse_settings(["glueWorkers"], "dev")


def test_mistakes_of_a_contract_are_told_with_their_place(tmp_path: Path) -> None:
    (tmp_path / "sales.yaml").write_text("name: sales\nschema:\n  fields:\n    - name: price\n      type: money\n")
    with pytest.raises(SettingsError, match=r"sales\.yaml:5: "):
        parse_settings({"contracts": str(tmp_path)}, "dev")


def test_the_program_stops_before_its_first_resource() -> None:
    config = stack_config(ROOT, "dev") | {"retail-pipeline:settings": json.dumps({"glueWorkers": 1})}
    recording = record(ROOT / "__main__.py", "dev", config)
    assert "glueWorkers is 1; allowed is a whole number from 2 to 299" in recording.error
    assert recording.created == []
