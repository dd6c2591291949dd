"""How the number of chunks changes build time, disk, memory and waiting times: each size built, then measured.

This says nothing about quality, because most passages are made up.
"""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from itertools import islice, pairwise
from pathlib import Path

import numpy
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, StrMethodFormatter
from rich.console import Console
from rich.table import Table

from bot.settings import Settings
from eval.benchmarks.child_process import run_in_child
from eval.benchmarks.scale_index import build_index, sizes_on_disk
from eval.benchmarks.sets.public_set import CorpusQueries, index_corpus
from eval.benchmarks.svg_figure import draw_svg
from eval.benchmarks.varied_passages import Passages, real_passages
from eval.errors import EvaluationError
from eval.report.json_file import JsonFile, Record
from eval.run.origin import RunOrigin, read_origin
from eval.run.progress import show_progress
from index.document import Document
from index.embedding.build import build_embedder
from index.embedding.embedder import Embedder
from index.store.catalogue import Catalogue
from index.sync.splitter import Splitter

_TIMED_PASSAGES = 500
_EMBED_AT_ONCE = 128
_MIB = 1024 * 1024
_STYLE = {"font.size": 9, "axes.grid": True, "grid.color": "#dddddd"}


class ChunkCosts(Record):
    """Milliseconds a chunk that real documents cost and made-up ones do not: cutting and embedding."""

    split_ms: float
    embed_ms: float


class SizeReport(Record):
    """An index of one size.

    Attributes:
        seconds: Of each stage of the build, over all the runs it took; without cutting and embedding.
        disk_bytes: Of each part.
        before_mib: Memory of a process with the embedding model, before it opened the index.
        after_mib: The same after it has answered every question.
        open_seconds: Until the index was ready.
        evidence_ms: From each question to its evidence.
        retrieve_ms: The part of it that is retrieval, with embedding the question.
        vectors_ms: The search by vectors alone.
        keywords_ms: The search by words alone.
    """

    chunks: int
    seconds: dict[str, float]
    disk_bytes: dict[str, int]
    before_mib: float
    after_mib: float
    open_seconds: float
    evidence_ms: tuple[float, ...]
    retrieve_ms: tuple[float, ...]
    vectors_ms: tuple[float, ...]
    keywords_ms: tuple[float, ...]

    def build_seconds(self, costs: ChunkCosts) -> float:
        """Return how long real documents of this size would take: what was measured, and cutting and embedding."""
        return sum(self.seconds.values()) + self.chunks * (costs.split_ms + costs.embed_ms) / 1000

    def index_mib(self) -> float:
        """Return the memory that the index takes."""
        return self.after_mib - self.before_mib

    def disk_mib(self) -> float:
        """Return the space that the index takes on disk."""
        return sum(self.disk_bytes.values()) / _MIB


class ScaleReport(JsonFile):
    """All sizes, on one machine."""

    dataset: str
    passages: int
    questions: int
    rates: ChunkCosts
    sizes: tuple[SizeReport, ...]
    processor: str
    memory_mib: int
    origin: RunOrigin


def measure_scale(
    dataset: CorpusQueries, sizes: Sequence[int], questions: int, work: Path, settings: Settings
) -> ScaleReport:
    """Build and measure an index of each size, a number of chunks.

    The passages of the set are varied, and at most so many of its questions are asked. Below `work` each index is kept
    in a folder of its own and not built again.

    Raises:
        EvaluationError: The set has no questions, or a measuring process failed.
    """
    queries = dataset.queries[:questions]
    if not queries:
        raise EvaluationError(f"The set {dataset.name!r} has no questions to ask: name another.")
    embedder = build_embedder(settings)
    with show_progress("embedding the real passages", 1) as advance:
        real = index_corpus(dataset.corpus, work / "real", settings, embedder)
        advance()
    with closing(Catalogue(real.catalogue_url())) as catalogue:
        passages = real_passages(catalogue)
    rows = [{"question": query.question, "history": [turn.model_dump() for turn in query.history]} for query in queries]
    origin = read_origin()
    return ScaleReport(
        dataset=dataset.name,
        passages=len(passages.titles),
        questions=len(queries),
        rates=_measure_costs(passages, settings, embedder),
        sizes=tuple(
            _measure_size(passages, chunks, json.dumps(rows), work / str(chunks), settings, embedder.model_id)
            for chunks in sizes
        ),
        processor=origin.processor or platform.machine(),
        memory_mib=origin.memory_mib or 0,
        origin=origin,
    )


def _measure_size(
    passages: Passages, chunks: int, questions: str, folder: Path, settings: Settings, model_id: str
) -> SizeReport:
    chosen = settings.model_copy(update={"data_dir": folder, "database_url": ""})
    seconds = build_index(passages, chunks, chosen, model_id)
    questions_file = folder / "questions.json"
    questions_file.write_text(questions, encoding="utf-8")
    with show_progress(f"asking {chunks} chunks", 1) as advance:
        measured = run_in_child(
            f"The index in {str(folder)!r} could not be measured",
            "eval.benchmarks.scale_index:measure_index",
            *(str(folder), str(questions_file)),
        )
        advance()
    return SizeReport(chunks=chunks, seconds=seconds, disk_bytes=sizes_on_disk(folder), **measured)


