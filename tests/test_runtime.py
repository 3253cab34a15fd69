"""What the functions' runtime must bear: panics, and development servers that know no deadline."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from harness import aws, scene
from harness.binaries import binary
from harness.emulator import Emulator
from harness.local import LocalSageMaker
from harness.processes import Program, until

ROOT = Path(__file__).parent.parent


def test_a_panic_is_an_answered_error_and_the_process_goes_on():
    with Emulator(binary("examples/panicking"), {}) as function:
        answer = function.invoke({"panic": True})
        assert "as asked for" in answer["errorMessage"]
        [line] = [record for record in function.last_log() if record["message"] == "the function panicked"]
        assert line["level"] == "ERROR"
        assert "as asked for" in line["panic"]
        # The same process: another one would have to be started, and the emulator says so.
        assert function.invoke({"panic": False}) == {"panic": False}
        assert not any("INIT START" in line for line in function.last_lines())


def test_a_blank_endpoint_url_is_as_good_as_none(sagemaker: LocalSageMaker):
    """`sam local` and some shells set a variable to nothing rather than not at all."""
    environment = {"AWS_ENDPOINT_URL_SAGEMAKER": "", "AWS_ENDPOINT_URL": sagemaker.url}
    with Emulator(binary("check-endpoint-exists"), environment) as check:
        assert check.invoke({"endpoint_name": "churn"}) == {"endpoint_exists": False, "endpoint_status": "NotFound"}


def test_one_url_may_serve_every_service(sagemaker: LocalSageMaker):
    environment = {**dict.fromkeys(aws.endpoint_urls(""), ""), "AWS_ENDPOINT_URL": sagemaker.url}
    event = scene.next_event(
        sagemaker.client, autoscaling_max_capacity=4, autoscaling_target_invocations_per_instance=70
    )
    with Emulator(binary("deploy-new-endpoint"), environment) as deploy:
        answer = deploy.invoke(event)
    assert answer.get("deployment_status") == "Deployed", answer
    assert len(sagemaker.calls("PutScalingPolicy")) == 1


def test_the_release_profile_unwinds():
    """With "abort", which cargo-lambda would set by itself, a panic would end the process."""
    manifest = (ROOT / "Cargo.toml").read_text()
    release = manifest.split("[profile.release]")[1].split("[")[0]
    assert 'panic = "unwind"' in release


def test_tls_gathers_no_entropy_from_the_cpus_jitter():
    """It would take the first call most of a second at 128 MB: see docs/decisions/no-jitter-entropy.md."""
    program = binary("check-endpoint-exists").read_bytes()
    assert b"aws_lc_" in program, "its symbols can be read"
    assert b"jent_" not in program


@contextmanager
def runtime_api(event: Any, deadline_ms: str) -> Iterator[tuple[str, list[Any], threading.Event]]:
    """Serve Lambda's runtime API: one invocation with this deadline header, and its answer."""
    answers: list[Any] = []
    answered = threading.Event()
    asked = threading.Lock()

    class Api(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if not asked.acquire(blocking=False):
                answered.wait()
                return
            body = json.dumps(event).encode()
            self.send_response(200)
            self.send_header("Lambda-Runtime-Aws-Request-Id", "the-only-one")
            self.send_header("Lambda-Runtime-Deadline-Ms", deadline_ms)
            self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-west-1:123456789012:function:f")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            answers.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()
            answered.set()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}", answers, answered
    finally:
        answered.set()
        server.shutdown()
        server.server_close()


def test_a_constant_deadline_in_the_past_is_no_deadline(sagemaker: LocalSageMaker):
    """`cargo lambda watch` sends 600000 as the deadline, which is ten minutes after the epoch."""
    event = scene.next_event(sagemaker.client)
    with runtime_api(event, "600000") as (address, answers, answered):
        environment = {
            **aws.environment(),
            "AWS_LAMBDA_RUNTIME_API": address,
            "AWS_LAMBDA_FUNCTION_NAME": "deploy-new-endpoint",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            **aws.endpoint_urls(sagemaker.url),
        }
        function = Program([binary("deploy-new-endpoint")], environment)
        try:
            until(answered.is_set, 20, function.describe)
        finally:
            function.stop()
    assert answers[0]["deployment_status"] == "Deployed", answers
