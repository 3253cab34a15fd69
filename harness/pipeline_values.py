"""What a compiled pipeline definition says, resolved: parameters, references, joins and conditions. Calls nobody."""

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Definition = dict[str, Any]
Step = dict[str, Any]

_REFERENCE = re.compile(r"(?P<scope>Parameters|Execution|Steps)\.(?P<rest>.+)")
_OUTPUT = re.compile(r"(?P<step>[^.]+)\.OutputParameters\['(?P<name>[^']+)'\]")

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}

# The service's limits on what a step gives.
_MAX_OUTPUTS = 50
_MAX_OUTPUT_CHARACTERS = 1024


class DefinitionError(Exception):
    """The definition, or what an execution is started with, is not what the service would take."""


class UnsupportedError(Exception):
    """The definition has something that this runner cannot do: what, by its name."""


class OutputError(Exception):
    """A step's answer does not have the outputs that the definition declares."""


@dataclass
class Values:
    """What is known while an execution runs: its parameters, its variables, and the outputs of its steps so far."""

    parameters: Mapping[str, Any]
    execution: Mapping[str, str] = field(default_factory=dict)
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)

    def resolved(self, value: Any) -> Any:
        """Return a value with every reference and join in it replaced."""
        match value:
            case {"Get": str(reference), **rest} if not rest:
                return self._get(reference)
            case {"Std:Join": {"On": str(on), "Values": list(values)}, **rest} if not rest:
                return on.join(_text(self.resolved(each)) for each in values)
            case dict():
                functions = [key for key in value if key.startswith("Std:")]
                if functions:
                    raise UnsupportedError(f"the function {functions[0]}")
                return {key: self.resolved(each) for key, each in value.items()}
            case list():
                return [self.resolved(each) for each in value]
        return value

    def holds(self, condition: dict[str, Any]) -> bool:
        """Whether a condition of a condition step holds."""
        match condition:
            case {"Type": "Not", "Condition": dict(inner)}:
                return not self.holds(inner)
            case {"Type": "Or", "Conditions": list(several)}:
                return any(self.holds(each) for each in several)
            case {"Type": "In", "QueryValue": value, "Values": list(values)}:
                return self.resolved(value) in self.resolved(values)
            case {"Type": str(kind), "LeftValue": left, "RightValue": right} if kind in _COMPARISONS:
                return _compared(kind, self.resolved(left), self.resolved(right))
        raise UnsupportedError(f"the condition {condition.get('Type')}")

    def _get(self, reference: str) -> Any:
        match = _REFERENCE.fullmatch(reference)
        if match is None:
            raise DefinitionError(f"{reference} is no reference")
        scope, rest = match["scope"], match["rest"]
        if scope == "Steps":
            return self._output(rest)
        known = self.parameters if scope == "Parameters" else self.execution
        if rest not in known:
            raise DefinitionError(f"there is no {reference}")
        return known[rest]

    def _output(self, reference: str) -> Any:
        match = _OUTPUT.fullmatch(reference)
        if match is None:
            raise UnsupportedError(f"the reference Steps.{reference}")
        outputs = self.outputs.get(match["step"])
        if outputs is None:
            raise DefinitionError(f"{match['step']} has not run")
        if match["name"] not in outputs:
            raise DefinitionError(f"{match['step']} declares no output {match['name']}")
        return outputs[match["name"]]


def parameters(definition: Definition, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the value of each parameter: what is given, or its default."""
    declared = {parameter["Name"]: parameter for parameter in definition["Parameters"]}
    unknown = sorted(set(given) - set(declared))
    if unknown:
        raise DefinitionError(f"the pipeline has no parameter {', '.join(unknown)}")
    values = {name: given.get(name, parameter.get("DefaultValue")) for name, parameter in declared.items()}
    missing = sorted(name for name, value in values.items() if value is None)
    if missing:
        raise DefinitionError(f"the parameter {', '.join(missing)} has no default and is not given")
    return {name: _parameter(declared[name], value) for name, value in values.items()}


def outputs(step: Step, answer: Mapping[str, Any], as_text: bool = False) -> dict[str, Any]:
    """Return the outputs that a step declares, out of its answer. Each must be of its declared type.

    A function answers JSON, which has types of its own, so that text is no number in it. A callback answers text.
    """
    declared = step["OutputParameters"]
    if len(declared) > _MAX_OUTPUTS:
        raise OutputError(f"{step['Name']} declares {len(declared)} outputs, and {_MAX_OUTPUTS} are the most")
    values = {}
    for output in declared:
        name = output["OutputName"]
        if name not in answer:
            raise OutputError(f"{step['Name']} declares the output {name}, and the answer has none")
        what = f"the output {name} of {step['Name']}"
        if isinstance(answer[name], str) and output["OutputType"] != "String" and not as_text:
            raise OutputError(f"{what} should be of the type {output['OutputType']} and is {answer[name]!r}")
        values[name] = _typed(output["OutputType"], answer[name], what, OutputError)
        if len(_text(values[name])) > _MAX_OUTPUT_CHARACTERS:
            raise OutputError(f"the output {name} of {step['Name']} has over {_MAX_OUTPUT_CHARACTERS} characters")
    return values


def every_step(steps: list[Step]) -> Iterator[Step]:
    """Return all steps, those in the branches of conditions among them."""
    for step in steps:
        yield step
        if step["Type"] == "Condition":
            yield from every_step(step["Arguments"]["IfSteps"] + step["Arguments"]["ElseSteps"])


def depends_on(step: Step) -> set[str]:
    """Return the names of the steps that must have succeeded before this one: named, or referred to."""
    arguments = step["Arguments"]
    # The steps in a condition's branches depend on others for themselves.
    own = arguments["Conditions"] if step["Type"] == "Condition" else arguments
    return set(step.get("DependsOn", [])) | set(_references(own))


def _references(value: Any) -> Iterator[str]:
    match value:
        case {"Get": str(reference)} if reference.startswith("Steps."):
            yield reference.split(".")[1]
        case dict():
            for each in value.values():
                yield from _references(each)
        case list():
            for each in value:
                yield from _references(each)


def _parameter(parameter: dict[str, Any], value: Any) -> Any:
    typed = _typed(parameter["Type"], value, f"the parameter {parameter['Name']}", DefinitionError)
    allowed = parameter.get("EnumValues")
    if allowed and typed not in allowed:
        raise DefinitionError(f"the parameter {parameter['Name']} must be one of {', '.join(allowed)}")
    return typed


def _typed(kind: str, value: Any, what: str, error: type[Exception]) -> Any:
    """Return a value as a type of the definition's. An execution is started with text, whatever the type."""
    match kind, value:
        case "Boolean", bool():
            return value
        case "Boolean", "true" | "false":
            return value == "true"
        case "String", str():
            return value
        case (("Integer" | "Float"), (int() | float() | str())) if not isinstance(value, bool):
            try:
                return int(value) if kind == "Integer" else float(value)
            except ValueError:
                pass
    raise error(f"{what} should be of the type {kind} and is {value!r}")


def _compared(kind: str, left: Any, right: Any) -> bool:
    """Compare as the service does: values of two types are never equal, and have no order."""
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (left, right))
    if not numbers and type(left) is not type(right):
        if kind == "Equals":
            return False
        raise DefinitionError(f"{left!r} and {right!r} cannot be compared")
    return _COMPARISONS[kind](left, right)


def _text(value: Any) -> str:
    """Return a value as the service writes it into text."""
    return str(value).lower() if isinstance(value, bool) else str(value)
