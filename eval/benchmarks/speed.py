"""Speed of three contenders in one run: llama-index's starter, Footnote without OpenVINO, and Footnote by default.

Each is timed several times, in a process and a folder of its own. The report gives medians, ranges, and ratios within
each round.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

import numpy
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from eval.benchmarks.child_process import run_in_child
from eval.benchmarks.sets.public_set import CorpusQueries
from eval.benchmarks.svg_figure import draw_svg
from eval.errors import EvaluationError
from eval.report.json_file import JsonFile, Record
from eval.run.origin import RunOrigin, read_origin

CONTENDERS = ("starter", "plain", "default")
_BASELINE = "starter"
# How each measure of a contender is shown.
_MEASURES = {
    "load_seconds": "load, s",
    "index_seconds": "index, s",
    "index_again_seconds": "index again, s",
    "retrieve_p50_ms": "retrieve p50, ms",
    "retrieve_p95_ms": "retrieve p95, ms",
    "peak_mib": "peak memory, MiB",
}
_READY = "Footnote is ready at "
_TIMEOUT_SECONDS = 120.0
# What the page shows first of an answer, as a JSON value of `bot.web.page.stream`.
_EVIDENCE = '"evidence"'


class ContenderTimes(Record):
    """One contender in one process: seconds, milliseconds, MiB."""

    load_seconds: float
    index_seconds: float
    index_again_seconds: float
    retrieve_ms: tuple[float, ...]
    peak_mib: float

    def value(self, measure: str) -> float:
        """Return one of the measures by name."""
        if measure.startswith("retrieve_p"):
            share = int(measure.removeprefix("retrieve_p").removesuffix("_ms"))
            return float(numpy.percentile(self.retrieve_ms, share))
        return float(getattr(self, measure))


class SpeedReport(JsonFile):
    """All contenders over the same documents and questions.

    Attributes:
        runs: By contender, one for each round.
        page_seconds: From the command `footnote serve` to its page, one for each round.
        first_evidence_seconds: From the same command to the evidence of a question asked as soon as the page is there.
    """

    dataset: str
    documents: int
    questions: int
    runs: dict[str, tuple[ContenderTimes, ...]]
    page_seconds: tuple[float, ...]
    first_evidence_seconds: tuple[float, ...]
    origin: RunOrigin


def measure_speed(
    datasets: Sequence[CorpusQueries],
    documents: int,
    questions: int,
    rounds: int,
    work: Path,
    advance: Callable[[], None],
    contenders: Sequence[str] = CONTENDERS,
) -> SpeedReport:
    """Time every contender on the first documents of some sets, one set after another, and questions of the first.

    All contenders are timed once before any is timed again. The folder `work` is for indexes, which are not kept, and
    `advance` is called after each contender.

    Raises:
        EvaluationError: One of them failed.
    """
    work.mkdir(parents=True, exist_ok=True)
    corpus, questions_file = work / "corpus.jsonl", work / "questions.json"
    lines = list(islice((line for dataset in datasets for line in _documents(dataset)), documents))
    corpus.write_text("".join(lines), encoding="utf-8")
    texts = [query.question for query in islice(datasets[0].queries, questions)]
    questions_file.write_text(json.dumps(texts), encoding="utf-8")
    runs: dict[str, list[ContenderTimes]] = {name: [] for name in contenders}
    served: list[tuple[float, float]] = []
    for _ in range(rounds):
        for name in contenders:
            folder = work / name
            shutil.rmtree(folder, ignore_errors=True)
            times = run_in_child(
                f"The contender {name!r} failed",
                "eval.benchmarks.speed_contenders:time_contender",
                *(name, str(corpus), str(questions_file), str(folder)),
            )
            runs[name].append(ContenderTimes.model_validate(times))
            if name == "default":
                served.append(_time_serving(folder, texts))
            shutil.rmtree(folder, ignore_errors=True)
            advance()
    return SpeedReport(
        dataset=", ".join(dataset.name for dataset in datasets),
        documents=len(lines),
        questions=len(texts),
        runs={name: tuple(some) for name, some in runs.items()},
        page_seconds=tuple(page for page, _ in served),
        first_evidence_seconds=tuple(evidence for _, evidence in served),
        origin=read_origin(),
    )


def _documents(dataset: CorpusQueries) -> Iterator[str]:
    """Yield the lines of a corpus with its name before each id, because two sets may use the same ids."""
    with dataset.corpus.open(encoding="utf-8") as corpus:
        for line in corpus:
            if line.strip():
                row = json.loads(line)
                yield json.dumps({**row, "_id": f"{dataset.name}/{row['_id']}"}, ensure_ascii=False) + "\n"


def _time_serving(data_dir: Path, questions: Iterable[str]) -> tuple[float, float]:
    """Start an extractive `footnote serve` over an index, open its page as a browser does, and ask.

    Returns the seconds from the command to the page, and to the first evidence. The questions are asked one after
    another until one has evidence; some are answered without.
    """
    command = [str(Path(sys.executable).parent / "footnote"), "serve", "--port", "0", "--data-dir", str(data_dir)]
    begin = time.perf_counter()
    server = subprocess.Popen([*command, "--answerer", "extractive"], stderr=subprocess.PIPE, text=True)  # noqa: S603
    try:
        assert server.stderr is not None
        line = ""
        for line in server.stderr:
            if _READY in line:
                break
        else:
            raise EvaluationError(f"footnote serve did not start: {line.strip() or 'it printed no error'}.")
        address = line.partition(_READY)[2].split(" ")[0]
        _get(address)
        page_seconds = time.perf_counter() - begin
        if not any(_has_evidence(address, question) for question in questions):
            raise EvaluationError("footnote serve found no evidence for any question: ask what the documents hold.")
        return page_seconds, time.perf_counter() - begin
    finally:
        server.terminate()
        server.wait(30)


def _has_evidence(address: str, question: str) -> bool:
    """Ask as the page's script does, over Gradio's queue, until passages are shown or the answer ends."""
    dependencies = json.loads(_get(f"{address}/config"))["dependencies"]
    function = next(one["id"] for one in dependencies if one["backend_fn"])
    body = {"data": [question, {"turn": "speed"}], "fn_index": function, "session_hash": "speed"}
    _get(f"{address}/gradio_api/queue/join", json.dumps(body).encode())
    events = f"{address}/gradio_api/queue/data?session_hash=speed"
    with urllib.request.urlopen(events, timeout=_TIMEOUT_SECONDS) as stream:  # noqa: S310  # our own server
        return any(_EVIDENCE in line.decode() for line in stream)


def _get(address: str, body: bytes | None = None) -> str:
    request = urllib.request.Request(address, body, {"content-type": "application/json"})  # noqa: S310  # our own server
    with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as response:  # noqa: S310
        text: str = response.read().decode()
    return text


def print_speed(report: SpeedReport, console: Console) -> None:
    """Print the median of each measure with its range, and its ratio to the starter's."""
    table = Table(box=None, pad_edge=False)
    table.add_column(f"{report.documents} documents of {report.dataset}")
    for name in report.runs:
        table.add_column(name, justify="right")
    for measure, title in _MEASURES.items():
        baseline = [one.value(measure) for one in report.runs.get(_BASELINE, ())]
        cells = [_cell([one.value(measure) for one in runs], baseline) for runs in report.runs.values()]
        table.add_row(title, *cells)
    console.print(table)
    for what, seconds in (("page", report.page_seconds), ("first evidence", report.first_evidence_seconds)):
        if seconds:
            console.print(f"footnote serve to its {what}: {_median_and_range(seconds)} s")
    console.print(f"machine: {report.origin.machine()}")


