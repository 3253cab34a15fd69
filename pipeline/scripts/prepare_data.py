"""Split CSV files of labelled rows into a train, a validation and a test part.

The files have a header. The parts have none, and the label comes first: that is how the built-in algorithms take them.
Each part has as many rows of each label as its size allows, and the same files always give the same parts.

Runs in SageMaker's scikit-learn image, with Python 3.8 and pandas 1.1.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import NamedTuple

import pandas
from sklearn.model_selection import train_test_split

PROCESSING = Path("/opt/ml/processing")
VALIDATION_SHARE = 0.15
TEST_SHARE = 0.15
SEED = 20


class BadDataError(Exception):
    """The data cannot be split: what is wrong with it."""


class Parts(NamedTuple):
    """The three parts."""

    train: pandas.DataFrame
    validation: pandas.DataFrame
    test: pandas.DataFrame


def read(folder: Path) -> pandas.DataFrame:
    """Read every CSV file in a folder. They must have the same columns."""
    files = sorted(folder.rglob("*.csv"))
    if not files:
        raise BadDataError(f"there is no .csv file in {folder}")
    frames = [pandas.read_csv(file) for file in files]
    for file, frame in zip(files, frames):  # noqa: B905 - Python 3.8 has no `strict`.
        if list(frame.columns) != list(frames[0].columns):
            raise BadDataError(f"{file.name} has other columns than {files[0].name}")
    return pandas.concat(frames, ignore_index=True)


def split(
    rows: pandas.DataFrame,
    label_column: str,
    validation_share: float = VALIDATION_SHARE,
    test_share: float = TEST_SHARE,
    seed: int = SEED,
) -> Parts:
    """Split the rows that have a label."""
    if label_column not in rows.columns:
        columns = ", ".join(map(str, rows.columns))
        raise BadDataError(f"there is no column {label_column}; there are: {columns}")
    features = [column for column in rows.columns if column != label_column]
    if not features:
        raise BadDataError(f"there is no column beside {label_column}")
    labelled = rows[[label_column, *features]].dropna(subset=[label_column])
    counts = labelled[label_column].value_counts()
    rare = sorted(str(label) for label, count in counts.items() if count < 3)
    if len(counts) < 2:
        raise BadDataError(f"{label_column} has {len(counts)} different values, and two are the least to tell apart")
    if rare:
        raise BadDataError(f"too few rows for three parts have the label {', '.join(rare)}")
    rest, test = _part(labelled, label_column, test_share, seed)
    train, validation = _part(rest, label_column, validation_share / (1 - test_share), seed)
    return Parts(train, validation, test)


def _part(
    rows: pandas.DataFrame, label_column: str, share: float, seed: int
) -> tuple[pandas.DataFrame, pandas.DataFrame]:
    """Split off a share of the rows, with each label's share of that."""
    try:
        return train_test_split(rows, test_size=share, random_state=seed, stratify=rows[label_column])
    except ValueError as error:
        raise BadDataError(f"{len(rows)} rows are too few for that many labels: {error}") from error


def write(parts: Parts, folder: Path) -> None:
    """Write each part to a folder of its own."""
    for name, part in parts._asdict().items():
        target = folder / name
        target.mkdir(parents=True, exist_ok=True)
        part.to_csv(target / f"{name}.csv", header=False, index=False)


def main(arguments: list[str] | None = None) -> int:
    """Split what is in the input folder, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--label-column", required=True)
    parser.add_argument("--input", type=Path, default=PROCESSING / "input" / "data")
    parser.add_argument("--output", type=Path, default=PROCESSING)
    options = parser.parse_args(arguments)
    try:
        rows = read(options.input)
        parts = split(rows, options.label_column)
    except BadDataError as error:
        # The job's failure reason shows what is written here.
        print(f"The data cannot be used: {error}.", file=sys.stderr)
        return 1
    write(parts, options.output)
    without = len(rows) - sum(map(len, parts))
    sizes = ", ".join(f"{len(part)} {name}" for name, part in parts._asdict().items())
    print(f"{len(rows)} rows: {sizes}; {without} without a label")
    return 0


if __name__ == "__main__":
    sys.exit(main())
