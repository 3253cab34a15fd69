"""template.yaml: what the dashboard and the alarms look at is what the functions write."""

import json
import re
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

import pytest
from template import RefusedError, Stack, logical_id

from harness import scene
from harness.binaries import FUNCTIONS, REPOSITORY
from harness.emulator import Emulator
from harness.local import LocalSageMaker

STACK = Stack()
NAMESPACE = "SageMakerDeployments"

# What an operator has to mend; the rest of the errors are the caller's.
OPERATORS_ERRORS = {"DeploymentTimedOut", "AccessDenied", "ResourceLimitExceeded", "Throttled", "SageMakerError"}

# The metrics that are not the functions' own.
NAMESPACES = {
    "ApproximateNumberOfMessagesVisible": "AWS/SQS",
    "ApproximateAgeOfOldestMessage": "AWS/SQS",
    "Throttles": "AWS/Lambda",
    "FailedInvocations": "AWS/Events",
}

# With rules that start pipelines.
PIPELINE = f"{scene.ARN}:pipeline/model"
TRIGGERED = Stack(
    DeployPipelineArn=f"{PIPELINE}-deploy",
    ModelPackageGroupName="churn",
    CompletePipelineArn=f"{PIPELINE}-complete",
    DataBucketName="incoming",
)

Metric = tuple[str, frozenset[tuple[str, str]]]


def alarms(stack: Stack = STACK) -> dict[str, dict[str, Any]]:
    return stack.of_type("AWS::CloudWatch::Alarm")


def watched(alarm: dict[str, Any]) -> set[Metric]:
    """Return the metrics that an alarm looks at, with their dimensions."""
    metrics = [each["MetricStat"]["Metric"] for each in alarm.get("Metrics", []) if "MetricStat" in each] or [alarm]
    for metric in metrics:
        assert metric["Namespace"] == NAMESPACES.get(metric["MetricName"], NAMESPACE)
    return {
        (metric["MetricName"], frozenset((each["Name"], each["Value"]) for each in metric.get("Dimensions", [])))
        for metric in metrics
    }


def failures(error_type: str, *functions: str) -> set[Metric]:
    return {
        ("Failures", frozenset({("Function", f"<{logical_id(function)}>"), ("ErrorType", error_type)}))
        for function in functions
    }


def test_an_alarm_tells_of_rolled_back_of_failed_creations_and_of_what_an_operator_mends():
    deploying = ("deploy-new-endpoint", "deploy-existing-endpoint")
    assert {name: watched(alarm) for name, alarm in alarms().items()} == {
        "RolledBackAlarm": failures("UpdateRolledBack", "deploy-existing-endpoint"),
        "CreationFailedAlarm": failures("EndpointCreationFailed", *deploying),
        "DeploymentFailedAlarm": set().union(*(failures(each, *deploying) for each in OPERATORS_ERRORS)),
        "CrashedAlarm": {("sagemaker-crashes", frozenset())},
        "ThrottledAlarm": {("Throttles", frozenset({("FunctionName", f"<{logical_id(name)}>")})) for name in FUNCTIONS},
        "DeadLettersAlarm": of_queues("ApproximateNumberOfMessagesVisible", "DeadLetterQueue"),
        "OldestMessageAlarm": of_queues("ApproximateAgeOfOldestMessage", "Queue"),
    }


def of_queues(metric: str, kind: str) -> set[Metric]:
    names = [f"{function}{kind}" for function in ("DeployNewEndpoint", "DeployExistingEndpoint")]
    return {(metric, frozenset({("QueueName", f"<{name}.QueueName>")})) for name in names}


def test_an_alarm_tells_of_a_pipeline_that_is_not_started():
    def failed(stack: Stack) -> set[Metric]:
        return watched(alarms(stack)["TriggerFailedAlarm"])

    rules = {
        ("FailedInvocations", frozenset({("RuleName", f"<{name}>")})) for name in ("DeployOnApproval", "CompleteOnData")
    }
    assert failed(TRIGGERED) == rules
    one = Stack(CompletePipelineArn=f"{PIPELINE}-complete", DataBucketName="incoming")
    assert failed(one) == {("FailedInvocations", frozenset({("RuleName", "<CompleteOnData>")}))}


def report(status: str, error_type: str | None = None) -> dict[str, Any]:
    """Return Lambda's report of an invocation, as it is in the log."""
    record = {"requestId": "8f5e", "metrics": {"durationMs": 900000.0}, "status": status}
    return {
        "time": "2026-11-26T01:00:00.000Z",
        "type": "platform.report",
        "record": {**record, "errorType": error_type},
    }