def _measure_costs(passages: Passages, settings: Settings, embedder: Embedder) -> ChunkCosts:
    texts = [
        f"{title}\n{' '.join(sentences)}"
        for title, sentences in islice(zip(passages.titles, passages.sentences, strict=True), _TIMED_PASSAGES)
    ]
    splitter = Splitter(
        embedder.tokenize,
        embedder.model_id,
        chunk_tokens=settings.chunk_tokens,
        overlap_tokens=settings.overlap_tokens,
    )
    splitter.split(Document("first", "first", texts[0], "text/plain", ""))  # what is loaded on first use
    begin = time.perf_counter()
    cut = sum(len(splitter.split(Document("timed", "timed", text, "text/plain", ""))) for text in texts)
    middle = time.perf_counter()
    for start in range(0, len(texts), _EMBED_AT_ONCE):
        embedder.embed(texts[start : start + _EMBED_AT_ONCE])
    end = time.perf_counter()
    return ChunkCosts(split_ms=1000 * (middle - begin) / cut, embed_ms=1000 * (end - middle) / len(texts))


def plot_scale(report: ScaleReport) -> str:
    """Return growth curves as an SVG file: waiting times, space and build time against the number of chunks."""
    sizes = sorted(report.sizes, key=lambda size: size.chunks)
    lines = {
        "evidence, p95": [_percentile(size.evidence_ms, 95) for size in sizes],
        "evidence, p50": [_percentile(size.evidence_ms, 50) for size in sizes],
        "retrieval, p50": [_percentile(size.retrieve_ms, 50) for size in sizes],
        "words, p50": [_percentile(size.keywords_ms, 50) for size in sizes],
        "vectors, p50": [_percentile(size.vectors_ms, 50) for size in sizes],
    }
    space = {"disk": [size.disk_mib() for size in sizes], "memory": [size.index_mib() for size in sizes]}
    seconds = {"all, with embedding": [size.build_seconds(report.rates) for size in sizes]}
    seconds |= {name: [size.seconds.get(name, 0.0) for size in sizes] for name in ("stage", "vectors", "keywords")}
    charts = (
        ("Waiting", "milliseconds", lines),
        ("Space of the index", "MiB", space),
        ("Build", "seconds", seconds),
    )

    def draw(figure: Figure) -> None:
        for axes, (title, unit, values) in zip(figure.subplots(1, 3), charts, strict=True):
            _draw_lines(axes, [size.chunks for size in sizes], values)
            axes.set(ylabel=unit, title=title)

    return draw_svg("scale", (10, 3.4), _STYLE, draw)


def _draw_lines(axes: Axes, chunks: Sequence[int], lines: Mapping[str, Sequence[float]]) -> None:
    for name, values in lines.items():
        axes.plot(chunks, values, marker="o", markersize=4, label=name)
    axes.set(xscale="log", yscale="log", xlabel="chunks")
    axes.set_xticks(chunks)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(StrMethodFormatter("{x:,.10g}"))
        axis.set_minor_formatter(NullFormatter())
    axes.legend(frameon=False, fontsize=8)


def _percentile(values: Sequence[float], share: int) -> float:
    return float(numpy.percentile(values or [float("nan")], share))


def print_scale(report: ScaleReport, console: Console) -> None:
    """Print a column for each size."""
    table = Table(box=None, pad_edge=False)
    table.add_column(f"{report.dataset}, varied")
    for size in report.sizes:
        table.add_column(f"{size.chunks:,} chunks", justify="right")
    for stage in dict.fromkeys(stage for size in report.sizes for stage in size.seconds):
        table.add_row(f"{stage}, s", *(f"{size.seconds.get(stage, 0):.1f}" for size in report.sizes))
    table.add_row("build with real embedding, s", *(f"{size.build_seconds(report.rates):.0f}" for size in report.sizes))
    for part in dict.fromkeys(part for size in report.sizes for part in size.disk_bytes):
        table.add_row(f"{part}, MiB on disk", *(f"{size.disk_bytes.get(part, 0) / _MIB:.0f}" for size in report.sizes))
    table.add_row("memory of the index, MiB", *(f"{size.index_mib():.0f}" for size in report.sizes))
    grown = [
        (large.index_mib() - small.index_mib()) * 100_000 / (large.chunks - small.chunks)
        for small, large in pairwise(report.sizes)
    ]
    table.add_row("more for 100,000 chunks more, MiB", "", *(f"{mib:.0f}" for mib in grown))
    table.add_row("memory of the process, MiB", *(f"{size.after_mib:.0f}" for size in report.sizes))
    table.add_row("open, s", *(f"{size.open_seconds:.1f}" for size in report.sizes))
    for title in ("evidence", "retrieve", "vectors", "keywords"):
        times = [getattr(size, f"{title}_ms") for size in report.sizes]
        cells = (f"{_percentile(some, 50):.0f} / {_percentile(some, 95):.0f}" for some in times)
        table.add_row(f"{title} p50 / p95, ms", *cells)
    console.print(table)
    console.print(
        f"A chunk of real text costs {report.rates.split_ms:.1f} ms to cut and {report.rates.embed_ms:.1f} ms to embed "
        "here; the vectors of made-up passages are made up too."
    )
