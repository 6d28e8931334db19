"""State machines call services for real, with the rights of their own role."""

import json

import pytest

from emulator.clients import ACCOUNT, REGION
from tests.emulator.toys import LOG_WRITING, Toys, allow, eventually

STATES = "states.amazonaws.com"
GLUE = "glue.amazonaws.com"
JOB_RIGHTS = ["glue:StartJobRun", "glue:GetJobRun", "glue:GetJobRuns", "glue:BatchStopJobRun"]


def job_task(job: str) -> dict[str, object]:
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::glue:startJobRun.sync",
        "Arguments": {"JobName": job, "Arguments": {"--word": "{% $states.input.word %}"}},
        "Output": "{% $states.result.JobRunState %}",
        "End": True,
    }


@pytest.fixture
def job_role(toys: Toys) -> str:
    return toys.role(GLUE, allow("s3:GetObject"), LOG_WRITING)


def job_arn(job: str) -> str:
    return f"arn:aws:glue:{REGION}:{ACCOUNT}:job/{job}"


def test_it_waits_for_a_glue_job(toys: Toys, job_role: str) -> None:
    job = toys.job("import sys; assert 'hello' in sys.argv", job_role)
    role = toys.role(STATES, allow(JOB_RIGHTS, job_arn(job)))
    execution = toys.execution(toys.machine(role, {"Run": job_task(job)}, "Run"), word="hello")
    assert execution["status"] == "SUCCEEDED"
    assert json.loads(execution["output"]) == "SUCCEEDED"


def test_a_failed_job_fails_the_task_with_the_run_as_cause(toys: Toys, job_role: str) -> None:
    job = toys.job("raise ValueError('no such shop')", job_role)
    role = toys.role(STATES, allow(JOB_RIGHTS, job_arn(job)))
    execution = toys.execution(toys.machine(role, {"Run": job_task(job)}, "Run"), word="hello")
    assert execution["error"] == "States.TaskFailed"
    assert json.loads(execution["cause"])["ErrorMessage"] == "ValueError: no such shop"


def test_without_the_right_to_start_the_job_it_fails(toys: Toys, job_role: str) -> None:
    job = toys.job("print('never')", job_role)
    role = toys.role(STATES, allow([right for right in JOB_RIGHTS if right != "glue:StartJobRun"], job_arn(job)))
    execution = toys.execution(toys.machine(role, {"Run": job_task(job)}, "Run"), word="hello")
    assert execution["error"] == "Glue.AccessDeniedException"
    assert "glue:StartJobRun" in execution["cause"]
    assert not toys.client("glue").get_job_runs(JobName=job)["JobRuns"]


def test_a_right_on_another_job_is_no_right(toys: Toys, job_role: str) -> None:
    job = toys.job("print('never')", job_role)
    role = toys.role(STATES, allow(JOB_RIGHTS, job_arn("other")))
    execution = toys.execution(toys.machine(role, {"Run": job_task(job)}, "Run"), word="hello")
    assert execution["error"] == "Glue.AccessDeniedException"


def test_a_role_that_does_not_trust_step_functions_is_refused(toys: Toys) -> None:
    role = toys.role(GLUE, allow("*"))
    machine = toys.machine(role, {"Run": job_task("any")}, "Run")
    execution = toys.execution(machine, word="hello")
    assert execution["status"] == "FAILED"
    assert "can't be assumed by states.amazonaws.com" in execution["cause"]


def read_task(bucket: str) -> dict[str, object]:
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:s3:getObject",
        "Arguments": {"Bucket": bucket, "Key": "summary.json"},
        "Output": "{% $parse($states.result.Body) %}",
        "End": True,
    }


def test_it_reads_an_object(toys: Toys) -> None:
    bucket = toys.bucket()
    toys.put(bucket, "summary.json", '{"outcome": "success", "rows": 3}')
    role = toys.role(STATES, allow("s3:GetObject", f"arn:aws:s3:::{bucket}/*"))
    execution = toys.execution(toys.machine(role, {"Read": read_task(bucket)}, "Read"))
    assert json.loads(execution["output"]) == {"outcome": "success", "rows": 3}


