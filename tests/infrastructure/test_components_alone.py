"""Each component can be used alone, by a program of five lines."""

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.provider.experimental.analyzer import Analyzer

from tests.infrastructure.cloudformation import findings
from tests.infrastructure.recording import ROOT, Recording, record

TOPIC = "arn:aws:sns:eu-west-1:123456789012:shop"
MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:shop"
ANALYST = "arn:aws:iam::123456789012:role/analyst"
OWNER = "arn:aws:quicksight:eu-west-1:123456789012:user/default/owner"
CONTRACTS = f"{ROOT}/contracts"

PROGRAMS = {
    "storage.Storage": 'Storage("shop", {})',
    "notices.Notices": 'Notices("shop", {"emails": ["shopkeeper@example.com"]})',
    "analytics.Analytics": """Analytics("shop", {"contracts": CONTRACTS, "processed_bucket": "rows",
        "quarantine_bucket": "refused", "ledger_bucket": "ledger", "result_bucket": "results"})""",
    "orchestration.Orchestration": """Orchestration("shop", {"contracts": CONTRACTS, "lambda_platform": "host",
        "source_bucket": "uploads", "processed_bucket": "rows", "quarantine_bucket": "refused",
        "ledger_bucket": "ledger", "artefact_bucket": "programs", "database": "shop",
        "success_topic_arn": TOPIC, "failure_topic_arn": TOPIC})""",
    "alerting.Alerting": """Alerting("shop", {"failure_topic_arn": TOPIC, "state_machine_arn": MACHINE,
        "validator_function": "validator", "glue_job": "job", "ingest_queue": "uploads",
        "dead_letter_queue": "dead", "upload_rule": "rule", "crawler": "crawler",
        "crawler_log_group": "/aws-glue/crawlers-role/crawler"})""",
    "budget.Budget": 'Budget("shop", {"monthly_dollars": 50, "topic_arns": [TOPIC]})',
    "chat.Chat": """Chat("shop", {"topic_arns": [TOPIC],
        "slack": {"workspace": "T0123ABCDEF", "channel": "C0123ABCDEF"}})""",
    "lake_formation.LakeFormation": """LakeFormation("shop", {"contracts": CONTRACTS, "database": "shop",
        "processed_bucket": "rows", "quarantine_bucket": "refused", "ledger_bucket": "ledger",
        "readers": [ANALYST]})""",
    "quicksight.QuickSight": """QuickSight("shop", {"contracts": CONTRACTS, "database": "shop", "workgroup": "shop",
        "processed_bucket": "rows", "result_bucket": "results", "users": [OWNER]})""",
    "feature_store.FeatureStore": """FeatureStore("shop", {"contracts": CONTRACTS, "database": "shop",
        "workgroup": "shop", "store_bucket": "features",
        "groups": [{"dataset": "retail_transactions", "identifier": "store_id", "event_time": "sold_at"}]})""",
    "warehouse.Warehouse": 'Warehouse("shop", {"database": "shop", "buckets": ["rows"]})',
}
"""What makes each component; capitals stand for the values above. Buckets and topics are some that exist already."""


def _class(component: str) -> Any:
    module, class_name = component.split(".")
    return getattr(import_module(f"components.{module}"), class_name)


def _run(component: str, made: str, folder: Path) -> Recording:
    """Records the program that makes a component and exports all it has."""
    module, class_name = component.split(".")
    program = f"from components.{module} import {class_name}\n{made}\n"
    assert len(program.splitlines()) <= 5
    for name in ("TOPIC", "MACHINE", "ANALYST", "OWNER", "CONTRACTS"):
        made = re.sub(rf"\b{name}\b", repr(globals()[name]), made)
    file = folder / "__main__.py"
    file.write_text(
        f"from components.{module} import {class_name}\nimport pulumi\nmade = {made}\n"
        f"for output in {class_name}.__annotations__:\n    pulumi.export(output, getattr(made, output))\n"
        'pulumi.export("once", made._aliases[0])\n'
    )
    recording = record(file, "alone", {"aws:region": "eu-west-1"})
    assert not recording.error
    once = f"urn:pulumi:alone::retail-pipeline::retail:{module}:{class_name}::shop"
    assert recording.exports.pop("once") == once, "what was deployed under the type before would be replaced"
    return recording