@pytest.mark.parametrize(
    ("line", "crashed"),
    [
        (report("success"), False),
        # The function's own errors. It has counted them itself.
        (report("failure", "Function.Unknown"), False),
        (report("error", "Function.Unknown"), False),
        (report("timeout"), True),
        (report("timeout", "Sandbox.Timedout"), True),
        (report("error", "Runtime.ExitError"), True),
        (report("failure", "Runtime.OutOfMemory"), True),
        ({"level": "ERROR", "error_type": "SageMakerError", "error_message": "timeout"}, False),
    ],
)
def test_a_function_that_lambda_ended_counts_as_crashed(line: dict[str, Any], crashed: bool):
    filters = STACK.of_type("AWS::Logs::MetricFilter").values()
    groups = {STACK.function(name)["LoggingConfig"]["LogGroup"] for name in FUNCTIONS}
    assert {each["LogGroupName"] for each in filters} == groups
    assert Stack(Alarms="false").of_type("AWS::Logs::MetricFilter") == {}
    for each in filters:
        [made] = each["MetricTransformations"]
        assert (made["MetricNamespace"], made["MetricName"]) == (NAMESPACE, "sagemaker-crashes")
        kind, *ended = re.findall(r'\$\.([\w.]+) = "([^"]+)"', each["FilterPattern"])
        # All of the kind, and one of the rest.
        assert re.sub(r'\(\$[^)]+"\)', "x", each["FilterPattern"]) == "{ x && (x || x || x) }"
        assert (is_so(line, *kind) and any(is_so(line, *condition) for condition in ended)) == crashed


def is_so(line: dict[str, Any], path: str, wanted: str) -> bool:
    value: Any = line
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return isinstance(value, str) and fnmatchcase(value, wanted)


# Longer than a message of a deployment is in its queue.
LIMITS = {"OldestMessageAlarm": 64800}


@pytest.mark.parametrize("name", alarms(TRIGGERED))
def test_an_alarm_sounds_at_the_first_failure_and_at_none_where_nothing_is_deployed(name: str):
    alarm = alarms(TRIGGERED)[name]
    assert alarm["Threshold"] == LIMITS.get(name, 1)
    assert alarm["DatapointsToAlarm"] == 1
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    assert alarm["TreatMissingData"] == "notBreaching"
    returned = [each for each in alarm.get("Metrics", []) if each.get("ReturnData", True)]
    if returned:
        [expression] = returned
        sources = {each["Id"] for each in alarm["Metrics"]} - {expression["Id"]}
        # CloudWatch's limit for one alarm.
        assert len(sources) <= 10
        # What happens is added up; what is there is seen at its most.
        stat = "Maximum" if name in ("DeadLettersAlarm", "OldestMessageAlarm") else "Sum"
        assert all(each["MetricStat"]["Stat"] == stat for each in alarm["Metrics"] if "MetricStat" in each)
        text = expression["Expression"]
        assert "METRICS()" in text or all(re.search(rf"\b{source}\b", text) for source in sources)
    else:
        assert alarm["Statistic"] == "Sum"


def test_alarms_write_to_the_topic_that_the_stack_names():
    topic = "arn:aws:sns:eu-west-1:123456789012:on-call"
    assert all(alarm["AlarmActions"] == [topic] for alarm in alarms(Stack(AlarmTopicArn=topic)).values())
    assert all("AlarmActions" not in alarm for alarm in alarms().values())
    with pytest.raises(RefusedError):
        Stack(AlarmTopicArn="on-call")


def test_alarms_and_dashboard_can_be_left_out():
    assert alarms(Stack(Alarms="false")) == {}
    without_queues = alarms(Stack(CallbackQueues="false"))
    assert set(alarms()) - set(without_queues) == {"DeadLettersAlarm", "OldestMessageAlarm"}
    assert set(alarms(TRIGGERED)) - set(alarms()) == {"TriggerFailedAlarm"}
    assert Stack(Dashboard="false").of_type("AWS::CloudWatch::Dashboard") == {}


def widgets(stack: Stack = STACK) -> list[dict[str, Any]]:
    [dashboard] = stack.of_type("AWS::CloudWatch::Dashboard").values()
    return json.loads(dashboard["DashboardBody"])["widgets"]


def test_the_dashboard_shows_the_alarms_where_there_are_any():
    [shown] = [widget["properties"]["alarms"] for widget in widgets() if widget["type"] == "alarm"]
    assert shown == [f"<{name}.Arn>" for name in alarms()]
    [shown] = [widget["properties"]["alarms"] for widget in widgets(TRIGGERED) if widget["type"] == "alarm"]
    assert shown == [f"<{name}.Arn>" for name in alarms(TRIGGERED)]
    without_queues = widgets(Stack(CallbackQueues="false"))
    [shown] = [widget["properties"]["alarms"] for widget in without_queues if widget["type"] == "alarm"]
    assert shown == [f"<{name}.Arn>" for name in alarms(Stack(CallbackQueues="false"))]
    without = widgets(Stack(Alarms="false"))
    assert without == [widget for widget in widgets() if widget["type"] != "alarm"]


