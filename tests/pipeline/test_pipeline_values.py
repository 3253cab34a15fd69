"""What a definition says, resolved: a table of references, joins, conditions, parameters and outputs."""

from typing import Any

import pytest

from harness.pipeline_values import (
    DefinitionError,
    OutputError,
    UnsupportedError,
    Values,
    depends_on,
    every_step,
    outputs,
    parameters,
)

VALUES = Values(
    parameters={"Name": "churn", "Count": 2, "Share": 0.5, "Yes": True},
    execution={"PipelineName": "deploy"},
    outputs={"Check": {"exists": True, "status": "InService"}},
)


def get(reference: str) -> dict[str, str]:
    return {"Get": reference}


def join(on: str, *values: Any) -> dict[str, Any]:
    return {"Std:Join": {"On": on, "Values": list(values)}}


@pytest.mark.parametrize(
    ("value", "resolved"),
    [
        ("text", "text"),
        (2, 2),
        (None, None),
        (get("Parameters.Name"), "churn"),
        (get("Parameters.Yes"), True),
        (get("Execution.PipelineName"), "deploy"),
        (get("Steps.Check.OutputParameters['status']"), "InService"),
        (join("-", get("Parameters.Name"), "staging"), "churn-staging"),
        (join("", get("Parameters.Count"), get("Parameters.Share"), get("Parameters.Yes")), "20.5true"),
        (join("/", "a", join("", "b", get("Parameters.Name"))), "a/bchurn"),
        (
            {"a": [get("Parameters.Count"), {"b": get("Parameters.Name")}], "c": "d"},
            {"a": [2, {"b": "churn"}], "c": "d"},
        ),
        # An argument may be called like a reference's key.
        ({"Get": "Parameters.Name", "more": 1}, {"Get": "Parameters.Name", "more": 1}),
    ],
)
def test_a_value_is_resolved(value: Any, resolved: Any):
    assert VALUES.resolved(value) == resolved


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        (get("Parameters.Other"), DefinitionError, "there is no Parameters.Other"),
        (get("Execution.StartDateTime"), DefinitionError, "there is no Execution.StartDateTime"),
        (get("Nothing"), DefinitionError, "Nothing is no reference"),
        (get("Steps.Later.OutputParameters['a']"), DefinitionError, "Later has not run"),
        (get("Steps.Check.OutputParameters['other']"), DefinitionError, "Check declares no output other"),
        (get("Steps.Train.ModelArtifacts.S3ModelArtifacts"), UnsupportedError, "Steps.Train.ModelArtifacts"),
        ({"Std:JsonGet": {"PropertyFile": get("Steps.A.PropertyFiles.B"), "Path": "c"}}, UnsupportedError, "JsonGet"),
    ],
)
def test_what_cannot_be_resolved_is_refused_by_name(value: Any, error: type[Exception], words: str):
    with pytest.raises(error, match=words):
        VALUES.resolved(value)


def compare(kind: str, left: Any, right: Any) -> dict[str, Any]:
    return {"Type": kind, "LeftValue": left, "RightValue": right}


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (compare("Equals", get("Steps.Check.OutputParameters['exists']"), True), True),
        (compare("Equals", get("Steps.Check.OutputParameters['exists']"), False), False),
        # Text is no boolean, and a boolean no number, although Python takes one for the other.
        (compare("Equals", "true", True), False),
        (compare("Equals", 1, True), False),
        (compare("Equals", 1, 1.0), True),
        (compare("GreaterThan", get("Parameters.Count"), 1), True),
        (compare("GreaterThan", 2, get("Parameters.Count")), False),
        (compare("GreaterThanOrEqualTo", 0.5, get("Parameters.Share")), True),
        (compare("GreaterThanOrEqualTo", 0.4999, get("Parameters.Share")), False),
        (compare("LessThan", 2, 2), False),
        (compare("LessThanOrEqualTo", 2, 2), True),
        ({"Type": "In", "QueryValue": get("Parameters.Name"), "Values": ["x", "churn"]}, True),
        ({"Type": "In", "QueryValue": get("Parameters.Name"), "Values": ["x"]}, False),
        ({"Type": "Not", "Condition": compare("Equals", 1, 1)}, False),
        ({"Type": "Or", "Conditions": [compare("Equals", 1, 2), compare("Equals", 1, 1)]}, True),
        ({"Type": "Or", "Conditions": [compare("Equals", 1, 2), compare("Equals", 2, 1)]}, False),
    ],
)
def test_a_condition_holds_or_not(condition: dict[str, Any], holds: bool):
    assert VALUES.holds(condition) is holds


def test_a_condition_that_is_unknown_or_without_sense_is_refused():
    with pytest.raises(UnsupportedError, match="the condition Like"):
        VALUES.holds(compare("Like", "a", "b"))
    with pytest.raises(DefinitionError, match="cannot be compared"):
        VALUES.holds(compare("GreaterThan", "2", 1))


