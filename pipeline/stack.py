"""The outputs of the stack: the functions and queues that the steps call."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

# What samconfig.toml calls the stack.
DEFAULT_NAME = "sagemaker-model-deployment"

# The account of AWS's own examples.
EXAMPLE_ACCOUNT = "111122223333"

_FUNCTIONS = {
    "check": "CheckEndpointExistsFunctionArn",
    "deploy_new": "DeployNewEndpointFunctionArn",
    "deploy_existing": "DeployExistingEndpointFunctionArn",
}
_QUEUES = {
    "deploy_new_queue": "DeployNewEndpointQueueUrl",
    "deploy_existing_queue": "DeployExistingEndpointQueueUrl",
}


class StackError(Exception):
    """The stack is not there, or has not the outputs that a pipeline needs."""


@dataclass(frozen=True)
class Stack:
    """The ARNs of the functions, and the URLs of the queues where the stack has them."""

    check: str
    deploy_new: str
    deploy_existing: str
    deploy_new_queue: str | None = None
    deploy_existing_queue: str | None = None

    @classmethod
    def from_outputs(cls, outputs: Mapping[str, str]) -> Self:
        """Take what is needed out of the outputs, by their names in template.yaml."""
        missing = [name for name in _FUNCTIONS.values() if not outputs.get(name)]
        if missing:
            raise StackError(f"the stack has no output {', '.join(missing)}")
        return cls(
            **{field: outputs[name] for field, name in _FUNCTIONS.items()},
            **{field: outputs.get(name) for field, name in _QUEUES.items()},
        )

    @classmethod
    def example(cls, region: str) -> Self:
        """Return what a stack with its defaults would have in the account of AWS's examples."""
        functions = f"arn:aws:lambda:{region}:{EXAMPLE_ACCOUNT}:function:sagemaker"
        queues = f"https://sqs.{region}.amazonaws.com/{EXAMPLE_ACCOUNT}/sagemaker"
        return cls(
            check=f"{functions}-check-endpoint-exists",
            deploy_new=f"{functions}-deploy-new-endpoint",
            deploy_existing=f"{functions}-deploy-existing-endpoint",
            deploy_new_queue=f"{queues}-deploy-new-endpoint",
            deploy_existing_queue=f"{queues}-deploy-existing-endpoint",
        )


def read(cloudformation: Any, name: str) -> Stack:
    """Read the outputs of the stack ``name``."""
    try:
        [stack] = cloudformation.describe_stacks(StackName=name)["Stacks"]
    except cloudformation.exceptions.ClientError as error:
        raise StackError(f"the stack {name} cannot be read: {error}") from error
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
    try:
        return Stack.from_outputs(outputs)
    except StackError as error:
        raise StackError(f"{name}: {error}; is it the stack of template.yaml?") from error
