"""The page of one run: its report, or how far it is."""

from __future__ import annotations

import threading
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bot.web.reader import theme_for
from eval.desk.desk import Desk
from eval.desk.running import read_log
from eval.desk.runs import Stamp, stamp_of
from eval.desk.show import show, show_whole
from eval.errors import ReportError
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
