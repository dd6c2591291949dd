"""The suite files that the evaluator's page knows: those in the suite folders, and no others."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from eval.run.journal import FILE_NAME

FOLDERS_VARIABLE = "FOOTNOTE_SUITES"
_PACKAGED = Path(__file__).parent.parent / "suites"
_EDITABLE = frozenset({".yaml", ".yml", ".jsonl"})
_SUFFIXES = _EDITABLE | {".csv", ".xlsx"}


def suite_folders(environment: Mapping[str, str], data_dir: Path) -> tuple[Path, ...]:
    """Return the folders of suites: those of `FOOTNOTE_SUITES`, joined as in PATH, or the packaged and the data's."""
    if written := environment.get(FOLDERS_VARIABLE):
        return tuple(Path(folder) for folder in written.split(os.pathsep) if folder)
    return (_PACKAGED, data_dir / "suites")


def is_editable(path: Path) -> bool:
    """Return whether single entries of a suite can be replaced as text; a spreadsheet's cannot."""
    return path.suffix.lower() in _EDITABLE


class SuiteShelf:
    """Suite files by name; a name is only ever looked up in this list, so it can lead nowhere else."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self.folders = tuple(folders)

    def files(self) -> dict[str, Path]:
        """Return the suites by name, each path as the command line would name it.

        A file whose name another folder has used already gets a number after a tilde.
        """
        found: dict[str, Path] = {}
        for path in (path for folder in self.folders for path in _suites_in(folder)):
            name, number = path.name, 1
            while name in found:
                number += 1
                name = f"{path.name}~{number}"
            found[name] = path
        return found

    def find(self, name: str) -> Path | None:
        """Return the suite of a name, or None."""
        return self.files().get(name)

    def name_of(self, path: str) -> str | None:
        """Return the name of the suite that a report calls by a path: the same file, or else one of its name."""
        files = self.files()
        wanted = Path(path)
        for name, one in files.items():
            if one.absolute() == wanted.absolute():
                return name
        return wanted.name if wanted.name in files else None


def _suites_in(folder: Path) -> list[Path]:
    """Return the suites of a folder in the order of their names; links may lead out of it, so they do not count."""
    if not folder.is_dir():
        return []
    return [
        _short(path)
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in _SUFFIXES
        and not path.name.startswith(".")
        and path.name != FILE_NAME
        and path.is_file()
        and not path.is_symlink()
    ]


def _short(path: Path) -> Path:
    here = Path.cwd()
    return path.absolute().relative_to(here) if path.absolute().is_relative_to(here) else path