def test_the_dashboard_reads_the_log_of_each_function():
    [query] = [widget["properties"]["query"] for widget in widgets() if widget["type"] == "log"]
    assert re.findall("SOURCE '<(.+?)>'", query) == [
        re.fullmatch("<(.+)>", STACK.function(name)["LoggingConfig"]["LogGroup"])[1] for name in FUNCTIONS
    ]


# What the functions write.


def emitted(function: Emulator) -> set[tuple[str, str, frozenset[tuple[str, str]]]]:
    """Return each metric of the last invocation, with its namespace and dimensions, as CloudWatch reads it."""
    found = set()
    for record in function.last_metrics():
        for directive in record["_aws"]["CloudWatchMetrics"]:
            for names in directive["Dimensions"]:
                dimensions = frozenset((name, record[name]) for name in names)
                found |= {(directive["Namespace"], metric["Name"], dimensions) for metric in directive["Metrics"]}
    return found


def shown() -> set[tuple[str, str]]:
    """Return the metrics that the dashboard shows, with the logical id of the function."""
    found = set()
    for metric in (metric for widget in widgets() for metric in widget["properties"].get("metrics", [])):
        match metric:
            case [{"expression": str(expression)}]:
                found |= set(re.findall(r'MetricName="(\w+)" Function="<(\w+)>"', expression))
            case ["SageMakerDeployments", str(name), "Function", str(function)]:
                found.add((name, function.strip("<>")))
    return found


def test_alarms_and_dashboard_look_at_what_the_functions_write(
    function: Callable[..., Emulator], sagemaker: LocalSageMaker
):
    check, new, existing = (function(name, sagemaker.url) for name in FUNCTIONS)
    sagemaker.outcome("fraud", "create-fails")
    sagemaker.outcome("churn", "update-rolls-back")

    def call(called: Emulator, **event: str) -> set[tuple[str, str, frozenset[tuple[str, str]]]]:
        called.invoke(scene.next_event(sagemaker.client, **event))
        return emitted(called)

    written = {
        *call(check),
        *call(new),
        *call(new, endpoint_name="fraud"),
        *call(existing),
        *call(existing),
        *call(check, endpoint_name="-"),
    }
    assert {namespace for namespace, _, _ in written} == {NAMESPACE}
    # The emulator calls a function as its binary.
    names = {name: f"<{logical_id(name)}>" for name in FUNCTIONS}
    as_in_stack = {
        (metric, frozenset((key, names.get(value, value)) for key, value in dimensions))
        for _, metric, dimensions in written
    }
    assert failures("UpdateRolledBack", "deploy-existing-endpoint") <= as_in_stack
    assert failures("EndpointCreationFailed", "deploy-new-endpoint") <= as_in_stack
    assert shown() == {(metric, dict(dimensions)["Function"].strip("<>")) for metric, dimensions in as_in_stack} - {
        # Checks take a second or two.
        ("Duration", "CheckEndpointExistsFunction"),
        ("Polls", "CheckEndpointExistsFunction"),
    }


def error_types() -> set[str]:
    """Return the error types of README.md."""
    section = (REPOSITORY / "README.md").read_text().split("\n### Errors\n")[1].split("\n#")[0]
    return set(re.findall(r"^\| `([A-Z]\w+)` \|", section, re.MULTILINE))


def test_the_alarms_error_types_are_words_of_the_contract():
    words = error_types()
    assert len(words) == 13
    assert OPERATORS_ERRORS | {"UpdateRolledBack", "EndpointCreationFailed"} <= words


def test_operating_tells_what_the_alarms_cost():
    metrics = sum(len(watched(alarm)) for alarm in alarms().values())
    text = (REPOSITORY / "docs" / "operating.md").read_text()
    assert f"| alarms | {metrics / 10:.2f} USD: 0.10 USD for each of the {metrics} metrics that they look at |" in text


def test_operating_explains_every_error_metric_and_alarm():
    text = (REPOSITORY / "docs" / "operating.md").read_text()
    names = {alarm["AlarmName"].removeprefix("sagemaker-") for alarm in alarms(TRIGGERED).values()}
    for word in error_types() | names | {metric for metric, _ in shown()}:
        assert re.search(rf"[`-]{word}`", text), word
