"""template.yaml, resolved as CloudFormation would for given parameters."""

import re
from typing import Any

from samcli.yamlhelper import yaml_parse

from harness import aws
from harness.binaries import REPOSITORY

TEMPLATE: dict[str, Any] = yaml_parse((REPOSITORY / "template.yaml").read_text())
PARAMETERS: dict[str, dict[str, Any]] = TEMPLATE["Parameters"]

# The pseudo parameters; an attribute of a resource becomes `<Resource.Attribute>`.
_PSEUDO = {
    "AWS::AccountId": aws.ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": aws.REGION,
    "AWS::StackName": "sagemaker-model-deployment",
    "AWS::URLSuffix": "amazonaws.com",
}

# What `Ref: AWS::NoValue` takes away.
_NOTHING = object()


class RefusedError(Exception):
    """CloudFormation would refuse the parameters: a pattern, a range, a list of values, or a rule."""


class Stack:
    """The stack that the template makes of some parameters, the rest at their defaults."""

    def __init__(self, **parameters: Any) -> None:
        """Refuse what CloudFormation would refuse, and resolve the rest."""
        unknown = set(parameters) - set(PARAMETERS)
        if unknown:
            raise RefusedError(f"there is no parameter {', '.join(unknown)}")
        self._values = {
            name: _accepted(name, str(parameters.get(name, parameter["Default"])))
            for name, parameter in PARAMETERS.items()
        }
        for name, rule in TEMPLATE["Rules"].items():
            asserted = [assertion["Assert"] for assertion in rule["Assertions"]]
            if self._holds(rule["RuleCondition"]) and not all(map(self._holds, asserted)):
                raise RefusedError(name)
        self.resources: dict[str, dict[str, Any]] = self._present(TEMPLATE["Resources"])
        self.globals: dict[str, Any] = self._resolved(TEMPLATE["Globals"]["Function"])
        self.outputs: dict[str, Any] = self._present(TEMPLATE["Outputs"])

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the properties of the resources of one type, by their logical ids."""
        return {name: each["Properties"] for name, each in self.resources.items() if each["Type"] == kind}

    def function(self, binary: str) -> dict[str, Any]:
        """Return the properties of the function that is built from ``binary``, the globals among them."""
        own = self.resources[logical_id(binary)]["Properties"]
        return {
            **self.globals,
            **own,
            **{key: {**self.globals[key], **own[key]} for key in own if isinstance(own[key], dict)},
        }

    def environment(self, binary: str) -> dict[str, str]:
        """Return a function's environment variables."""
        variables = self.function(binary)["Environment"]["Variables"]
        return {name: str(value) for name, value in variables.items()}

    def statements(self, binary: str) -> list[dict[str, Any]]:
        """Return the statements of the policies of a function's role."""
        role = self.function(binary)["Role"]
        [name] = re.fullmatch(r"<(\w+)\.Arn>", role).groups()
        policies = self.resources[name]["Properties"]["Policies"]
        return [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]

    def actions(self, binary: str) -> set[str]:
        """Return the actions that a function's role may take."""
        return {action for statement in self.statements(binary) for action in listed(statement["Action"])}

    def _present(self, section: dict[str, Any]) -> dict[str, Any]:
        """Return what there is of a section of the template, resolved: whatever has no condition, or one that holds."""
        return {
            name: self._resolved(each)
            for name, each in section.items()
            if "Condition" not in each or self._holds({"Condition": each["Condition"]})
        }

    def _holds(self, condition: dict[str, Any]) -> bool:
        match condition:
            case {"Condition": str(name)}:
                return self._holds(TEMPLATE["Conditions"][name])
            case {"Fn::Not": [inner]}:
                return not self._holds(inner)
            case {"Fn::And": [*inner]}:
                return all(map(self._holds, inner))
            case {"Fn::Or": [*inner]}:
                return any(map(self._holds, inner))
            case {"Fn::Equals": [left, right]}:
                return self._resolved(left) == self._resolved(right)
        raise NotImplementedError(condition)

    def _resolved(self, value: Any) -> Any:
        match value:
            case {"Ref": "AWS::NoValue"}:
                return _NOTHING
            case {"Ref": str(name)}:
                return self._reference(name)
            case {"Fn::GetAtt": [str(name), str(attribute)]}:
                return f"<{name}.{attribute}>"
            case {"Fn::GetAtt": str(text)}:
                return f"<{text}>"
            case {"Fn::Sub": str(text)}:
                return self._substituted(text, {})
            case {"Fn::Sub": [str(text), dict(variables)]}:
                return self._substituted(text, {name: self._resolved(each) for name, each in variables.items()})
            case {"Fn::If": [str(name), yes, no]}:
                return self._resolved(yes if self._holds({"Condition": name}) else no)
            case dict():
                pairs = ((key, self._resolved(item)) for key, item in value.items())
                return {key: item for key, item in pairs if item is not _NOTHING}
            case list():
                return [item for item in map(self._resolved, value) if item is not _NOTHING]
        return value

    def _reference(self, name: str) -> str:
        if name in TEMPLATE["Resources"]:
            return f"<{name}>"
        return {**_PSEUDO, **self._values}[name]

    def _substituted(self, text: str, variables: dict[str, str]) -> str:
        def value(match: re.Match[str]) -> str:
            name = match[1]
            if name.startswith("!"):
                return f"${{{name[1:]}}}"
            if name in variables:
                return variables[name]
            return f"<{name}>" if "." in name else self._reference(name)

        return re.sub(r"\$\{([^}]+)\}", value, text)


def logical_id(binary: str) -> str:
    """Return the logical id of the function that is built from ``binary``."""
    [found] = [
        name
        for name, resource in TEMPLATE["Resources"].items()
        if resource.get("Metadata", {}).get("BuildProperties", {}).get("Binary") == binary
    ]
    return found


def _accepted(name: str, value: str) -> str:
    parameter = PARAMETERS[name]
    length = len(value)
    fits = [
        re.fullmatch(parameter.get("AllowedPattern", "(?s:.*)"), value),
        value in map(str, parameter.get("AllowedValues", [value])),
        parameter.get("MinLength", 0) <= length <= parameter.get("MaxLength", length),
        parameter["Type"] != "Number" or _in_range(parameter, value),
    ]
    if not all(fits):
        raise RefusedError(f"{name} must not be {value!r}")
    return value


def _in_range(parameter: dict[str, Any], value: str) -> bool:
    number = float(value)
    return parameter.get("MinValue", number) <= number <= parameter.get("MaxValue", number)


def listed(value: str | list[str]) -> list[str]:
    """Return a list for what IAM lets be one string or several."""
    return [value] if isinstance(value, str) else value