DECLARED = {
    "Parameters": [
        {"Name": "Package", "Type": "String"},
        {"Name": "Count", "Type": "Integer", "DefaultValue": 1},
        {"Name": "Share", "Type": "Float", "DefaultValue": 0.5},
        {"Name": "Yes", "Type": "Boolean", "DefaultValue": False},
        {"Name": "Status", "Type": "String", "DefaultValue": "a", "EnumValues": ["a", "b"]},
    ]
}


@pytest.mark.parametrize(
    ("given", "changed"),
    [
        ({}, {}),
        # An execution is started with text.
        ({"Count": "3", "Share": "0.25", "Yes": "true"}, {"Count": 3, "Share": 0.25, "Yes": True}),
        ({"Count": 4, "Status": "b"}, {"Count": 4, "Status": "b"}),
    ],
)
def test_parameters_are_given_or_by_default(given: dict[str, Any], changed: dict[str, Any]):
    values = parameters(DECLARED, {"Package": "arn", **given})
    assert values == {"Package": "arn", "Count": 1, "Share": 0.5, "Yes": False, "Status": "a", **changed}
    assert all(type(values[name]) is type(value) for name, value in changed.items())


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "Package has no default"),
        ({"Package": "arn", "Other": "x"}, "no parameter Other"),
        ({"Package": "arn", "Count": "many"}, "Count should be of the type Integer and is 'many'"),
        ({"Package": "arn", "Yes": "perhaps"}, "Yes should be of the type Boolean"),
        ({"Package": "arn", "Status": "c"}, "Status must be one of a, b"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(given: dict[str, Any], words: str):
    with pytest.raises(DefinitionError, match=words):
        parameters(DECLARED, given)


def step(**outputs: str) -> dict[str, Any]:
    return {
        "Name": "Check",
        "OutputParameters": [{"OutputName": name, "OutputType": kind} for name, kind in outputs.items()],
    }


def test_outputs_are_what_is_declared_and_no_more():
    declared = step(exists="Boolean", status="String", code="Integer", seconds="Float")
    answer = {"exists": False, "status": "", "code": 200, "seconds": 1.5, "body": "{}"}
    assert outputs(declared, answer) == {"exists": False, "status": "", "code": 200, "seconds": 1.5}
    assert outputs(declared, {**answer, "seconds": 2})["seconds"] == 2.0


def test_a_callback_answers_text_for_every_type():
    declared = step(exists="Boolean", status="String", code="Integer", seconds="Float")
    answer = {"exists": "true", "status": "7", "code": "200", "seconds": "1.5"}
    assert outputs(declared, answer, as_text=True) == {"exists": True, "status": "7", "code": 200, "seconds": 1.5}
    with pytest.raises(OutputError, match="code of Check should be of the type Integer and is 'ok'"):
        outputs(declared, {**answer, "code": "ok"}, as_text=True)


@pytest.mark.parametrize(
    ("declared", "answer", "words"),
    [
        (step(exists="Boolean"), {}, "declares the output exists, and the answer has none"),
        (step(exists="Boolean"), {"exists": "true"}, "exists of Check should be of the type Boolean"),
        (step(code="Integer"), {"code": "200"}, "code of Check should be of the type Integer"),
        (step(code="Integer"), {"code": True}, "code of Check should be of the type Integer"),
        (step(status="String"), {"status": 1}, "status of Check should be of the type String"),
        (step(status="String"), {"status": None}, "status of Check should be of the type String"),
        (step(status="String"), {"status": "x" * 1025}, "over 1024 characters"),
        (step(**{f"o{number}": "String" for number in range(51)}), {}, "declares 51 outputs, and 50 are the most"),
    ],
)
def test_outputs_that_the_service_would_not_take_are_refused(
    declared: dict[str, Any], answer: dict[str, Any], words: str
):
    with pytest.raises(OutputError, match=words):
        outputs(declared, answer)


def test_a_condition_waits_for_what_it_compares_and_not_for_its_branches():
    inner = {"Name": "Inner", "Type": "Lambda", "Arguments": {"a": get("Steps.Other.OutputParameters['b']")}}
    condition = {
        "Name": "Condition",
        "Type": "Condition",
        "DependsOn": ["First"],
        "Arguments": {
            "Conditions": [compare("Equals", get("Steps.Check.OutputParameters['exists']"), True)],
            "IfSteps": [inner],
            "ElseSteps": [],
        },
    }
    assert depends_on(condition) == {"First", "Check"}
    assert depends_on(inner) == {"Other"}
    assert [each["Name"] for each in every_step([condition])] == ["Condition", "Inner"]
