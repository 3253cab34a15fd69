"""Deployments that pipelines' callback steps ask for, by the built functions on moto's SQS.

The messages are those of a pipeline that the SageMaker SDK has compiled. Ten minutes of the queues' time, of the
messages' age and of the updates' guardrails pass in 0.6 s here.
"""

import threading
from itertools import islice, pairwise

import pytest
from calling import (
    ALARM,
    ENDPOINT,
    EXISTING,
    NEW,
    Start,
    assert_deployed,
    assert_rolled_back,
)

from harness import aws
from harness.binaries import binary
from harness.emulator import Emulator, Record
from harness.poller import DELETED, INVOKED, RECEIVED, Poller
from harness.processes import until

# More stages than any deployment here has.
MOST_STAGES = 200


def test_a_new_endpoint_is_deployed_and_the_step_gets_its_outputs(pipeline: Start):
    run = pipeline(NEW)
    waiting = run.call()
    poller = run.run()
    outputs = assert_deployed(run, waiting)
    assert outputs["endpoint_name"] == ENDPOINT
    assert run.inventory() == [[outputs["model"]], [outputs["endpoint_config"]], [ENDPOINT]]
    # One step begins it, and one at least sees it end.
    assert len(poller.deliveries) >= 2
    assert run.queues.length(run.dead_letter_url) == 0


def test_a_canary_of_forty_minutes_is_followed_to_its_end(pipeline: Start):
    run = pipeline(EXISTING)
    before = run.serve()
    waiting = run.call(canary=True)
    poller = run.run()
    outputs = assert_deployed(run, waiting)
    assert outputs["previous_endpoint_config"] == before
    elapsed = float(outputs["elapsed_seconds"])
    assert elapsed > 2400
    assert run.begun() == 1
    print(f"{elapsed:.0f} s of waiting: {poller.billed_seconds:.2f} s in {len(poller.deliveries)} invocations")


def test_a_message_comes_back_after_a_time_that_grows_with_its_age(pipeline: Start):
    run = pipeline(EXISTING)
    run.serve()
    run.call(canary=True)
    poller = run.run()
    asked = [call["request"]["VisibilityTimeout"] for call in run.queues.calls("ChangeMessageVisibility")]

    def pause(age: float) -> float:
        return min(max(age / 10, 15), 60)

    for seconds, delivery in zip(asked, poller.deliveries, strict=True):
        [message] = delivery.messages
        # It looks at the clock somewhere between the beginning and the end of its step.
        age = delivery.started - int(message["attributes"]["SentTimestamp"]) / 1000
        assert int(pause(age)) <= seconds <= pause(age + delivery.seconds)
    assert all(earlier <= later for earlier, later in pairwise(asked))
    assert asked[-1] == 60
    # Whatever there is to know of the queue is asked once.
    [call] = run.queues.calls("GetQueueUrl")
    assert call["request"] == {
        "QueueName": run.step["SqsQueueUrl"].split("/")[-1],
        "QueueOwnerAWSAccountId": aws.ACCOUNT,
    }


def test_a_canary_that_an_alarm_takes_back_fails_the_step(pipeline: Start):
    run = pipeline(EXISTING)
    before = run.serve()
    inventory = run.inventory()
    waiting = run.call(canary=True)
    with run.poller() as poller:
        for _ in poller.stages():
            if run.live()["EndpointStatus"] == "Updating" and run.sagemaker.traffic(ENDPOINT) == 10:
                run.sagemaker.trip_alarm(ALARM)
    assert_rolled_back(run, waiting, ALARM)
    assert run.live()["EndpointConfigName"] == before
    assert run.inventory() == inventory
    assert run.begun() == 1


@pytest.mark.parametrize("name", [NEW, EXISTING])
def test_the_poller_may_be_killed_between_any_two_stages(name: str, pipeline: Start):
    """A fresh poller with a fresh process takes the message up, whichever stage was the last one's last."""
    for stages in range(1, MOST_STAGES):
        run = pipeline(name)
        if name == EXISTING:
            run.serve()
        served = [len(names) for names in run.inventory()]
        waiting = run.call()
        with run.poller() as poller:
            done = list(islice(poller.stages(), stages))
        if len(done) < stages:
            # The deployment was over before: each of its stages has been the last one.
            assert set(done) == {RECEIVED, INVOKED, DELETED}
            assert stages > 6
            return
        rest = run.run()
        assert run.begun() == 1, f"killed after stage {stages}"
        # A rollback takes its time to be certain, hundreds of stages at this pace: the library's own tests kill those.
        assert_deployed(run, waiting)
        made = [len(names) for names in run.inventory()]
        assert made == ([served[0] + 1, served[1] + 1, 1] if name == EXISTING else [1, 1, 1])
        # What was received and not taken to the function comes back after the queue's own timeout.
        assert done[-1] != RECEIVED or rest.deliveries != []
    pytest.fail("the deployment does not end")


