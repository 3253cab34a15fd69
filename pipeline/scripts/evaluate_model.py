"""Evaluate the trained model on the test part, and write what the pipeline decides by.

The report has the form in which the model registry shows the quality of a classification.

Runs in AutoGluon's training image: nothing else can load the model.
"""

from __future__ import annotations

import argparse
import json
import sys
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas
from sklearn.metrics import accuracy_score, classification_report, f1_score, precision_score, recall_score

PROCESSING = Path("/opt/ml/processing")
# The file by which AutoGluon knows its own folder.
PREDICTOR_FILE = "predictor.pkl"


class BadModelError(Exception):
    """The model cannot be evaluated: what is wrong with it."""


def unpack(archive: Path, folder: Path) -> Path:
    """Unpack the model's archive and return the folder of the predictor in it."""
    with tarfile.open(archive) as tar:
        # The archive is the training job's own; yet nothing of it is written outside of the folder.
        for member in tar.getmembers():
            if folder.resolve() not in [path := (folder / member.name).resolve(), *path.parents]:
                raise BadModelError(f"{archive.name} has the file {member.name}, which lies outside of it")
        tar.extractall(folder)
    found = sorted(folder.rglob(PREDICTOR_FILE), key=lambda path: len(path.parts))
    if not found:
        raise BadModelError(f"{archive.name} has no {PREDICTOR_FILE}, so AutoGluon did not make it")
    return found[0].parent


def load(folder: Path) -> Any:
    """Load AutoGluon's predictor."""
    from autogluon.tabular import TabularPredictor

    return TabularPredictor.load(str(folder))


def read(folder: Path) -> pandas.DataFrame:
    """Read the test part: no header, the label first."""
    files = sorted(folder.rglob("*.csv"))
    return pandas.concat([pandas.read_csv(file, header=None) for file in files], ignore_index=True)


def named(features: pandas.DataFrame, wanted: Iterable) -> pandas.DataFrame:
    """Give the features the names by which the predictor knows them.

    The algorithm trains without a header, so the names are its own: the columns' numbers, as numbers or as text, with
    or without the label's, unless a version of it thinks of others. It leaves columns out that say nothing.
    """
    wanted = list(wanted)
    numbers = list(range(features.shape[1]))
    with_label = [number + 1 for number in numbers]
    for names in (with_label, list(map(str, with_label)), numbers, list(map(str, numbers))):
        if set(wanted) <= set(names):
            return features.set_axis(names, axis=1)
    if len(wanted) == len(numbers):
        return features.set_axis(wanted, axis=1)
    raise BadModelError(f"the model wants the columns {wanted}, and the data has {len(numbers)} without names")


def predicted(predictor: Any, features: pandas.DataFrame) -> list[str]:
    """Return the labels that the predictor gives, as text."""
    return _texts(predictor.predict(named(features, predictor.features())))


def report(labels: list[str], predictions: list[str]) -> dict[str, Any]:
    """Return the metrics, in the form of SageMaker's own reports on classifications."""
    weighted = {"average": "weighted", "zero_division": 0}
    values = {
        "accuracy": accuracy_score(labels, predictions),
        "weighted_precision": precision_score(labels, predictions, **weighted),
        "weighted_recall": recall_score(labels, predictions, **weighted),
        "weighted_f1": f1_score(labels, predictions, **weighted),
    }
    metrics = {name: {"value": float(value), "standard_deviation": "NaN"} for name, value in values.items()}
    return {"multiclass_classification_metrics": metrics}


def _texts(values: Iterable) -> list[str]:
    """Return labels as text, with 1.0 and 1 the same: a label with gaps beside it is read as a fraction."""
    return [str(int(value)) if isinstance(value, float) and value.is_integer() else str(value) for value in values]


def main(arguments: list[str] | None = None, loader: Any = load) -> int:
    """Evaluate the model in the input folder, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=PROCESSING / "input" / "model" / "model.tar.gz")
    parser.add_argument("--test", type=Path, default=PROCESSING / "input" / "test")
    parser.add_argument("--work", type=Path, default=PROCESSING / "unpacked")
    parser.add_argument("--output", type=Path, default=PROCESSING / "evaluation")
    options = parser.parse_args(arguments)
    test = read(options.test)
    labels, features = _texts(test[0].tolist()), test.drop(columns=0)
    try:
        predictions = predicted(loader(unpack(options.model, options.work)), features)
    except BadModelError as error:
        # The job's failure reason shows what is written here.
        print(f"The model cannot be evaluated: {error}.", file=sys.stderr)
        return 1
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "evaluation.json").write_text(json.dumps(report(labels, predictions), indent=2))
    print(classification_report(labels, predictions, zero_division=0))
    return 0


if __name__ == "__main__":
    sys.exit(main())
