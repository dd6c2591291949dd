"""The page of one run: its report, or how far it is."""

from __future__ import annotations

import threading
from functools import lru_cache, partial
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bot.web.reader import theme_for
from eval.desk.desk import Desk
from eval.desk.running import read_log
from eval.desk.runs import Stamp, stamp_of
from eval.desk.show import show, show_whole
from eval.html.page import Frame, render_report, report_policy
from eval.report import RunReport

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
        values = {"name": name, "progress": progress, "resumable": resumable, "log": read_log(folder)}
        return show(request, "run.html", desk=desk, **values)
    earlier = desk.runs.report(previous) and desk.runs.report_path(previous) if previous else None
    with _drawing:
        page = _render(desk, name, theme_for(request), *_stamped(path), *_stamped(earlier), *_suites_stamp(desk))
    return show_whole(page, str(report_policy()))


@lru_cache(maxsize=8)
def _render(
    desk: Desk,
    name: str,
    theme: str | None,
    path: Path,
    stamp: Stamp | None,
    earlier: Path | None,
    earlier_stamp: Stamp | None,
    *suites: str,
) -> str:
    """Return the report's page; it is made anew only when a file or what it links to has changed."""
    del stamp, earlier_stamp, suites
    frame = Frame(name, desk.home, theme, partial(desk.entry_of, run=name))
    return render_report(RunReport.load(path), RunReport.load(earlier) if earlier else None, frame)


def _stamped(path: Path | None) -> tuple[Path | None, Stamp | None]:
    return path, stamp_of(path) if path else None


def _suites_stamp(desk: Desk) -> tuple[str, ...]:
    return tuple(desk.suites.files())