def test_a_process_that_dies_in_a_step_has_all_of_its_messages_come_back(pipeline: Start):
    run = pipeline(NEW)
    waiting = run.call()
    variables = {**aws.endpoint_urls(run.sagemaker.url), "AWS_ENDPOINT_URL_SQS": run.queues.url}
    # It has created the endpoint and does not hear of that.
    run.sagemaker.inject("CreateEndpoint", "late", milliseconds=3_600_000)
    with Emulator(binary(NEW), variables) as function:
        poller = Poller(run.queues, run.queue_url, function.invoke)
        stages = poller.stages()
        assert next(stages) == RECEIVED
        invocation = threading.Thread(target=next, args=(stages,))
        invocation.start()
        until(lambda: run.begun() == 1, 30, lambda: f"{run.begun()} endpoints")
        function.kill()
        invocation.join()
    [delivery] = poller.deliveries
    assert delivery.failed == {message["messageId"] for message in delivery.messages}
    run.run()
    assert_deployed(run, waiting)
    assert run.begun() == 1


def test_a_misspelt_key_is_warned_of_once_for_a_message(pipeline: Start):
    run = pipeline(NEW)
    waiting = run.call(trafic_routing="canary")
    variables = {**aws.endpoint_urls(run.sagemaker.url), "AWS_ENDPOINT_URL_SQS": run.queues.url}
    log: list[Record] = []
    with Emulator(binary(NEW), variables, on_record=log.append) as function:
        poller = Poller(run.queues, run.queue_url, function.invoke)
        poller.run()
        function.last_log()
    assert_deployed(run, waiting)
    assert len(poller.deliveries) > 1
    [warning] = [record for record in log if "keys" in record]
    assert (warning["level"], warning["token"]) == ("WARN", waiting.token)
    assert warning["keys"] == "trafic_routing: did you mean traffic_routing?"
    assert log.index(warning) == 0


def test_nothing_begins_that_nobody_waits_for(pipeline: Start):
    run = pipeline(NEW)
    waiting = run.call()
    run.sagemaker.expire_callback_step(waiting.token)
    poller = run.run()
    assert len(poller.deliveries) == 1
    assert run.inventory() == [[], [], []]
    step = run.sagemaker.callback_step(waiting.token)
    assert (step["status"], step["answers"]) == ("Stopped", [])
    assert run.queues.length(run.dead_letter_url) == 0


def test_a_step_that_stops_waiting_midway_has_its_deployment_followed_to_the_end(pipeline: Start):
    run = pipeline(EXISTING)
    before = run.serve()
    run.sagemaker.outcome(ENDPOINT, "update-rolls-back", "The container did not answer its ping.")
    inventory = run.inventory()
    waiting = run.call()
    with run.poller() as poller:
        for _ in poller.stages():
            if run.live()["EndpointStatus"] == "Updating":
                run.sagemaker.expire_callback_step(waiting.token)
    step = run.sagemaker.callback_step(waiting.token)
    assert step["status"] == "Stopped"
    assert run.live()["EndpointConfigName"] == before
    assert run.inventory() == inventory


def test_a_message_without_a_token_ends_in_the_dead_letter_queue(pipeline: Start):
    run = pipeline(NEW, max_receives=5)
    poison = '{"arguments": {"endpoint_name": "churn"}}'
    run.send(poison)
    poller = run.run()
    assert len(poller.deliveries) == 5
    # Once a second: a thousand receives, as in the stack, are a quarter of an hour.
    asked = [call["request"]["VisibilityTimeout"] for call in run.queues.calls("ChangeMessageVisibility")]
    assert asked == [1] * 5
    [dead] = run.queues.client.receive_message(QueueUrl=run.dead_letter_url)["Messages"]
    assert dead["Body"] == poison
    assert run.sagemaker.calls("CreateModel") == []


def test_a_batch_mixes_messages_and_a_bad_one_holds_up_no_other(pipeline: Start):
    run = pipeline(NEW, max_receives=20)
    good, bad = run.waiting(), run.waiting(endpoint_name="no_name")
    for body in ("no JSON", bad.body, good.body):
        run.send(body)
    poller = run.run()
    assert [len(delivery.messages) for delivery in islice(poller.deliveries, 1)] == [3]
    assert_deployed(run, good)
    step = run.told(bad)
    assert step["status"] == "Failed"
    assert step["failure_reason"].startswith("InvalidRequest: ")
    assert "endpoint_name" in step["failure_reason"]
    assert run.queues.length(run.dead_letter_url) == 1


def test_a_second_message_for_the_same_step_begins_nothing(pipeline: Start):
    """SQS may deliver twice, and a pipeline that is being stopped sends one more message with the same token."""
    run = pipeline(EXISTING)
    run.serve()
    waiting = run.call()
    with run.poller() as poller:
        stages = poller.stages()
        until(lambda: next(stages) == DELETED, 30, lambda: "the first step")
        run.send(waiting.body.replace("Executing", "Stopping"))
        for _ in stages:
            pass
    step = run.sagemaker.callback_step(waiting.token)
    assert step["status"] == "Succeeded"
    accepted = [answer["request"] for answer in step["answers"] if answer["accepted"]]
    # The same answer may have gone out twice, which the service takes for one.
    assert all(answer == accepted[0] for answer in accepted)
    assert run.begun() == 1