def test_a_missing_object_has_the_sdk_name_of_the_error(toys: Toys) -> None:
    bucket = toys.bucket()
    role = toys.role(STATES, allow(["s3:GetObject", "s3:ListBucket"]))
    assert toys.execution(toys.machine(role, {"Read": read_task(bucket)}, "Read"))["error"] == "S3.NoSuchKeyException"


def test_it_may_not_read_what_its_role_may_not(toys: Toys) -> None:
    bucket = toys.bucket()
    toys.put(bucket, "summary.json", "{}")
    role = toys.role(STATES, allow("s3:GetObject", "arn:aws:s3:::another/*"))
    execution = toys.execution(toys.machine(role, {"Read": read_task(bucket)}, "Read"))
    assert execution["error"] == "S3.AccessDeniedException"


def test_it_notifies_with_the_right_to(toys: Toys) -> None:
    topic, queue = toys.topic_queue()
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sns:publish",
        "Arguments": {
            "TopicArn": topic,
            "Subject": "Done",
            "Message": "3 rows",
            "MessageAttributes": {"outcome": {"DataType": "String", "StringValue": "success"}},
        },
        "End": True,
    }
    role = toys.role(STATES, allow("sns:Publish", topic))
    machine = toys.machine(role, {"Tell": task}, "Tell")
    assert toys.execution(machine)["status"] == "SUCCEEDED"
    [notice] = toys.messages(queue)
    assert (notice["Subject"], notice["Message"]) == ("Done", "3 rows")
    assert notice["MessageAttributes"]["outcome"]["Value"] == "success"

    toys.allow(role, allow("sns:Publish", f"{topic}-other"))
    assert "sns:Publish" in toys.execution(machine)["cause"].replace("SNS:", "sns:")


def test_a_result_above_the_limit_fails_past_every_catch(toys: Toys) -> None:
    bucket = toys.bucket()
    toys.put(bucket, "summary.json", json.dumps("x" * 300_000))
    catch = {"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}]}
    states = {"Read": read_task(bucket) | catch, "Caught": {"Type": "Succeed"}}
    execution = toys.execution(toys.machine(toys.role(STATES, allow("s3:GetObject")), states, "Read"))
    assert execution["error"] == "States.DataLimitExceeded"


def test_starting_twice_with_name_and_input_gives_one_execution(toys: Toys) -> None:
    machine = toys.machine(toys.role(STATES), {"Wait": {"Type": "Wait", "Seconds": 3, "End": True}}, "Wait")
    states = toys.client("stepfunctions")
    first = states.start_execution(stateMachineArn=machine, name="once", input='{"a": 1}')
    again = states.start_execution(stateMachineArn=machine, name="once", input='{"a": 1}')
    assert first["executionArn"] == again["executionArn"]
    with pytest.raises(states.exceptions.ExecutionAlreadyExists):
        states.start_execution(stateMachineArn=machine, name="once", input='{"a": 2}')


def test_an_integration_that_is_not_emulated_says_so(toys: Toys) -> None:
    task = {"Type": "Task", "Resource": "arn:aws:states:::ecs:runTask.sync", "Arguments": {}, "End": True}
    execution = toys.execution(toys.machine(toys.role(STATES), {"Run": task}, "Run"))
    assert "ecs:runTask.sync isn't emulated" in execution["cause"]


def test_a_failed_execution_counts(toys: Toys) -> None:
    machine = toys.machine(toys.role(STATES), {"Stop": {"Type": "Fail", "Error": "Broken"}}, "Stop")
    topic, queue = toys.topic_queue()
    toys.client("cloudwatch").put_metric_alarm(
        AlarmName=toys.name("alarm"),
        Namespace="AWS/States",
        MetricName="ExecutionsFailed",
        Dimensions=[{"Name": "StateMachineArn", "Value": machine}],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
        AlarmActions=[topic],
    )
    toys.execution(machine)
    assert eventually(lambda: toys.messages(queue, seconds=5))