@pytest.mark.parametrize("component", PROGRAMS)
def test_a_component_works_alone_in_five_lines(component: str, tmp_path: Path) -> None:
    recording = _run(component, PROGRAMS[component], tmp_path)
    (made,) = recording.of_type(f"retail-pipeline:index:{component.partition('.')[2]}")
    assert recording.exports
    assert {**made.outputs} == recording.exports
    for resource in recording.resources:
        assert resource.name.startswith("shop")
        if resource.urn != made.urn:
            assert f"{made.type}$" in resource.urn, f"{resource.name} isn't a child of the component"
    assert findings(recording.resources) == []


@pytest.mark.filterwarnings("ignore:.* has been deprecated in favor of:DeprecationWarning")
def test_every_component_is_tried_alone() -> None:
    modules = (path.stem for path in (ROOT / "components").glob("*.py") if path.stem != "__main__")
    components = {
        f"{module}.{name}"
        for module in modules
        for name, value in vars(import_module(f"components.{module}")).items()
        if isinstance(value, type)
        and issubclass(value, pulumi.ComponentResource)
        and value.__module__ == f"components.{module}"
    }
    assert components == set(PROGRAMS)


def test_topics_that_are_there_are_left_as_they_are(tmp_path: Path) -> None:
    made = 'Notices("shop", {"success_topic_arn": TOPIC, "failure_topic_arn": TOPIC})'
    recording = _run("notices.Notices", made, tmp_path)
    assert recording.exports == {"success_topic_arn": TOPIC, "failure_topic_arn": TOPIC, "key_arns": []}
    assert [resource.type for resource in recording.resources] == ["retail-pipeline:index:Notices"]


@pytest.mark.filterwarnings("ignore:.* has been deprecated in favor of:DeprecationWarning")
def test_components_can_be_offered_to_other_languages() -> None:
    """Their arguments are documented TypedDicts: that is what Pulumi makes a package's schema of."""
    components = [_class(component) for component in PROGRAMS]
    described = Analyzer("retail-pipeline").analyze(components)["component_definitions"]
    assert set(described) == {component.__name__ for component in components}
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


@pytest.mark.filterwarnings("ignore:.* has been deprecated in favor of:DeprecationWarning")
@pytest.mark.parametrize("component", PROGRAMS)
def test_a_misspelt_argument_is_refused_with_those_there_are(component: str) -> None:
    """Most arguments may be left out: without this the default would be taken for one that nobody can see is lost."""
    [described] = Analyzer("retail-pipeline").analyze([_class(component)])["component_definitions"].values()
    arguments = ", ".join(sorted(described.inputs_mapping.values()))
    with pytest.raises(ValueError, match=f"^shop: kms_key is no argument; the arguments are {arguments}$"):
        _class(component)("shop", {"kms_key": "create"})


@pytest.mark.parametrize(
    ("component", "arguments", "message"),
    [
        (
            "chat.Chat",
            {"topic_arns": [TOPIC], "slack": {"workspace": "T0123ABCDEF", "chanel": "C0123ABCDEF"}},
            "shop: slack: chanel is no argument; the arguments are channel, workspace",
        ),
        (
            "feature_store.FeatureStore",
            {"groups": [{"dataset": "retail_transactions", "identifier": "store_id", "time": "sold_at"}]},
            "shop: groups: time is no argument; the arguments are dataset, event_time, identifier",
        ),
    ],
)
def test_a_misspelt_argument_within_an_argument_is_refused_too(
    component: str, arguments: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        _class(component)("shop", arguments)
