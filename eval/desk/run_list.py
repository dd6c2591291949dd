"""The list of runs, and the form that starts another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from eval.desk.desk import Desk
from eval.desk.order import ANSWERERS, MOST_REPEATS, RunOrder, answerer_named, is_run_name
from eval.desk.running import Progress
from eval.desk.runs import HEADLINE, StoredRun
from eval.desk.show import show
from eval.errors import EvaluationError, SuiteError
from eval.suite import load_suites


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
