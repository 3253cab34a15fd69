"""template.yaml: what the dashboard and the alarms look at is what the functions write."""

import json
import re
from collections.abc import Callable
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

Metric = tuple[str, frozenset[tuple[str, str]]]


def alarms(stack: Stack = STACK) -> dict[str, dict[str, Any]]:
    return stack.of_type("AWS::CloudWatch::Alarm")


def watched(alarm: dict[str, Any]) -> set[Metric]:
    """Return the metrics that an alarm looks at, with their dimensions."""
    metrics = [each["MetricStat"]["Metric"] for each in alarm.get("Metrics", []) if "MetricStat" in each] or [alarm]
    of_queues = {metric["MetricName"] for metric in metrics if metric["Namespace"] == "AWS/SQS"}
    assert of_queues <= {"ApproximateNumberOfMessagesVisible"}
    assert of_queues or all(metric["Namespace"] == NAMESPACE for metric in metrics)
    return {
        (metric["MetricName"], frozenset((each["Name"], each["Value"]) for each in metric["Dimensions"]))
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
        "DeadLettersAlarm": {
            ("ApproximateNumberOfMessagesVisible", frozenset({("QueueName", f"<{name}.QueueName>")}))
            for name in ("DeployNewEndpointDeadLetterQueue", "DeployExistingEndpointDeadLetterQueue")
        },
    }


@pytest.mark.parametrize("name", alarms())
def test_an_alarm_sounds_at_the_first_failure_and_at_none_where_nothing_is_deployed(name: str):
    alarm = alarms()[name]
    assert alarm["Threshold"] == alarm["DatapointsToAlarm"] == 1
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    assert alarm["TreatMissingData"] == "notBreaching"
    returned = [each for each in alarm.get("Metrics", []) if each.get("ReturnData", True)]
    if returned:
        [expression] = returned
        sources = {each["Id"] for each in alarm["Metrics"]} - {expression["Id"]}
        # CloudWatch's limit for one alarm.
        assert len(sources) <= 10
        # What happens is added up; what is there is seen at its most.
        stat = "Maximum" if name == "DeadLettersAlarm" else "Sum"
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
    assert set(alarms()) - set(alarms(Stack(CallbackQueues="false"))) == {"DeadLettersAlarm"}
    assert Stack(Dashboard="false").of_type("AWS::CloudWatch::Dashboard") == {}


def widgets(stack: Stack = STACK) -> list[dict[str, Any]]:
    [dashboard] = stack.of_type("AWS::CloudWatch::Dashboard").values()
    return json.loads(dashboard["DashboardBody"])["widgets"]


def test_the_dashboard_shows_the_alarms_where_there_are_any():
    [shown] = [widget["properties"]["alarms"] for widget in widgets() if widget["type"] == "alarm"]
    assert shown == [f"<{name}.Arn>" for name in alarms()]
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


def test_operating_explains_every_error_metric_and_alarm():
    text = (REPOSITORY / "docs" / "operating.md").read_text()
    names = {alarm["AlarmName"].removeprefix("sagemaker-") for alarm in alarms().values()}
    for word in error_types() | names | {metric for metric, _ in shown()}:
        assert re.search(rf"[`-]{word}`", text), word
