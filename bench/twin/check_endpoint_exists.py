"""The twin of `check-endpoint-exists`: tells whether an endpoint of this name exists."""

from typing import Any

from deployment import required, sagemaker


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one event."""
    (name,) = required(event, "endpoint_name")
    pages = sagemaker.get_paginator("list_endpoints").paginate(PaginationConfig={"PageSize": 100})
    for page in pages:
        for endpoint in page["Endpoints"]:
            if endpoint["EndpointName"].lower() == name.lower():
                status = endpoint["EndpointStatus"]
                return {"endpoint_exists": status != "Deleting", "endpoint_status": status}
    return {"endpoint_exists": False, "endpoint_status": "NotFound"}
