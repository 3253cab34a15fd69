"""The scripts that run in the steps' containers, on data sets that scikit-learn ships."""

import ast
import io
import json
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas
import pytest
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.tree import DecisionTreeClassifier

from pipeline import complete, uploads
from pipeline.scripts import evaluate_model, package_model, prepare_data

SCRIPTS = [uploads.PREPARE_DATA, uploads.EVALUATE_MODEL, uploads.PACKAGE_MODEL]


@pytest.fixture
def iris() -> pandas.DataFrame:
    """150 rows of three kinds, the label last and as a word."""
    data = load_iris(as_frame=True)
    return data.data.assign(kind=data.target.map(dict(enumerate(data.target_names))))


@pytest.fixture
def folders(tmp_path: Path, iris: pandas.DataFrame) -> tuple[Path, Path]:
    """A folder with the data in it, and one for the parts."""
    given, parts = tmp_path / "given", tmp_path / "parts"
    given.mkdir()
    iris.to_csv(given / "iris.csv", index=False)
    return given, parts


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_is_of_a_python_that_its_container_has(script: Path):
    ast.parse(script.read_text(), feature_version=(3, 8))


# prepare_data


def prepare(folders: tuple[Path, Path], label_column: str = "kind") -> int:
    given, parts = folders
    return prepare_data.main(["--label-column", label_column, "--input", str(given), "--output", str(parts)])


def parts(folder: Path) -> dict[str, pandas.DataFrame]:
    names = ("train", "validation", "test")
    return {name: pandas.read_csv(folder / name / f"{name}.csv", header=None) for name in names}


def test_the_parts_have_no_header_and_the_label_first(folders: tuple[Path, Path], iris: pandas.DataFrame):
    assert prepare(folders) == 0
    for part in parts(folders[1]).values():
        assert set(part[0]) == {"setosa", "versicolor", "virginica"}
        assert list(part.columns) == list(range(5))
        assert all(kind.kind == "f" for kind in part.dtypes[1:])
    # Nothing is lost, nothing is twice, and the other columns keep their order.
    together = pandas.concat(parts(folders[1]).values())
    wanted = iris[["kind", *iris.columns[:-1]]]
    assert sorted(map(tuple, together.to_numpy())) == sorted(map(tuple, wanted.to_numpy()))


def test_each_part_has_its_share_of_each_label(folders: tuple[Path, Path]):
    prepare(folders)
    counts = {name: part[0].value_counts() for name, part in parts(folders[1]).items()}
    assert {name: count.sum() for name, count in counts.items()} == {"train": 104, "validation": 23, "test": 23}
    for count in counts.values():
        assert count.max() - count.min() <= 1


def test_the_same_data_gives_the_same_parts(folders: tuple[Path, Path], tmp_path: Path):
    prepare(folders)
    again = tmp_path / "again"
    prepare((folders[0], again))
    for path in sorted(folders[1].rglob("*.csv")):
        assert path.read_bytes() == (again / path.relative_to(folders[1])).read_bytes()


def test_another_seed_gives_other_parts(iris: pandas.DataFrame):
    first, second = (prepare_data.split(iris, "kind", seed=seed).test.index for seed in (1, 2))
    assert set(first) != set(second)


def test_rows_without_a_label_are_left_out_and_counted(folders: tuple[Path, Path], iris: pandas.DataFrame, capsys: Any):
    iris.loc[[0, 60, 120], "kind"] = None
    iris.to_csv(folders[0] / "iris.csv", index=False)
    assert prepare(folders) == 0
    assert sum(map(len, parts(folders[1]).values())) == 147
    assert "3 without a label" in capsys.readouterr().out


def test_several_files_are_one_data_set(folders: tuple[Path, Path], iris: pandas.DataFrame):
    (folders[0] / "iris.csv").unlink()
    iris[::2].to_csv(folders[0] / "even.csv", index=False)
    iris[1::2].to_csv(folders[0] / "odd.csv", index=False)
    assert prepare(folders) == 0
    assert sum(map(len, parts(folders[1]).values())) == len(iris)


def test_a_label_of_two_numbers_will_do(folders: tuple[Path, Path]):
    data = load_breast_cancer(as_frame=True)
    (folders[0] / "iris.csv").unlink()
    data.frame.to_csv(folders[0] / "cancer.csv", index=False)
    assert prepare(folders, "target") == 0
    assert set(parts(folders[1])["train"][0]) == {0, 1}


