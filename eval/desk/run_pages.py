"""The list of runs, and the form that starts another.

The page of one run: its report, or how far it is.

The comparison of two runs as a page.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bot.web.page.language import theme_for
from eval.compare.compare import compare_runs
from eval.compare.comparison import Comparison, QuestionKey, ShownReply
from eval.compare.pair import describe_changes, same_documents
from eval.desk.desk import Desk, show, show_whole
from eval.desk.running import ANSWERERS, MOST_REPEATS, Progress, RunOrder, answerer_named, is_run_name, read_log
from eval.desk.runs import HEADLINE, Stamp, StoredRun, stamp_of
from eval.errors import ComparisonError, EvaluationError, ReportError, SuiteError
from eval.report.page import Frame, render_report, report_policy
from eval.report.question import anchors
from eval.report.report import RunReport
from eval.suites.suite import load_suites


@dataclass(frozen=True, slots=True)
class RunForm:
    """What was filled in, to be shown again beside what is wrong with it."""

    suites: tuple[str, ...] = ()
    answerer: str = ""
    repeat: str = "1"
    name: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A run of the list.

    Attributes:
        suites: Names of its suite files, as far as they are known.
        resumable: Whether it can go on.
    """

    run: StoredRun
    progress: Progress
    suites: tuple[str, ...]
    answerer: str
    resumable: bool


def show_list(
    request: Request, desk: Desk, form: RunForm | None = None, faults: Sequence[str] = (), status: int = 200
) -> Response:
    """Return the page of all runs."""
    wanted = request.query_params.getlist("suite")
    chosen = form or RunForm(suites=tuple(wanted), answerer=desk.chatbot.settings.answerer)
    return show(
        request,
        "list.html",
        status,
        desk=desk,
        rows=[_row(desk, run) for run in desk.runs.stored()],
        files=desk.suites.files(),
        folders=desk.suites.folders,
        answerers=ANSWERERS,
        most_repeats=MOST_REPEATS,
        headline=HEADLINE,
        form=chosen,
        faults=faults,
    )


def start_run(request: Request, desk: Desk, suites: Sequence[str], answerer: str, repeat: str, name: str) -> Response:
    """Start a run and go to its page, or show the form again with what is wrong."""
    form = RunForm(tuple(suites), answerer, repeat, name.strip())
    try:
        order = _order(desk, form)
        desk.runner.start(order)
    except SuiteError as error:
        return show_list(request, desk, form, [str(mistake) for mistake in error.mistakes], 400)
    except EvaluationError as error:
        return show_list(request, desk, form, [str(error)], 400)
    return desk.go_to_run(order.name)


def _order(desk: Desk, form: RunForm) -> RunOrder:
    """Return the order of a form.

    Raises:
        SuiteError: The suites have mistakes.
        EvaluationError: Anything else of it cannot be carried out.
    """
    files = desk.suites.files()
    if not form.suites or not files.keys() >= set(form.suites):
        raise EvaluationError("Choose at least one suite of the list.")
    answerer = answerer_named(form.answerer)
    if answerer is None:
        raise EvaluationError("Choose who answers.")
    if not form.repeat.isdecimal() or not 1 <= int(form.repeat) <= MOST_REPEATS:
        raise EvaluationError(f"Each question can be asked 1 to {MOST_REPEATS} times.")
    paths = tuple(files[name] for name in dict.fromkeys(form.suites))
    questions = sum(len(suite.questions) for suite in load_suites(paths))
    return RunOrder(_name(desk, form.name), paths, answerer, int(form.repeat), questions * int(form.repeat))


def _name(desk: Desk, wanted: str) -> str:
    """Return the name of a new run: the wanted one, or the time."""
    if wanted and not is_run_name(wanted):
        raise EvaluationError(
            f"A run cannot be called {wanted!r}: use up to 64 letters, figures, dots, hyphens and underscores, "
            "a letter or figure first."
        )
    taken = {run.name for run in desk.runs.stored() if run.finished or run.done or run.fault}
    if wanted in taken:
        raise EvaluationError(f"There is a run {wanted!r} already: choose another name.")
    name = base = wanted or datetime.now().astimezone().strftime("%Y-%m-%d-%H%M")
    number = 1
    while name in taken:
        number += 1
        name = f"{base}-{number}"
    return name


