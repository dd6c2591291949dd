"""The pages of runs: their list with the form that starts another, one run, and the comparison of two."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.web.page.language import theme_for
from eval.compare.compare import compare_runs
from eval.compare.comparison import Comparison, QuestionKey, ShownReply
from eval.compare.pair import describe_changes, same_documents
from eval.desk.folders import HEADLINE, ReportFile, StoredRun
from eval.desk.running import ANSWERERS, MOST_REPEATS, RunOrder, RunProgress, answerer_named, is_run_name, read_log
from eval.desk.site import EvaluatorSite, show_page, show_report
from eval.errors import ComparisonError, EvaluationError, SuiteError
from eval.report.page import Frame, render_report, report_policy
from eval.report.question import anchors
from eval.report.report import RunReport
from eval.suites.suite import load_suites

_HEADINGS = {"wrong": "Newly wrong", "right": "Newly right", None: "Another mistake than before"}


@dataclass(frozen=True, slots=True)
class RunForm:
    """The values of the form, to be shown again beside what is wrong with them."""

    suites: tuple[str, ...] = ()
    answerer: str = ""
    repeat: str = "1"
    name: str = ""


@dataclass(frozen=True, slots=True)
class ListedRun:
    """A run of the list.

    Attributes:
        suites: Names of its suite files, as far as they are known.
        resumable: Whether it can go on.
    """

    run: StoredRun
    progress: RunProgress
    suites: tuple[str, ...]
    answerer: str
    resumable: bool


def run_routes(site: EvaluatorSite) -> APIRouter:
    """Return the routes that show, start and end runs, and that compare two."""
    router = APIRouter()
    change = partial(router.post, dependencies=[Depends(site.access.check_form)])

    @router.get("")
    def show_all(request: Request) -> Response:
        return _show_list(request, site)

    @router.get("/runs")
    def reload() -> Response:
        """Send a browser that reloads a refused form back to the list."""
        return RedirectResponse(site.home, 303)

    @router.get("/runs/{name}")
    def show_one(request: Request, name: str, previous: str = "") -> Response:
        return _show_run(request, site, name, previous)

    @router.get("/runs/{name}/progress")
    def progress(name: str) -> Response:
        found = site.progress(name)
        if found is None:
            return JSONResponse({"state": "gone"}, 404)
        told = {"state": found.state, "done": found.done, "total": found.total, "words": found.words}
        return JSONResponse(told, headers={"cache-control": "no-store"})

    @router.get("/compare")
    def compare(request: Request, a: str = "", b: str = "", changed: str = "") -> Response:
        return _show_comparison(request, site, a, b, changed=bool(changed))

    @change("/runs")
    def start(
        request: Request,
        suite: Annotated[list[str] | None, Form()] = None,
        answerer: Annotated[str, Form()] = "",
        repeat: Annotated[str, Form()] = "",
        name: Annotated[str, Form()] = "",
    ) -> Response:
        form = RunForm(tuple(suite or ()), answerer, repeat, name.strip())
        try:
            order = _order(site, form)
            site.runner.start(order)
        except EvaluationError as error:
            faults = list(map(str, error.mistakes)) if isinstance(error, SuiteError) else [str(error)]
            return _show_list(request, site, form, faults, 400)
        return RedirectResponse(site.run_address(order.name), 303)

    @change("/runs/{name}/cancel")
    def cancel(name: str) -> Response:
        site.runner.cancel(name)
        return RedirectResponse(site.run_address(name), 303)

    @change("/runs/{name}/resume")
    def resume(name: str) -> Response:
        order = site.runs.resumable(name)
        if order is None:
            raise EvaluationError(
                f"The run {name!r} cannot go on: its suite has changed since, or is in none of the suite folders. "
                "Start a new run."
            )
        site.runner.start(order)
        return RedirectResponse(site.run_address(name), 303)

    return router


def _show_list(
    request: Request, site: EvaluatorSite, form: RunForm | None = None, faults: Sequence[str] = (), status: int = 200
) -> Response:
    wanted = tuple(request.query_params.getlist("suite"))
    return show_page(
        request,
        "list.html",
        status,
        site=site,
        rows=[_listed(site, run) for run in site.runs.stored()],
        files=site.suites.files(),
        folders=site.suites.folders,
        answerers=ANSWERERS,
        most_repeats=MOST_REPEATS,
        headline=HEADLINE,
        form=form or RunForm(suites=wanted, answerer=site.chatbot.settings.answerer),
        faults=faults,
    )


def _listed(site: EvaluatorSite, run: StoredRun) -> ListedRun:
    progress = site.runner.progress(run.name) or run.progress
    order = site.runner.order(run.name)
    return ListedRun(
        run=run,
        progress=progress,
        suites=run.suites or tuple(path.name for path in order.suites) if order else run.suites,
        answerer=run.answerer or (order.answerer if order else ""),
        resumable=progress.state in ("interrupted", "failed") and site.runs.resumable(run.name) is not None,
    )


def _order(site: EvaluatorSite, form: RunForm) -> RunOrder:
    """Return the order of a form.

    Raises:
        SuiteError: The suites have mistakes.
        EvaluationError: Anything else of it cannot be carried out.
    """
    files = site.suites.files()
    if not form.suites or not files.keys() >= set(form.suites):
        raise EvaluationError("Choose at least one suite of the list.")
    answerer = answerer_named(form.answerer)
    if answerer is None:
        raise EvaluationError("Choose who answers.")
    if not form.repeat.isdecimal() or not 1 <= int(form.repeat) <= MOST_REPEATS:
        raise EvaluationError(f"Each question can be asked 1 to {MOST_REPEATS} times.")
    paths = tuple(files[name] for name in dict.fromkeys(form.suites))
    questions = sum(len(suite.questions) for suite in load_suites(paths))
    return RunOrder(_new_name(site, form.name), paths, answerer, int(form.repeat), questions * int(form.repeat))


def _new_name(site: EvaluatorSite, wanted: str) -> str:
    """Return the name of a new run: the wanted one, or the time."""
    if wanted and not is_run_name(wanted):
        raise EvaluationError(
            f"A run cannot be called {wanted!r}: use up to 64 letters, figures, dots, hyphens and underscores, "
            "a letter or figure first."
        )
    taken = {run.name for run in site.runs.stored() if run.finished or run.done or run.fault}
    if wanted in taken:
        raise EvaluationError(f"There is a run {wanted!r} already: choose another name.")
    name = base = wanted or datetime.now().astimezone().strftime("%Y-%m-%d-%H%M")
    number = 1
    while name in taken:
        number += 1
        name = f"{base}-{number}"
    return name


# Matplotlib draws for one thread at a time.
_drawing = threading.Lock()


def _show_run(request: Request, site: EvaluatorSite, name: str, previous: str) -> Response:
    """Return the report of a run, or while there is none how far it is.

    Raises:
        ReportError: The report, or the previous one, cannot be read.
    """
    progress, folder = site.progress(name), site.runs.find(name)
    if progress is None or folder is None:
        raise HTTPException(404)
    file = ReportFile.find(folder)
    if file is None:
        resumable = progress.state != "running" and site.runs.resumable(name) is not None
        values: dict[str, Any] = {"name": name, "progress": progress, "resumable": resumable, "log": read_log(folder)}
        return show_page(request, "run.html", site=site, **values)
    earlier = site.runs.report_file(previous) if previous else None
    with _drawing:
        page = _render(site, name, theme_for(request), file, earlier, tuple(site.suites.files()))
    return show_report(page, str(report_policy()))


@lru_cache(maxsize=8)
def _render(
    site: EvaluatorSite,
    name: str,
    theme: str | None,
    file: ReportFile,
    earlier: ReportFile | None,
    suites: tuple[str, ...],
) -> str:
    """Return the report's page; it is made anew only when a file or what it links to has changed."""
    del suites
    frame = Frame(name, site.home, theme, partial(site.entry_of, run=name))
    return render_report(RunReport.load(file.path), RunReport.load(earlier.path) if earlier else None, frame)


