"""Each component can be used alone, by a program of a few lines."""

from importlib import import_module
from pathlib import Path

import pytest
from pulumi.provider.experimental.analyzer import Analyzer

from tests.infrastructure.recording import ROOT, record

BUCKETS = """{"source_bucket": "uploads", "processed_bucket": "rows", "quarantine_bucket": "refused",
 "ledger_bucket": "ledger", "artefact_bucket": "programs"}"""
TOPIC = "arn:aws:sns:eu-west-1:123456789012:shop"

PROGRAMS = {
    "storage.Storage": 'Storage("shop", {})',
    "notices.Notices": 'Notices("shop", {"emails": ["shopkeeper@example.com"]})',
    "analytics.Analytics": f"""Analytics("shop", {{
        "contracts": "{ROOT}/contracts", "processed_bucket": "rows", "quarantine_bucket": "refused",
        "ledger_bucket": "ledger", "result_bucket": "results"}})""",
    "orchestration.Orchestration": f"""Orchestration("shop", {{
        **{BUCKETS}, "contracts": "{ROOT}/contracts", "database": "shop", "lambda_platform": "host",
        "success_topic_arn": "{TOPIC}", "failure_topic_arn": "{TOPIC}",
        "notice_key_arn": "arn:aws:kms:eu-west-1:123456789012:key/1"}})""",
    "alerting.Alerting": f"""Alerting("shop", {{
        "failure_topic_arn": "{TOPIC}", "state_machine_arn": "arn:aws:states:eu-west-1:123456789012:stateMachine:m",
        "validator_function": "validator", "glue_job": "job", "ingest_queue": "uploads",
        "dead_letter_queue": "dead", "upload_rule": "rule", "crawler": "crawler",
        "crawler_log_group": "/aws-glue/crawlers-role/crawler"}})""",
    "budget.Budget": f'Budget("shop", {{"monthly_dollars": 50, "topic_arns": ["{TOPIC}"]}})',
    "chat.Chat": f"""Chat("shop", {{
        "topic_arns": ["{TOPIC}"], "slack": {{"workspace": "T0123ABCDEF", "channel": "C0123ABCDEF"}}}})""",
    "lake_formation.LakeFormation": f"""LakeFormation("shop", {{
        "contracts": "{ROOT}/contracts", "database": "shop", "processed_bucket": "rows",
        "quarantine_bucket": "refused", "ledger_bucket": "ledger",
        "readers": ["arn:aws:iam::123456789012:role/analyst"]}})""",
    "quicksight.QuickSight": f"""QuickSight("shop", {{
        "contracts": "{ROOT}/contracts", "database": "shop", "workgroup": "shop", "processed_bucket": "rows",
        "result_bucket": "results", "users": ["arn:aws:quicksight:eu-west-1:123456789012:user/default/owner"]}})""",
    "feature_store.FeatureStore": f"""FeatureStore("shop", {{
        "contracts": "{ROOT}/contracts", "database": "shop", "workgroup": "shop", "store_bucket": "features",
        "groups": [{{"dataset": "retail_transactions", "identifier": "store_id", "event_time": "sold_at"}}]}})""",
    "warehouse.Warehouse": 'Warehouse("shop", {"database": "shop", "buckets": ["rows"]})',
}


@pytest.mark.parametrize("component", PROGRAMS)
def test_a_component_works_alone(component: str, tmp_path: Path) -> None:
    module, class_name = component.split(".")
    program = tmp_path / "__main__.py"
    program.write_text(
        f"from components.{module} import {class_name}\nimport pulumi\n"
        f"made = {PROGRAMS[component]}\n"
        f"for output in {class_name}.__annotations__:\n    pulumi.export(output, getattr(made, output))\n"
        'pulumi.export("once", made._aliases[0])\n'
    )
    recording = record(program, "alone", {"aws:region": "eu-west-1"})
    assert not recording.error
    (made,) = recording.of_type(f"retail-pipeline:index:{class_name}")
    assert recording.exports.pop("once") == f"urn:pulumi:alone::retail-pipeline::retail:{module}:{class_name}::shop"
    assert recording.exports
    assert {**made.outputs} == recording.exports
    for resource in recording.resources:
        assert resource.name.startswith("shop")
        if resource.urn != made.urn:
            assert f"{made.type}$" in resource.urn, f"{resource.name} isn't a child of the component"


@pytest.mark.filterwarnings("ignore:.* has been deprecated in favor of:DeprecationWarning")
def test_components_can_be_offered_to_other_languages() -> None:
    """Their arguments are documented TypedDicts: that is what Pulumi makes a package's schema of."""
    names = [component.split(".") for component in PROGRAMS]
    components = [getattr(import_module(f"components.{module}"), class_name) for module, class_name in names]
    described = Analyzer("retail-pipeline").analyze(components)["component_definitions"]
    assert set(described) == {class_name for _, class_name in names}
    for component in described.values():
        properties = {**component.inputs, **component.outputs}
        assert [name for name, each in properties.items() if not each.description] == []


@pytest.mark.parametrize("events", [False, True])
def test_a_bucket_that_is_there_is_changed_only_when_asked(events: bool, tmp_path: Path) -> None:
    program = tmp_path / "__main__.py"
    program.write_text(
        "from components.storage import Storage\nimport pulumi\n"
        f'storage = Storage("shop", {{"source_bucket": "uploads", "source_bucket_events": {events}}})\n'
        'pulumi.export("source_bucket", storage.source_bucket)\n'
    )
    recording = record(program, "alone", {"aws:region": "eu-west-1"})
    assert recording.exports == {"source_bucket": "uploads"}
    touching = [resource for resource in recording.resources if resource.inputs.get("bucket") == "uploads"]
    assert [resource.inputs for resource in touching] == [{"bucket": "uploads", "eventbridge": True}] * events
