"""The test of a serving endpoint: rows out, labels back, and a clean account where that is asked for."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.stub import Stubber

from harness import aws, scene
from harness.moto import Moto
from harness.scene import GROUP
from pipeline import command, endpoint

ROWS = [["b", "1", "x, y"], ["a", "2", "z"], ["b", "3", ""]]


@pytest.fixture
def runtime() -> Any:
    return aws.client("sagemaker-runtime", "http://127.0.0.1:1")


Answers = Callable[[Stubber, bytes, str], None]


@pytest.fixture
def answering() -> Answers:
    def add(stubber: Stubber, body: bytes, text: str) -> None:
        stubber.add_response(
            "invoke_endpoint",
            {"Body": io.BytesIO(text.encode()), "ContentType": "application/json"},
            {"EndpointName": "churn", "ContentType": "text/csv", "Accept": "application/json", "Body": body},
        )

    return add


def test_the_rows_go_without_their_labels_and_the_answers_are_held_against_them(runtime: Any, answering: Answers):
    stubber = Stubber(runtime)
    answering(stubber, b'1,"x, y"\n2,z\n3,\n', json.dumps({"probabilities": [[0.1, 0.9], [0.4, 0.6], [0.2, 0.8]]}))
    with stubber:
        result = endpoint.ask(runtime, "churn", ROWS)
    assert result.predictions == ["b", "b", "b"]
    assert result.accuracy == pytest.approx(2 / 3)
    assert "3 rows, accuracy 0.6667" in result.report()
    assert "precision" in result.report()


def test_many_rows_go_in_several_requests(runtime: Any, monkeypatch: pytest.MonkeyPatch, answering: Answers):
    monkeypatch.setattr(endpoint, "ROWS_PER_REQUEST", 2)
    stubber = Stubber(runtime)
    answering(stubber, b'1,"x, y"\n2,z\n', '["b", "a"]')
    answering(stubber, b"3,\n", '["a"]')
    with stubber:
        assert endpoint.ask(runtime, "churn", ROWS).predictions == ["b", "a", "a"]
        stubber.assert_no_pending_responses()


def test_an_answer_of_another_length_is_refused(runtime: Any, answering: Answers):
    stubber = Stubber(runtime)
    answering(stubber, b'1,"x, y"\n2,z\n3,\n', '["b", "a"]')
    with stubber, pytest.raises(endpoint.AnswerError, match="churn answered 2 labels to 3 rows"):
        endpoint.ask(runtime, "churn", ROWS)


@pytest.mark.parametrize(
    ("answer", "labels"),
    [
        ('{"probabilities": [[0.1, 0.7, 0.2], [0.5, 0.2, 0.3]]}', ["1", "0"]),
        ('{"probabilities": [[0.1, 0.9]], "labels": ["no", "yes"]}', ["yes"]),
        ('{"probabilities": [[0.1, 0.9]], "labels": [0, 1], "predicted_label": ["0"]}', ["0"]),
        ('{"predicted_label": [2, 0]}', ["2", "0"]),
        ('{"predictions": ["2"]}', ["2"]),
        ("[0, 1]", ["0", "1"]),
        ("yes\nno\n", ["yes", "no"]),
    ],
)
def test_labels_are_found_in_an_answer(answer: str, labels: list[str]):
    assert endpoint.predicted(answer, ["0", "1", "2"]) == labels


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ('{"error": "out of memory"}', "neither labels nor probabilities"),
        ("7", "neither labels nor probabilities"),
        ('{"probabilities": [[0.5, 0.5]]}', "knows 2 labels and the rows have 3: name them with --classes"),
    ],
)
def test_an_answer_without_labels_is_refused(answer: str, words: str):
    with pytest.raises(endpoint.AnswerError, match=words):
        endpoint.predicted(answer, ["0", "1", "2"])


def test_labels_that_are_numbers_are_in_the_order_of_numbers():
    assert endpoint._sorted({"10", "9", "1"}) == ["1", "9", "10"]
    assert endpoint._sorted({"b", "a", "10"}) == ["10", "a", "b"]


@pytest.fixture
def serving(moto: Moto, monkeypatch: pytest.MonkeyPatch) -> Moto:
    """An endpoint of moto's, which every client of this process asks."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto.url)
    for name in ("churn", "other"):
        scene.serve(moto.client, name, scene.register_version(moto.client, GROUP))
    return moto


def left(moto: Moto) -> dict[str, set[str]]:
    client = moto.client
    return {
        "endpoints": {each["EndpointName"] for each in client.list_endpoints()["Endpoints"]},
        "configs": {each["EndpointConfigName"] for each in client.list_endpoint_configs()["EndpointConfigs"]},
        "models": {each["ModelName"] for each in client.list_models()["Models"]},
    }


OTHER = {"endpoints": {"other"}, "configs": {"other-config-by-hand"}, "models": {"other-by-hand"}}


def test_an_endpoint_is_deleted_with_its_config_and_model_and_no_other(serving: Moto):
    gone = endpoint.delete(serving.client, "churn")
    assert gone == ["endpoint churn", "endpoint config churn-config-by-hand", "model churn-by-hand"]
    assert left(serving) == OTHER


@pytest.fixture
def rows_file(tmp_path: Path) -> Path:
    path = tmp_path / "test.csv"
    path.write_text("b,1,x\na,2,z\n")
    return path


def test_nothing_is_deleted_unless_that_is_asked_for(
    serving: Moto, rows_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
):
    result = endpoint.Result(["b", "a"], ["b", "b"])
    monkeypatch.setattr(endpoint, "ask", lambda *_: result)
    before = left(serving)
    assert command.main(["test", "churn", "--data", str(rows_file)]) == 0
    assert "2 rows, accuracy 0.5000" in capsys.readouterr().out
    assert left(serving) == before
    assert command.main(["test", "churn", "--data", str(rows_file), "--delete"]) == 0
    assert "deleted the endpoint churn" in capsys.readouterr().out
    assert left(serving) == OTHER


def test_an_endpoint_that_does_worse_than_it_should_fails_the_command(
    serving: Moto, rows_file: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(endpoint, "ask", lambda *_: endpoint.Result(["b", "a"], ["b", "b"]))
    given = ["test", "churn", "--data", str(rows_file), "--at-least"]
    assert [command.main([*given, "0.5"]), command.main([*given, "0.51"])] == [0, 1]


def test_rows_may_lie_in_s3_and_must_be_some(serving: Moto, monkeypatch: pytest.MonkeyPatch, capsys: Any):
    s3 = aws.client("s3", serving.url)
    location = {"LocationConstraint": aws.REGION}
    s3.create_bucket(Bucket="models", CreateBucketConfiguration=location)
    s3.put_object(Bucket="models", Key="test/test.csv", Body=b"b,1\n\na,2\n")
    s3.put_object(Bucket="models", Key="empty.csv", Body=b"")
    asked: list[Any] = []
    monkeypatch.setattr(endpoint, "ask", lambda *given: asked.append(given[1:]) or endpoint.Result(["b"], ["b"]))
    given = ["test", "churn", "--classes", "a, b", "--data"]
    assert command.main([*given, "s3://models/test/test.csv"]) == 0
    assert asked == [("churn", [["b", "1"], ["a", "2"]], ["a", "b"])]
    assert command.main([*given, "s3://models/empty.csv"]) == 1
    assert "there are no rows" in capsys.readouterr().err