def _show_comparison(request: Request, site: EvaluatorSite, a: str, b: str, *, changed: bool) -> Response:
    if not a or not b or a == b:
        raise ComparisonError("Choose two runs of the list, A and B.")
    before, after = site.runs.report(a), site.runs.report(b)
    values: dict[str, Any] = {"site": site, "a": a, "b": b, "changed": changed}
    if not changed and not same_documents(before, after):
        return show_page(request, "compare.html", 409, comparison=None, **values)
    return show_page(
        request,
        "compare.html",
        comparison=_compared(site.runs.report_file(a), site.runs.report_file(b), (a, b), changed=changed),
        headings=_HEADINGS,
        describe_changes=describe_changes,
        anchor_a=partial(_anchor, _anchors(before)),
        anchor_b=partial(_anchor, _anchors(after)),
        **values,
    )


def _anchors(report: RunReport) -> dict[tuple[str, str, str], str]:
    """Return where on a report's page the first answer with each verdict to each question stands."""
    places = zip(report.questions, anchors(report.questions), strict=True)
    return {(one.suite_name, one.golden.id, one.verdict): anchor for one, anchor in reversed(list(places))}


def _anchor(places: dict[tuple[str, str, str], str], key: QuestionKey, shown: ShownReply) -> str:
    return places.get((key.suite, key.id, shown.verdict), "")


@lru_cache(maxsize=8)
def _compared(a: ReportFile, b: ReportFile, names: tuple[str, str], *, changed: bool) -> Comparison:
    """Return a comparison, whose tests take seconds; it is made anew only when a report has changed."""
    return compare_runs(RunReport.load(a.path), RunReport.load(b.path), names, allow_changed_documents=changed)
