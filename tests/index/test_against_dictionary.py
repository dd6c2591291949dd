"""R3: whatever is done to the folder, and however the process is restarted, the index holds what a dictionary says."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from index.generation import build, chroma_process, generations_folder
from tests.index.archive import Archive, change_copies

NAMES = st.sampled_from(["ferry", "library", "tram", "market", "harbour"])


class IndexMachine(RuleBasedStateMachine):
    """Documents are added, changed and deleted, indexed, and the files of the index damaged, copied and built anew."""

    @initialize(copying=st.booleans())
    def open(self, copying: bool) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="footnote-machine-"))
        self.archive = Archive(self.root)
        self.indexed: dict[str, str] = {}
        self.version = 0
        build.CHANGED_FROM = 2_000
        if copying:
            change_copies()

    @rule(name=NAMES)
    def write(self, name: str) -> None:
        self.version += 1
        self.archive.write(name, self.version)

    @rule(name=NAMES)
    def touch_or_write_back(self, name: str) -> None:
        self.archive.write(name, 0)

    @precondition(lambda self: self.archive.texts)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.archive.texts)))
        self.archive.delete(name.removesuffix(".txt"))

    @precondition(lambda self: self.archive.texts)
    @rule(data=st.data())
    def rename(self, data: st.DataObject) -> None:
        old = data.draw(st.sampled_from(sorted(self.archive.texts)))
        text = self.archive.texts[old]
        self.archive.delete(old.removesuffix(".txt"))
        (self.archive.folder / f"renamed-{old}").write_text(text, encoding="utf-8")
        self.archive.texts[f"renamed-{old}"] = text

    @rule()
    def index(self) -> None:
        before = set(self.indexed)
        report = self.archive.run()
        after = set(self.archive.texts)
        assert set(report.added) == after - before
        assert set(report.removed) == before - after
        self.indexed = dict(self.archive.texts)

    @precondition(lambda self: self.indexed)
    @rule()
    def lose_the_generation(self) -> None:
        shutil.rmtree(generations_folder(self.archive.data))
        report = self.archive.run()
        assert report.embedded <= report.chunks
        self.indexed = dict(self.archive.texts)

    @invariant()
    def holds_what_was_indexed(self) -> None:
        if self.archive.data.exists():
            assert self.archive.held() == self.indexed

    def teardown(self) -> None:
        if hasattr(self, "root"):
            shutil.rmtree(self.root)


class ChildHere:
    """Does in this process what else a child does: starting one each time would take most of the test's time."""

    def __init__(self, work: Callable[..., str], *arguments: object) -> None:
        self.work, self.arguments, self.given = work, arguments, list[object]()

    def send(self, something: object) -> None:
        self.given.append(something)

    def finish(self) -> None:
        given = iter(self.given)
        assert self.work(SimpleNamespace(recv=lambda: next(given)), *self.arguments) == ""


def _run(monkeypatch: pytest.MonkeyPatch, examples: int, steps: int) -> None:
    for name in ("CHANGED_FROM", "MOST_CHANGED", "MOST_TAKEN_OUT"):
        monkeypatch.setattr(build, name, getattr(build, name))  # put back afterwards
    monkeypatch.setattr(chroma_process, "ChildProcess", ChildHere)
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(IndexMachine, settings=chosen)


def test_100_histories_end_as_a_dictionary_says(monkeypatch: pytest.MonkeyPatch) -> None:
    _run(monkeypatch, 100, 10)


@pytest.mark.slow
def test_500_long_histories_end_as_a_dictionary_says(monkeypatch: pytest.MonkeyPatch) -> None:
    _run(monkeypatch, 500, 30)