def spoilt(iris: pandas.DataFrame, how: str) -> pandas.DataFrame:
    return {
        "another label column": iris.rename(columns={"kind": "species"}),
        "nothing but the label": iris[["kind"]],
        "one label": iris[iris.kind == "setosa"],
        "a rare label": iris.drop(index=range(2, 50)),
        "few rows": iris.groupby("kind").head(3),
    }[how]


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("another label column", "there is no column kind; there are: sepal length (cm),"),
        ("nothing but the label", "there is no column beside kind"),
        ("one label", "kind has 1 different values"),
        ("a rare label", "too few rows for three parts have the label setosa"),
        ("few rows", "9 rows are too few for that many labels"),
    ],
)
def test_data_that_cannot_be_split_is_refused_with_the_reason(
    folders: tuple[Path, Path], iris: pandas.DataFrame, capsys: Any, how: str, words: str
):
    spoilt(iris, how).to_csv(folders[0] / "iris.csv", index=False)
    assert prepare(folders) == 1
    assert words in capsys.readouterr().err
    assert not folders[1].exists()


def test_files_that_do_not_belong_together_and_no_file_are_refused(
    folders: tuple[Path, Path], iris: pandas.DataFrame, capsys: Any
):
    iris.drop(columns="petal width (cm)").to_csv(folders[0] / "narrow.csv", index=False)
    assert prepare(folders) == 1
    assert "narrow.csv has other columns than iris.csv" in capsys.readouterr().err
    for file in folders[0].iterdir():
        file.unlink()
    assert prepare(folders) == 1
    assert "there is no .csv file" in capsys.readouterr().err


# evaluate_model


class Predictor:
    """A stand-in for AutoGluon's predictor: a tree, trained on columns of names of its own."""

    def __init__(self, train: pandas.DataFrame, names: list[Any]) -> None:
        """Train on a part whose features get the names."""
        self._names = names
        self._tree = DecisionTreeClassifier(random_state=1)
        self._tree.fit(train.drop(columns=0).set_axis(names, axis=1).rename(columns=str), train[0])

    def features(self) -> list[Any]:
        return self._names

    def predict(self, features: pandas.DataFrame) -> Iterable:
        return self._tree.predict(features[self._names].rename(columns=str))


def archive(path: Path, **files: str) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return path


@pytest.fixture
def evaluation(folders: tuple[Path, Path], tmp_path: Path) -> Any:
    """Evaluate with a predictor, and return the exit code and the report."""
    prepare(folders)
    model = archive(tmp_path / "model.tar.gz", **{"model/predictor.pkl": "pickled"})
    loaded: list[Path] = []

    def evaluate(predictor: Any) -> tuple[int, dict[str, Any], list[Path]]:
        arguments = {"model": model, "test": folders[1] / "test", "work": tmp_path / "work", "output": tmp_path / "out"}
        options = [text for name, value in arguments.items() for text in (f"--{name}", str(value))]
        code = evaluate_model.main(options, loader=lambda folder: loaded.append(folder) or predictor)
        report = tmp_path / "out" / "evaluation.json"
        return code, json.loads(report.read_text()) if report.exists() else {}, loaded

    return evaluate


NAMES = {
    "numbers": [1, 2, 3, 4],
    "numbers as text": ["1", "2", "3", "4"],
    "numbers without the label's": [0, 1, 2, 3],
    "names of its own": ["feature_a", "feature_b", "feature_c", "feature_d"],
}


@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
def test_a_model_is_evaluated_whatever_it_calls_the_columns(
    evaluation: Any, folders: tuple[Path, Path], tmp_path: Path, names: list[Any]
):
    code, report, loaded = evaluation(Predictor(parts(folders[1])["train"], names))
    assert code == 0
    assert loaded == [tmp_path / "work" / "model"]
    metrics = report["multiclass_classification_metrics"]
    assert set(metrics) == {"accuracy", "weighted_precision", "weighted_recall", "weighted_f1"}
    # A tree gets iris nearly right; on columns in another order it would guess.
    assert 0.85 < metrics["accuracy"]["value"] <= 1
    assert 0.85 < metrics["weighted_f1"]["value"] <= 1


