"""What the functions take and answer, in the form that a pipeline's steps need."""

from collections.abc import Mapping
from typing import Any

# A step's arguments are flat. These, and references to parameters and to other steps, are all that is in them.
Primitive = str | int | float

# The answers' keys with their types, by the words of the pipeline definition. Not among them is `body`: it repeats the
# event, and an output may have 1024 characters.
CHECK_OUTPUTS: Mapping[str, str] = {"endpoint_exists": "Boolean", "endpoint_status": "String"}

NEW_OUTPUTS: Mapping[str, str] = {
    "statusCode": "Integer",
    "model": "String",
    "endpoint_name": "String",
    "endpoint_arn": "String",
    "endpoint_config": "String",
    "endpoint_status": "String",
    "deployment_status": "String",
    "elapsed_seconds": "Float",
}

EXISTING_OUTPUTS: Mapping[str, str] = {**NEW_OUTPUTS, "previous_endpoint_config": "String"}

# The optional keys of a deployment's event: what a pipeline may set beyond role, endpoint and package.
SETTINGS = frozenset(
    {
        "async_error_topic",
        "async_max_concurrent_invocations_per_instance",
        "async_s3_failure_path",
        "async_s3_output_path",
        "async_success_topic",
        "auto_rollback_alarms",
        "autoscaling_max_capacity",
        "autoscaling_min_capacity",
        "autoscaling_scale_in_cooldown_seconds",
        "autoscaling_scale_out_cooldown_seconds",
        "autoscaling_target_invocations_per_instance",
        "container_startup_health_check_timeout_seconds",
        "data_capture_s3_uri",
        "data_capture_sampling_percentage",
        "delete_superseded",
        "deployment_id",
        "dry_run",
        "enable_network_isolation",
        "inference_option",
        "initial_instance_count",
        "instance_type",
        "kms_key_id",
        "max_wait_seconds",
        "maximum_execution_timeout_seconds",
        "model_data_download_timeout_seconds",
        "on_failure",
        "on_timeout",
        "replace_failed_endpoint",
        "require_approved_package",
        "retain_all_variant_properties",
        "security_group_ids",
        "serverless_max_concurrency",
        "serverless_memory_size_mb",
        "serverless_provisioned_concurrency",
        "subnets",
        "tags",
        "termination_wait_seconds",
        "traffic_routing",
        "traffic_step_percent",
        "traffic_wait_seconds",
        "variant_name",
        "volume_size_gb",
    }
)


class UnknownSettingError(ValueError):
    """A setting that is no key of the functions' events."""


def settings(given: Mapping[str, Primitive | bool]) -> dict[str, Primitive]:
    """Return the settings as a step's arguments; refuse what the functions would ignore."""
    unknown = sorted(set(given) - SETTINGS)
    if unknown:
        raise UnknownSettingError(f"no such setting of a deployment: {', '.join(unknown)}")
    return {key: _argument(value) for key, value in given.items()}


def _argument(value: Any) -> Primitive:
    """Return a value as an argument: a step has no booleans, and the functions read the words."""
    return str(value).lower() if isinstance(value, bool) else value
