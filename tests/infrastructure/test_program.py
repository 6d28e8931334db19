"""What the Pulumi engine would refuse is refused without it too, and so is what a test double would let pass."""

from pathlib import Path

import pytest

from emulator.program import ProgramError, run_program, stack_config
from tests.infrastructure.recording import ROOT, record


def _program(folder: Path, text: str) -> Path:
    file = folder / "__main__.py"
    file.write_text("import pulumi\nimport pulumi_aws as aws\n" + text, encoding="utf-8")
    return file


def test_resources_get_what_the_provider_gives(tmp_path: Path) -> None:
    program = _program(
        tmp_path,
        """
queue = aws.sqs.Queue("letters", name="letters", visibility_timeout_seconds=30)
aws.sqs.QueuePolicy("letters", queue_url=queue.url, policy=queue.arn.apply(lambda arn: f"for {arn}"))
pulumi.export("arn", queue.arn)
""",
    )
    recording = record(program, "test", {})
    policy = recording.one("aws:sqs/queuePolicy:QueuePolicy", "letters")
    assert policy.inputs["policy"] == "for arn:aws:sqs:eu-west-1:123456789012:letters"
    assert policy.dependencies == [recording.one("aws:sqs/queue:Queue", "letters").urn]
    assert recording.exports == {"arn": "arn:aws:sqs:eu-west-1:123456789012:letters"}


def test_whole_numbers_arrive_whole(tmp_path: Path) -> None:
    recording = record(_program(tmp_path, 'aws.sqs.Queue("letters", name="letters", delay_seconds=30)'), "test", {})
    seconds = recording.one("aws:sqs/queue:Queue", "letters").inputs["delaySeconds"]
    assert (seconds, type(seconds)) == (30, int)


def test_children_are_named_below_all_their_parents(tmp_path: Path) -> None:
    program = _program(
        tmp_path,
        """
class Post(pulumi.ComponentResource):
    def __init__(self):
        super().__init__("test:post:Post", "post")
        queue = aws.sqs.Queue("letters", name="letters", opts=pulumi.ResourceOptions(parent=self, protect=True))
        aws.sqs.QueuePolicy("letters", queue_url=queue.url, policy="{}", opts=pulumi.ResourceOptions(parent=queue))
Post()
""",
    )
    recording = record(program, "test", {})
    assert [resource.urn.split("::")[2] for resource in recording.resources] == [
        "test:post:Post",
        "test:post:Post$aws:sqs/queue:Queue",
        "test:post:Post$aws:sqs/queue:Queue$aws:sqs/queuePolicy:QueuePolicy",
    ]
    assert recording.one("aws:sqs/queue:Queue", "letters").protect


def test_two_resources_of_one_name_are_an_error(tmp_path: Path) -> None:
    program = _program(tmp_path, 'for name in "ab":\n    aws.sqs.Queue("letters", name=name)\n')
    error = record(program, "test", {}).error
    assert "duplicate resource URN urn:pulumi:test::retail-pipeline::aws:sqs/queue:Queue::letters" in error


@pytest.mark.parametrize(
    "use",
    [
        'aws.sqs.QueuePolicy("letters", queue_url="url", policy=queue.arn)',
        'aws.sqs.QueuePolicy("letters", queue_url="url", policy=pulumi.Output.json_dumps({"a": [queue.arn]}))',
        'pulumi.export("arn", queue.arn)',
    ],
)
def test_an_output_that_nobody_supplied_is_an_error(tmp_path: Path, use: str) -> None:
    program = _program(tmp_path, f'queue = aws.sqs.Queue("letters", name="letters")\n{use}\n')
    error = record(program, "test", {}, without_outputs="aws:sqs/queue:Queue").error
    assert "the provider didn't supply: arn of aws:sqs/queue:Queue letters" in error


def test_an_output_in_a_text_is_an_error(tmp_path: Path) -> None:
    program = _program(tmp_path, 'queue = aws.sqs.Queue("letters", name="letters")\nf"{queue.arn}"\n')
    assert "Calling __str__ on an Output[T] is not supported" in record(program, "test", {}).error


def test_an_error_of_the_program_is_its_own(tmp_path: Path) -> None:
    assert record(_program(tmp_path, 'raise KeyError("colour")'), "test", {}).error == "KeyError: 'colour'"


def test_a_process_runs_one_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emulator.program._has_run", True)
    with pytest.raises(ProgramError, match="start a new process"):
        run_program(_program(tmp_path, ""), project="p", stack="s", config={}, provider=None)  # type: ignore[arg-type]


def test_configuration_is_read_as_the_command_line_hands_it_over() -> None:
    config = stack_config(ROOT, "local")
    assert config["aws:region"] == "eu-west-1"
    assert config["retail-pipeline:settings"].startswith('{"lambdaPlatform": "host"')


def test_encrypted_configuration_is_refused(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.dev.yaml").write_text("config:\n  shop:token:\n    secure: AAAB\n")
    with pytest.raises(ProgramError, match="shop:token is encrypted"):
        stack_config(tmp_path, "dev")
