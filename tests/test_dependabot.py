"""Dependabot looks at every kind of dependency that the repository has, where it is."""

import yaml

from harness.binaries import REPOSITORY

# What each ecosystem reads in its folder.
READS = {"cargo": "Cargo.lock", "pip": "requirements.txt", "github-actions": ".github/workflows"}


def test_every_kind_of_dependency_is_looked_at_where_it_is():
    configured = yaml.safe_load((REPOSITORY / ".github" / "dependabot.yml").read_text())
    assert configured["version"] == 2
    updates = {each["package-ecosystem"]: each["directory"] for each in configured["updates"]}
    assert set(updates) == set(READS)
    for ecosystem, directory in updates.items():
        assert (REPOSITORY / directory.lstrip("/") / READS[ecosystem]).exists()
