"""Clients and environments that can only reach services on this machine."""

import os
import urllib.request
from typing import Any

import boto3
from botocore.config import Config

REGION = "eu-west-1"
# The account that sagemaker-local and moto both use.
ACCOUNT = "123456789012"

# Signatures are never checked here; the credentials only have to be there.
_DUMMY_ACCOUNT = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
    # Neither a developer's profile nor an instance's role may decide what these programs do.
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}

# Longer than any invocation here: the function's own budget ends a wait, not the client.
_READ_TIMEOUT_SECONDS = 900


def leave_real_account() -> None:
    """Replace every ``AWS_*`` variable of this process by the dummy account's."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(_DUMMY_ACCOUNT)


def environment(**more: str) -> dict[str, str]:
    """Return the whole environment of a child process: the dummy account's and ``more``, which wins.

    Nothing else of the developer's environment reaches a function, so that a variable such as ``INSTANCE_TYPE``
    set in a shell cannot change what a test sees.
    """
    path = os.environ.get("PATH", os.defpath)
    return {"PATH": path, **_DUMMY_ACCOUNT, **more}


def endpoint_urls(url: str) -> dict[str, str]:
    """Return the variables that send every call of a function to the one server at ``url``."""
    services = ("SAGEMAKER", "APPLICATION_AUTO_SCALING", "SQS")
    return {f"AWS_ENDPOINT_URL_{service}": url for service in services}


def client(service: str, url: str, **config: Any) -> Any:
    """Return a boto3 client that talks to ``url`` directly, sends each request once and never gives up waiting.

    ``config`` holds more of botocore's options.
    """
    # One attempt: a retry would hide a fault that a test asked for, or invoke a function twice.
    options = Config(
        retries={"total_max_attempts": 1},
        read_timeout=_READ_TIMEOUT_SECONDS,
        connect_timeout=5,
        proxies={},
    )
    return boto3.client(service, endpoint_url=url, config=options.merge(Config(**config)))


def http() -> urllib.request.OpenerDirector:
    """Return a plain HTTP client without the proxies that a developer's environment may name."""
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))
