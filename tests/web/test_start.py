"""What is missing or does not fit at the start is one sentence with what to do, never a traceback."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from index.embedding.model_files import PACKAGED, find_model
from index.sync import SyncReport

FOOTNOTE = Path(sys.executable).parent / "footnote"


def run(*arguments: object, **settings: object) -> list[str]:
    """Run a command that must fail and return what it said."""
    environment = {f"FOOTNOTE_{name.upper()}": str(value) for name, value in settings.items()}
    done = subprocess.run(
        [str(FOOTNOTE), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
        env={**os.environ, "FOOTNOTE_ANSWERER": "extractive", **environment},
    )
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    return done.stderr.splitlines()


@pytest.fixture(scope="module")
def other_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder with other weights: their id differs, and so may their dimension."""
    folder = tmp_path_factory.mktemp("models") / "other"
    shutil.copytree(find_model(PACKAGED), folder)
    for weights in folder.glob("*.safetensors"):
        weights.chmod(0o600)
        weights.write_bytes(b"other weights")
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, index_folder: Callable[..., SyncReport]) -> Path:
    folder = tmp_path_factory.mktemp("start")
    (folder / "docs").mkdir()
    (folder / "docs" / "ferry.txt").write_text("Ferry\n\nThe first ferry leaves Mui Wo at 5:55 am.\n")
    index_folder(folder / "docs", folder / "data")
    return folder / "data"


@pytest.mark.parametrize("command", [("ask", "why?"), ("serve", "--port", "0")])
def test_a_missing_embedding_model_is_named(command: tuple[str, ...], tmp_path: Path) -> None:
    (line,) = run(*command, "--data-dir", tmp_path / "data", embedding_model="nowhere/model")
    assert "'nowhere/model'" in line
    assert "embedding_model = 'packaged'" in line


def test_an_index_of_another_model_is_named(data: Path, other_model: Path) -> None:
    (line,) = run("ask", "When does the ferry leave?", "--data-dir", data, embedding_model=other_model)
    assert "all-MiniLM-L6-v2" in line
    assert "run `footnote index` again" in line
    *_, line = run("serve", "--port", "0", "--data-dir", data, embedding_model=other_model)
    assert "run `footnote index` again" in line


def test_a_database_that_cannot_be_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for url, word in (
        (f"sqlite:///{tmp_path / 'file' / 'footnote.db'}", "cannot be made"),
        ("oracle-of-delphi://temple", "database_url"),
    ):
        (line,) = run("ask", "why?", "--data-dir", tmp_path / "data", database_url=url)
        assert word in line
