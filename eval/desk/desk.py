"""What the routes of the evaluator's page share: the chatbot, the runs, the suites, and how addresses are written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote, urlencode

from starlette.responses import RedirectResponse

from bot.search_result import SearchResult
from bot.settings import Settings
from eval.desk.entry import Library
from eval.desk.running import Progress, Runner
from eval.desk.runs import RunShelf
from eval.desk.suites import SuiteShelf
from eval.report import QuestionReport
from eval.run import stored_texts
from eval.subject import Subject

PATH = "/evaluate"


class Searched(Subject, Protocol):
    """The chatbot beside the pages: what is evaluated, and what shows a document's nearest passages."""

    @property
    def settings(self) -> Settings:
        """What it was built with."""
        ...

    def search(self, question: str) -> SearchResult:
        """Return what a question retrieves."""
        ...


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything that a page is made from.

    Attributes:
        form_token: What every form of these pages carries.
    """

    chatbot: Searched
    runs: RunShelf
    suites: SuiteShelf
    runner: Runner
    form_token: str

    @property
    def home(self) -> str:
        """Address of the list of runs."""
        return PATH

    def run_address(self, name: str, anchor: str = "", **asked: str) -> str:
        """Return the address of a run, or of a question in its report."""
        return _address(f"runs/{quote(name, safe='')}", asked) + (f"#{quote(anchor)}" if anchor else "")

    def entry_address(self, suite: str, identifier: str, **asked: str) -> str:
        """Return the address of a suite entry."""
        return _address(f"suites/{quote(suite, safe='')}", {"id": identifier, **asked})

    def suite_address(self, suite: str) -> str:
        """Return the address of a suite's list of questions."""
        return _address(f"suites/{quote(suite, safe='')}", {})

    def compare_address(self, a: str, b: str, **asked: str) -> str:
        """Return the address of a comparison."""
        return _address("compare", {"a": a, "b": b, **asked})

    def entry_of(self, question: QuestionReport, run: str) -> str | None:
        """Return the address where the suite entry of a reported question can be changed, if its suite is here."""
        name = self.suites.name_of(question.suite)
        return self.entry_address(name, question.golden.id, run=run) if name else None

    def go_to(self, address: str) -> RedirectResponse:
        """Return the way to a page after a form, so that a reload does not send the form again."""
        return RedirectResponse(address, 303)

    def go_to_run(self, name: str) -> RedirectResponse:
        """Return the way to a run's page after a form."""
        return self.go_to(self.run_address(name))

    def library(self) -> Library:
        """Return the documents that quotes are checked against."""
        ids = [document.document_id for document in self.chatbot.overview().documents]
        return Library(ids, stored_texts(self.chatbot))

    def progress(self, name: str) -> Progress | None:
        """Return how far a run is, or None where there is no such run."""
        if live := self.runner.progress(name):
            return live
        stored = next((run for run in self.runs.stored() if run.name == name), None)
        return stored.progress if stored else None


def _address(place: str, asked: dict[str, str]) -> str:
    given = {name: value for name, value in asked.items() if value}
    return f"{PATH}/{place}" + (f"?{urlencode(given)}" if given else "")