def test_the_metrics_are_counted_on_the_test_part(evaluation: Any, folders: tuple[Path, Path]):
    class Constant:
        def features(self) -> list[int]:
            return [1, 2, 3, 4]

        def predict(self, features: pandas.DataFrame) -> list[str]:
            return ["setosa"] * len(features)

    test = parts(folders[1])["test"]
    share = (test[0] == "setosa").mean()
    _, report, _ = evaluation(Constant())
    metrics = report["multiclass_classification_metrics"]
    assert metrics["accuracy"]["value"] == pytest.approx(share)
    # Of one label all, of the others none.
    assert metrics["weighted_f1"]["value"] == pytest.approx(share * 2 * share / (share + 1))


def test_what_the_pipeline_reads_is_in_the_report():
    report = evaluate_model.report(["a", "b"], ["a", "a"])
    for path in complete.METRICS.values():
        value: Any = report
        for key in path.split("."):
            value = value[key]
        assert 0 <= value <= 1


def test_labels_that_are_numbers_are_the_same_as_whole_fractions(evaluation: Any):
    assert evaluate_model._texts([1, 2.0, "3", 0.5]) == ["1", "2", "3", "0.5"]


def test_a_predictor_of_other_columns_is_refused(evaluation: Any, capsys: Any):
    class Other:
        def features(self) -> list[str]:
            return ["age", "income"]

        def predict(self, features: pandas.DataFrame) -> None:
            pytest.fail("nothing should be predicted")

    code, report, _ = evaluation(Other())
    assert (code, report) == (1, {})
    assert "the model wants the columns ['age', 'income'], and the data has 4" in capsys.readouterr().err


def test_an_archive_that_is_no_predictor_or_reaches_out_is_refused(tmp_path: Path):
    with pytest.raises(evaluate_model.BadModelError, match=r"has no predictor\.pkl"):
        evaluate_model.unpack(archive(tmp_path / "a.tar.gz", **{"weights.bin": "x"}), tmp_path / "a")
    with pytest.raises(evaluate_model.BadModelError, match="lies outside"):
        evaluate_model.unpack(archive(tmp_path / "b.tar.gz", **{"../outside": "x"}), tmp_path / "b")
    assert not (tmp_path / "outside").exists()


# package_model


def members(path: Path) -> dict[str, str]:
    with tarfile.open(path) as tar:
        return {member.name: tar.extractfile(member).read().decode() for member in tar if member.isfile()}


def package(tmp_path: Path, model: Path) -> int:
    options = {"model": model, "source": tmp_path / "source", "output": tmp_path / "out"}
    return package_model.main([text for name, value in options.items() for text in (f"--{name}", str(value))])


def test_the_serving_script_is_put_into_the_archive_in_the_place_of_other_code(tmp_path: Path, capsys: Any):
    (tmp_path / "source").mkdir()
    archive(tmp_path / "source" / "sourcedir.tar.gz", **{"./inference.py": "serve", "lib/a.py": "a"})
    model = archive(
        tmp_path / "model.tar.gz", **{"predictor.pkl": "p", "models/x": "x", "code/old.py": "old", "codec": "kept"}
    )
    assert package(tmp_path, model) == 0
    assert members(tmp_path / "out" / "model.tar.gz") == {
        "predictor.pkl": "p",
        "models/x": "x",
        "codec": "kept",
        "code/inference.py": "serve",
        "code/lib/a.py": "a",
    }


def test_what_is_no_package_is_refused(tmp_path: Path, capsys: Any):
    (tmp_path / "source").mkdir()
    model = archive(tmp_path / "model.tar.gz", **{"predictor.pkl": "p"})
    assert package(tmp_path, model) == 1
    assert "one .tar.gz file of code, and there are 0" in capsys.readouterr().err
    archive(tmp_path / "source" / "sourcedir.tar.gz", **{"../../etc/inference.py": "x"})
    assert package(tmp_path, model) == 1
    assert "lies outside of its archive" in capsys.readouterr().err
    (tmp_path / "source" / "sourcedir.tar.gz").write_text("no archive")
    assert package(tmp_path, model) == 1
    assert "cannot be packaged" in capsys.readouterr().err