def _cell(values: Sequence[float], baseline: Sequence[float]) -> str:
    if not baseline or list(values) == list(baseline):
        return _median_and_range(values)
    # Ratios are of rounds, because a round's contenders ran one after another on the same machine.
    ratios = [one / other for one, other in zip(values, baseline, strict=True)]
    return f"{_median_and_range(values)} ×{float(numpy.median(ratios)):.2g}"


def _median_and_range(values: Sequence[float]) -> str:
    return f"{float(numpy.median(values)):.1f} ({min(values):.1f}-{max(values):.1f})"


_COLUMNS = 2
_WIDTH, _ROW_HEIGHT = 7.2, 1.35  # inches
_BAR, _INK, _GREY = "#4a6f8a", "#222222", "#777777"
_STYLE = {
    "font.family": "sans-serif",
    "font.size": 8.5,
    "text.color": _INK,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.labelcolor": _GREY,
    "axes.edgecolor": _GREY,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": _GREY,
    "ytick.color": _GREY,
    "ytick.labelcolor": _INK,
}


def plot_speed(report: SpeedReport) -> str:
    """Return an SVG file, a chart for each measure: medians as bars, the range over all rounds as lines."""
    charts: list[tuple[str, Mapping[str, Sequence[float]]]] = [
        (title, {name: [one.value(measure) for one in runs] for name, runs in report.runs.items()})
        for measure, title in _MEASURES.items()
    ]
    if report.page_seconds:
        served = {"page": report.page_seconds, "first evidence": report.first_evidence_seconds}
        charts.append(("footnote serve, s", served))
    rows = -(-len(charts) // _COLUMNS)

    def draw(figure: Figure) -> None:
        figure.suptitle(
            f"{report.documents} documents of {report.dataset}, {report.questions} questions, "
            f"median and range of {max(map(len, report.runs.values()))} rounds",
            fontsize=9,
        )
        figure.supxlabel(report.origin.machine(), fontsize=8, color=_GREY)
        places = figure.subplots(rows, _COLUMNS, squeeze=False).flatten()
        for axes, (title, values) in zip(places, charts, strict=False):
            _draw_bars(axes, title, values)
        for unused in places[len(charts) :]:
            unused.remove()

    return draw_svg("speed", (_WIDTH, 0.5 + _ROW_HEIGHT * rows), _STYLE, draw)


def _draw_bars(axes: Axes, title: str, values: Mapping[str, Sequence[float]]) -> None:
    what, _, unit = title.rpartition(", ")
    medians = [float(numpy.median(some)) for some in values.values()]
    below = [median - min(some) for median, some in zip(medians, values.values(), strict=True)]
    above = [max(some) - median for median, some in zip(medians, values.values(), strict=True)]
    axes.barh(range(len(values)), medians, xerr=[below, above], height=0.6, color=_BAR, ecolor=_INK, capsize=2)
    for row, (median, reach) in enumerate(zip(medians, above, strict=True)):
        shown = f"{median:.0f}" if median >= 100 else f"{median:.3g}"
        axes.annotate(shown, (median + reach, row), (4, 0), textcoords="offset points", va="center")
    axes.set_yticks(range(len(values)), list(values))
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
    axes.margins(x=0.18)
    axes.set_xlim(left=0)
    axes.set(title=what, xlabel=unit)
