"""Put the script that serves a model into the model's archive, as code/, where the serving image looks for it.

Runs in AutoGluon's training image, on Python 3.8 or later alone.
"""

from __future__ import annotations

import argparse
import sys
import tarfile
from pathlib import Path, PurePosixPath

PROCESSING = Path("/opt/ml/processing")
CODE = "code"


class BadArchiveError(Exception):
    """An archive that no package can be made of."""


def package(model: Path, source: Path, target: Path) -> None:
    """Write the model's archive anew, with the files of ``source`` as its code.

    Member after member, without unpacking: a model may be larger than what is left of the disk.
    """
    with tarfile.open(target, "w:gz") as written:
        with tarfile.open(model) as members:
            for member in members:
                # Whatever code the model came with would be mixed with what serves it.
                if _path(member).parts[:1] != (CODE,):
                    _copy(members, member, written)
        with tarfile.open(source) as members:
            for member in members:
                path = _path(member)
                if path.parts:
                    member.name = str(PurePosixPath(CODE) / path)
                    _copy(members, member, written)


def archive_in(folder: Path) -> Path:
    """Return the one archive in a folder; its name is its owner's."""
    found = sorted(folder.rglob("*.tar.gz"))
    if len(found) != 1:
        raise BadArchiveError(f"there should be one .tar.gz file of code, and there are {len(found)}")
    return found[0]


def _path(member: tarfile.TarInfo) -> PurePosixPath:
    """Return a member's path inside of the archive."""
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts:
        raise BadArchiveError(f"the member {member.name} lies outside of its archive")
    return path


def _copy(members: tarfile.TarFile, member: tarfile.TarInfo, written: tarfile.TarFile) -> None:
    written.addfile(member, members.extractfile(member) if member.isfile() else None)


def main(arguments: list[str] | None = None) -> int:
    """Package what is in the input folders, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=PROCESSING / "input" / "model" / "model.tar.gz")
    parser.add_argument("--source", type=Path, default=PROCESSING / "input" / "source")
    parser.add_argument("--output", type=Path, default=PROCESSING / "package")
    options = parser.parse_args(arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    try:
        source = archive_in(options.source)
        package(options.model, source, options.output / "model.tar.gz")
    except (BadArchiveError, tarfile.TarError) as error:
        # The job's failure reason shows what is written here.
        print(f"The model cannot be packaged: {error}.", file=sys.stderr)
        return 1
    print(f"{options.model.name} and {source.name}: packaged")
    return 0


if __name__ == "__main__":
    sys.exit(main())
