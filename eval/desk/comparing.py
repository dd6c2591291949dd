"""The comparison of two runs as a page."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from eval.compare.compare import compare_runs
from eval.compare.comparison import Comparison, QuestionKey, Shown
from eval.compare.documents import describe_changes, same_documents
from eval.desk.desk import Desk
from eval.desk.runs import Stamp, stamp_of
from eval.desk.show import show
from eval.errors import ComparisonError
from eval.html.question import anchors
from eval.report import RunReport

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

    def __call__(self, key: QuestionKey, shown: Shown) -> str:
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
