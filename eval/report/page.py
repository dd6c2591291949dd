"""A whole report as one HTML file that fetches nothing: it holds its styles, script and drawings."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

import bot.web.page
from bot.web.page.render_html import finalize, icon
from eval.judge.record import JudgedAnswer, ModelJudge
from eval.measures.interval import Metric
from eval.measures.scoring import TAG_MEASURES
from eval.report.change import RunChange, change_since, key_of
from eval.report.figures import MEASURES, REFUSALS, VERDICTS, count
from eval.report.plots import build_plots
from eval.report.question import QuestionView, anchors, by_verdict, view_question
from eval.report.report import GOOD_VERDICTS, QuestionReport, RunReport
from eval.report.table import number

_HERE = Path(__file__).parent
# The page uses the styles of the chat page.
_CHAT_STATIC = Path(str(bot.web.page.__file__)).parent / "static"


@dataclass(frozen=True, slots=True)
class MetricRow:
    """A measure of the headline table.

    Attributes:
        left: Where its interval begins, in percent of the width of the bar.
        width: How wide its interval is.
        place: Where its value stands.
    """

    name: str
    meaning: str
    metric: Metric
    left: float
    width: float
    place: float


@dataclass(frozen=True, slots=True)
class OpinionView:
    """A language model's opinion as the page shows it.

    Attributes:
        rows: Its shares.
        disputed: What it holds against `answer_correct`, each with the address of the question on the page.
    """

    opinion: ModelJudge
    rows: Sequence[MetricRow]
    disputed: Sequence[tuple[str, JudgedAnswer]]


@dataclass(frozen=True, slots=True)
class Frame:
    """Links around a report that is shown in the web application; a page that is a file has none.

    Attributes:
        name: What the run is called.
        home: Address of the list of runs.
        theme: `light` or `dark` where the reader has chosen one.
        entry_of: Gives the address where a question's suite entry can be changed, or None.
    """

    name: str
    home: str
    theme: str | None
    entry_of: Callable[[QuestionReport], str | None]


def render_report(report: RunReport, previous: RunReport | None = None, frame: Frame | None = None) -> str:
    """Return the page of a report, with what changed since a previous run when there is one.

    Args:
        report: What to show.
        previous: An earlier run.
        frame: Links into the web application, where the page is shown in it.
    """
    change = change_since(previous, report) if previous else None
    views = _views(report, change, frame)
    tags = sorted({tag for question in report.questions for tag in question.golden.tags})
    suites = list(dict.fromkeys(question.suite for question in report.questions))
    return (
        _environment()
        .get_template("page.html")
        .render(
            frame=frame,
            policy=report_policy(),
            report=report,
            change=change,
            verdicts=by_verdict(report.questions),
            good=sum(question.verdict in GOOD_VERDICTS for question in report.questions),
            rows=_metric_rows(report.metrics),
            plots=build_plots(report, change),
            views=views,
            opinion=_opinion_view(report.model_judge, views) if report.model_judge else None,
            tags=tags,
            suites=suites,
            choices=_choices(report, tags, suites, change),
            answerers=_answerers(report),
            **_assets(),
        )
    )


def report_policy() -> Markup:
    """Return the content security policy of the page: its own script, and nothing from anywhere."""
    return Markup(
        "default-src 'none'; script-src '{}'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
        "form-action 'none'"
    ).format(_assets()["script_hash"])


def _views(report: RunReport, change: RunChange | None, frame: Frame | None) -> list[QuestionView]:
    was = change.was if change else {}
    return [
        view_question(question, anchor, was.get(key_of(question)), frame.entry_of(question) if frame else None)
        for question, anchor in zip(report.questions, anchors(report.questions), strict=True)
    ]


def _opinion_view(opinion: ModelJudge, views: Sequence[QuestionView]) -> OpinionView:
    places = {(view.report.suite, view.report.golden.id, view.report.repeat): view.anchor for view in views}
    disputed = [(places[one.suite, one.id, one.repeat], one) for one in opinion.disputed()]
    return OpinionView(opinion, _metric_rows(opinion.shares()), disputed)


def _choices(
    report: RunReport, tags: Sequence[str], suites: Sequence[str], change: RunChange | None
) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Return what the questions can be filtered by: name, label, and each value with its words.

    Tags and suites go by their number, because they may hold any character.
    """
    verdicts = by_verdict(report.questions)
    blamed = sorted({question.blame.stage for question in report.questions if question.blame})
    choices: list[tuple[str, str, list[tuple[str, str]]]] = [
        ("verdict", "Verdict", [(verdict, f"{VERDICTS[verdict]} ({verdicts[verdict]})") for verdict in verdicts]),
        ("tag", "Tag", [(str(place), tag) for place, tag in enumerate(tags)]),
        ("suite", "Suite", [(str(place), suite) for place, suite in enumerate(suites)]),
        ("blame", "Lost in", [*((stage, stage) for stage in blamed), ("none", "no stage")] if blamed else []),
        ("turned", "Since before", [("better", "became better"), ("worse", "became worse")] if change else []),
    ]
    return [(name, label, options) for name, label, options in choices if len(options) > 1]


def _metric_rows(metrics: Mapping[str, Metric]) -> list[MetricRow]:
    """Return the rows with their bars: shares on a scale to 1, milliseconds on one to the longest."""
    longest = max((metric.high or 0.0 for name, metric in metrics.items() if name.endswith("_ms")), default=0.0)
    rows = []
    for name, metric in metrics.items():
        scale = 100 / (longest or 1.0) if name.endswith("_ms") else 100.0
        low, high, value = ((one or 0.0) * scale for one in (metric.low, metric.high, metric.value))
        bar = (round(low, 1), round(high - low, 1), round(value, 1))
        rows.append(MetricRow(name, MEASURES.get(name, ""), metric, *bar))
    return rows


def _answerers(report: RunReport) -> list[str]:
    """Return who wrote the replies, with the language model where there was one, the most frequent first."""
    origins = [question.answer.provenance for question in report.questions if question.answer]
    written = Counter(
        f"{one.answerer} ({one.language_model})" if one.language_model else one.answerer for one in origins
    )
    return [name for name, _ in written.most_common()]


@cache
def _environment() -> Environment:
    return build_environment()


def build_environment(*folders: Path) -> Environment:
    """Return what renders our templates; other pages add folders of theirs and share the parts of this one."""
    environment = Environment(
        loader=FileSystemLoader([*folders, _HERE / "templates"]),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        icon=icon,
        number=number,
        count=count,
        verdict_words=VERDICTS,
        refusal_words=REFUSALS,
        good_verdicts=GOOD_VERDICTS,
        tag_measures=TAG_MEASURES,
    )
    return environment


@cache
def _assets() -> dict[str, Markup]:
    """Return the styles, the script with its hash for the policy, and the icon; all are our own files."""
    style = (_CHAT_STATIC / "type.css").read_text("utf-8") + (_HERE / "static" / "report.css").read_text("utf-8")
    script = (_HERE / "static" / "report.js").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return {
        "style": Markup(style),  # noqa: S704
        "script": Markup(script),  # noqa: S704
        "script_hash": Markup(f"sha256-{digest}"),  # noqa: S704
        "icon_address": Markup("data:image/svg+xml," + quote((_CHAT_STATIC / "icon.svg").read_text("utf-8"))),  # noqa: S704
    }