def _row(desk: Desk, run: StoredRun) -> Row:
    progress = desk.runner.progress(run.name) or run.progress
    order = desk.runner.order(run.name)
    return Row(
        run=run,
        progress=progress,
        suites=run.suites or tuple(path.name for path in order.suites) if order else run.suites,
        answerer=run.answerer or (order.answerer if order else ""),
        resumable=progress.state in ("interrupted", "failed") and desk.runs.resumable(run.name) is not None,
    )


# Matplotlib draws for one thread at a time.
_drawing = threading.Lock()


def show_run(request: Request, desk: Desk, name: str, previous: str) -> Response:
    """Return the report of a run, or while there is none how far it is.

    Raises:
        ReportError: The report, or the previous one, cannot be read.
    """
    progress, folder = desk.progress(name), desk.runs.find(name)
    if progress is None or folder is None:
        raise HTTPException(404)
    path = desk.runs.report_path(name)
    if path is None:
        resumable = progress.state != "running" and desk.runs.resumable(name) is not None
        values: dict[str, Any] = {"name": name, "progress": progress, "resumable": resumable, "log": read_log(folder)}
        return show(request, "run.html", desk=desk, **values)
    earlier = _report_of(desk, previous) if previous else None
    with _drawing:
        stamps = (path, stamp_of(path), earlier, stamp_of(earlier) if earlier else None)
        page = _render(desk, name, theme_for(request), *stamps, tuple(desk.suites.files()))
    return show_whole(page, str(report_policy()))


def _report_of(desk: Desk, name: str) -> Path:
    path = desk.runs.report_path(name)
    if path is None:
        raise ReportError(f"There is no finished run {name!r} to compare with: choose one from the list.")
    return path


@lru_cache(maxsize=8)
def _render(
    desk: Desk,
    name: str,
    theme: str | None,
    path: Path,
    stamp: Stamp | None,
    earlier: Path | None,
    earlier_stamp: Stamp | None,
    suites: tuple[str, ...],
) -> str:
    """Return the report's page; it is made anew only when a file or what it links to has changed."""
    del stamp, earlier_stamp, suites
    frame = Frame(name, desk.home, theme, partial(desk.entry_of, run=name))
    return render_report(RunReport.load(path), RunReport.load(earlier) if earlier else None, frame)


_HEADINGS = {"wrong": "Newly wrong", "right": "Newly right", None: "Another mistake than before"}


def comparison_routes(desk: Desk) -> APIRouter:
    """Return the route that compares two runs."""
    router = APIRouter()

    @router.get("/compare")
    def compare(request: Request, a: str = "", b: str = "", changed: str = "") -> Response:
        if not a or not b or a == b:
            raise ComparisonError("Choose two runs of the list, A and B.")
        before, after = desk.runs.report(a), desk.runs.report(b)
        values: dict[str, Any] = {"desk": desk, "a": a, "b": b, "changed": bool(changed)}
        if not changed and not same_documents(before, after):
            return show(request, "compare.html", 409, comparison=None, **values)
        return show(
            request,
            "compare.html",
            comparison=_compared(*_stamped(desk, a), *_stamped(desk, b), (a, b), changed=bool(changed)),
            headings=_HEADINGS,
            describe_changes=describe_changes,
            anchor_a=Anchors(before),
            anchor_b=Anchors(after),
            **values,
        )

    return router


class Anchors:
    """Where the questions of a report stand on its page."""

    def __init__(self, report: RunReport) -> None:
        self._places: Mapping[tuple[str, str, str], str] = {
            (question.suite_name, question.golden.id, question.verdict): anchor
            for question, anchor in reversed(list(zip(report.questions, anchors(report.questions), strict=True)))
        }

    def __call__(self, key: QuestionKey, shown: ShownReply) -> str:
        """Return the address, on the report's page, of the first answer with the verdict that is shown."""
        return self._places.get((key.suite, key.id, shown.verdict), "")


def _stamped(desk: Desk, name: str) -> tuple[Path, Stamp | None]:
    path = desk.runs.report_path(name)
    assert path is not None, "its report was read a moment ago"
    return path, stamp_of(path)


@lru_cache(maxsize=8)
def _compared(
    a: Path, a_stamp: Stamp | None, b: Path, b_stamp: Stamp | None, names: tuple[str, str], *, changed: bool
) -> Comparison:
    """Return a comparison, whose tests take seconds; it is made anew only when a report has changed."""
    del a_stamp, b_stamp
    return compare_runs(RunReport.load(a), RunReport.load(b), names, allow_changed_documents=changed)
