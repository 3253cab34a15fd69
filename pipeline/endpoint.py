"""The test of a serving endpoint: it gets the rows of the test part, and its answers are held against their labels."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sklearn.metrics import accuracy_score, classification_report

# Well below the six megabytes that a request may have.
ROWS_PER_REQUEST = 500


class AnswerError(Exception):
    """The endpoint's answer is none to a classification."""


@dataclass(frozen=True)
class Result:
    """The labels of the rows, and those that the endpoint gave."""

    labels: Sequence[str]
    predictions: Sequence[str]

    @property
    def accuracy(self) -> float:
        """Return the share of the rows that the endpoint got right."""
        return float(accuracy_score(self.labels, self.predictions))

    def report(self) -> str:
        """Return accuracy and a classification report, for people."""
        table = classification_report(self.labels, self.predictions, zero_division=0)
        return f"{len(self.labels)} rows, accuracy {self.accuracy:.4f}\n\n{table}"


def rows(text: str) -> list[list[str]]:
    """Read the rows of a test part: no header, the label first."""
    return [row for row in csv.reader(io.StringIO(text)) if row]


def ask(runtime: Any, endpoint_name: str, test: Sequence[Sequence[str]], classes: Sequence[str] = ()) -> Result:
    """Send the rows without their labels, and return both sides.

    ``classes`` are the model's labels in its order, for an answer that only has probabilities. Without them they are
    the labels of the rows, sorted.
    """
    labels = [row[0] for row in test]
    known = list(classes) or _sorted(set(labels))
    predictions: list[str] = []
    for part in _parts(test):
        answer = runtime.invoke_endpoint(
            EndpointName=endpoint_name, ContentType="text/csv", Accept="application/json", Body=_body(part)
        )
        given = predicted(answer["Body"].read().decode(), known)
        if len(given) != len(part):
            raise AnswerError(f"{endpoint_name} answered {len(given)} labels to {len(part)} rows")
        predictions += given
    return Result(labels, predictions)


def predicted(text: str, classes: Sequence[str]) -> list[str]:
    """Return the labels in an answer: the model's own words for them, or the likeliest of ``classes``."""
    try:
        answer = json.loads(text)
    except ValueError:
        # One label a line, for a serving script that answers CSV whatever is asked.
        return [row[0] for row in csv.reader(io.StringIO(text)) if row]
    match answer:
        case {"predicted_label": list(labels)} | {"predictions": list(labels)} | list(labels) if not _nested(labels):
            return [str(label) for label in labels]
        case {"probabilities": list(probabilities), "labels": list(labels)} if _nested(probabilities):
            return [str(labels[_likeliest(each)]) for each in probabilities]
        case {"probabilities": list(probabilities)} if _nested(probabilities):
            return [_class(classes, each) for each in probabilities]
    raise AnswerError(f"neither labels nor probabilities are in the answer {text[:200]}")


def delete(sagemaker: Any, endpoint_name: str) -> list[str]:
    """Delete the endpoint, then its config and models, and return what is gone."""
    config_name = sagemaker.describe_endpoint(EndpointName=endpoint_name)["EndpointConfigName"]
    config = sagemaker.describe_endpoint_config(EndpointConfigName=config_name)
    variants = [*config["ProductionVariants"], *config.get("ShadowProductionVariants", [])]
    models = sorted({variant["ModelName"] for variant in variants if "ModelName" in variant})
    # What refers to another goes before it.
    sagemaker.delete_endpoint(EndpointName=endpoint_name)
    sagemaker.delete_endpoint_config(EndpointConfigName=config_name)
    for model in models:
        sagemaker.delete_model(ModelName=model)
    return [f"endpoint {endpoint_name}", f"endpoint config {config_name}", *(f"model {model}" for model in models)]


def _parts(test: Sequence[Sequence[str]]) -> Iterator[Sequence[Sequence[str]]]:
    for start in range(0, len(test), ROWS_PER_REQUEST):
        yield test[start : start + ROWS_PER_REQUEST]


def _body(part: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(row[1:] for row in part)
    return text.getvalue().encode()


def _nested(values: list[Any]) -> bool:
    return all(isinstance(value, list) for value in values)


def _likeliest(probabilities: list[float]) -> int:
    return max(range(len(probabilities)), key=probabilities.__getitem__)


def _class(classes: Sequence[str], probabilities: list[float]) -> str:
    if len(probabilities) != len(classes):
        raise AnswerError(
            f"the model knows {len(probabilities)} labels and the rows have {len(classes)}: name them with --classes"
        )
    return classes[_likeliest(probabilities)]


def _sorted(labels: set[str]) -> list[str]:
    """Return labels in the order in which a model numbers them: numbers by their size."""
    try:
        return sorted(labels, key=float)
    except ValueError:
        return sorted(labels)
