"""The folders show the architecture: few entries each, one meaning a name, and diagrams that are true."""

from __future__ import annotations

import ast
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

from tests.architecture import diagrams

ROOT = diagrams.ROOT
APPLICATION = ("bot", "index", "eval", "prompts")
_MOST_ENTRIES = 14
# These names mean the same in every package.
_SAME_EVERYWHERE = {"__init__", "settings", "errors", "command", "migration", "schema", "env", "build"}


def _tracked(folder: str) -> list[Path]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", folder]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [Path(line) for line in listed.splitlines() if (ROOT / line).exists()]


@pytest.mark.parametrize("folder", ["bot", "index", "eval", "tests"])
def test_a_folder_has_few_entries(folder: str) -> None:
    entries = {path.parts[1] for path in _tracked(folder)}
    assert len(entries) <= _MOST_ENTRIES, sorted(entries)


def test_no_two_public_classes_share_a_name() -> None:
    holders = defaultdict(set)
    for folder in APPLICATION:
        for path in _tracked(folder):
            if path.suffix == ".py":
                for node in ast.parse((ROOT / path).read_text(encoding="utf-8")).body:
                    if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                        holders[node.name].add(path.as_posix())
    assert {name: sorted(found) for name, found in holders.items() if len(found) > 1} == {}


def test_no_two_files_share_a_name_with_different_meanings() -> None:
    holders = defaultdict(set)
    for folder in APPLICATION:
        for path in _tracked(folder):
            if path.suffix == ".py" and "versions" not in path.parts and path.stem not in _SAME_EVERYWHERE:
                holders[path.stem].add(path.as_posix())
    assert {name: sorted(found) for name, found in holders.items() if len(found) > 1} == {}


def test_the_diagrams_are_those_of_the_code() -> None:
    text = diagrams.DOCUMENT.read_text(encoding="utf-8")
    assert diagrams.update(text) == text, "run: python -m tests.architecture.diagrams"
