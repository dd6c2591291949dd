"""Reports as Markdown tables in the marked places of a file, so that no number in the file is typed by hand.

A block stands between the lines `<!-- begin: NAME -->` and `<!-- end: NAME -->`. Its name is that of a set or suite,
and may go on with words that narrow it: `squad2 local` holds tables of the local model alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from pathlib import Path
from typing import get_args

from bot.settings import AnswererName
from eval.benchmarks.sets.public_set import QueryForm
from eval.benchmarks.sets.published_figures import PublishedFigure
from eval.benchmarks.sets.set_report import BenchmarkReport, SetReport
from eval.errors import ReportError
from eval.measures.interval import Metric
from eval.report.report import RunReport
from eval.run.origin import RunOrigin

_MARKER = re.compile(r"^[ \t]*<!--\s*(begin|end):\s*(.*?)\s*-->[ \t]*$", re.MULTILINE)
_WORDS = (*get_args(AnswererName), "starter", "search", "mini", "limit", "whole", *get_args(QueryForm))


@dataclass(frozen=True, slots=True)
class PublishedTable:
    """What one block of a Markdown file can hold.

    Attributes:
        name: Of the public set, the pool, or the golden suites.
        words: What else tells it from other tables with this name, such as the answerer.
        optional: Whether it may be left out where no block asks for it.
    """

    name: str
    words: frozenset[str]
    markdown: str
    optional: bool = False


def read_tables(path: Path) -> list[PublishedTable]:
    """Return the tables of a report of `footnote eval benchmark` or `footnote eval run`, or of the folder of a run.

    Raises:
        ReportError: It cannot be read or is no report.
    """
    if not _is_benchmark(path):
        return [_of_run(RunReport.load(path))]
    report = BenchmarkReport.load(path)
    names = list(dict.fromkeys(one.name for one in report.sets))
    # A pool is several sets seen together, which is more than was asked for by naming them.
    return [
        *(_of_set(report, one, one.name, [one.name]) for one in report.sets),
        *(_of_set(report, one, one.name.split(",")[0], names, optional=True) for one in report.pools),
    ]


def _is_benchmark(path: Path) -> bool:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return False  # what is wrong with it is said when it is loaded
    return isinstance(content, dict) and "sets" in content


def _of_set(
    report: BenchmarkReport, one: SetReport, name: str, folders: Sequence[str], *, optional: bool = False
) -> PublishedTable:
    asked = "search" if report.retrieval_only else report.answerer
    sample = "mini" if report.mini else "limit" if report.limit else "whole"
    by = ", ".join(f"{count} by {answerer}" for answerer, count in one.answered_by.items())
    caption = _caption(
        _benchmark_command(report, one, folders),
        f"{one.questions} questions ({by}), {one.crashes} crashed",
        report.started_at,
        report.origin,
    )
    notes = "\n".join(f"- {line}" for line in (*_sources(one.published), *one.warnings))
    parts = (caption, _rows(one.metrics, one.published), notes)
    return PublishedTable(name, frozenset({asked, sample, one.query}), "\n\n".join(filter(None, parts)), optional)


def _of_run(report: RunReport) -> PublishedTable:
    answerer = str(report.settings["answerer"])
    paths = [Path(suite.path) for suite in report.suites]
    shown = [path.name if path.is_absolute() else path.as_posix() for path in paths]
    repeats = f" --repeat {report.repeats}" if report.repeats > 1 else ""
    caption = _caption(
        f"eval run {' '.join(shown)} --answerer {answerer}{repeats}",
        f"{len(report.questions)} questions about {report.documents} documents, {report.crashes} crashed",
        report.started_at,
        report.origin,
    )
    rows = _rows(report.metrics, ())
    return PublishedTable("+".join(path.stem for path in paths), frozenset({answerer}), f"{caption}\n\n{rows}")


def _benchmark_command(report: BenchmarkReport, one: SetReport, folders: Sequence[str]) -> str:
    words = ["eval benchmark", *(f"DATASETS/{folder}" for folder in folders)]
    words += ["--retrieval-only"] if report.retrieval_only else []
    words += ["--query last"] if one.query == "last" else []
    words += ["--mini"] if report.mini else []
    words += [f"--limit {report.limit}"] if report.limit else []
    words += [] if report.retrieval_only and report.answerer == "extractive" else [f"--answerer {report.answerer}"]
    return " ".join(words)


def _caption(command: str, asked: str, day: datetime, origin: RunOrigin) -> str:
    commit = f"commit {origin.commit[:7]}{' with changes' if origin.dirty else ''}" if origin.commit else "no commit"
    return f"`footnote {command}`: {asked}; {day:%Y-%m-%d}, {commit}."


def _rows(metrics: Mapping[str, Metric], published: Sequence[PublishedFigure]) -> str:
    heads = ["measure", "value", "n", "95% interval", *(["published"] if published else [])]
    lines = [heads, ["---"] * len(heads)]
    for name, metric in metrics.items():
        # Waiting times depend on what else the machine did: footnote eval latency measures them.
        if metric.n == 0 or name.endswith("_ms"):
            continue
        interval = f"{_number(metric.low)} to {_number(metric.high)}"
        cells = [f"`{name}`", _number(metric.value), str(metric.n), interval]
        lines.append([*cells, *([_beside(name, published)] if published else [])])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _beside(measure: str, published: Sequence[PublishedFigure]) -> str:
    figures = sorted((one for one in published if one.measure == measure), key=lambda one: -one.value)
    return "; ".join(f"{one.system} {_number(one.value)}" for one in figures).replace("|", "\\|")


def _sources(published: Sequence[PublishedFigure]) -> Iterator[str]:
    """Yield where figures come from; which systems are meant where there is more than one such place."""
    places = dict.fromkeys((one.source, one.comparable) for one in published)
    for source, comparable in places:
        some = dict.fromkeys(one.system for one in published if (one.source, one.comparable) == (source, comparable))
        yield f"{'; '.join(some) if len(places) > 1 else 'Published'}: {source}. Measured on {comparable}."


def _number(value: float | None) -> str:
    """Return a value as the documents show it, as in `.744`."""
    return "-" if value is None else f"{value:.3f}".removeprefix("0")


@dataclass(frozen=True, slots=True)
class Block:
    """A marked place: `start:end` are the characters between its markers."""

    name: str
    start: int
    end: int

    def takes(self, table: PublishedTable) -> bool:
        """Return whether a table may stand here."""
        first, *words = self.name.split()
        return first == table.name and table.words.issuperset(words)


def find_blocks(text: str, path: str) -> list[Block]:
    """Return the blocks of a text, in its order.

    Args:
        text: Of the Markdown file.
        path: Its name, for messages.

    Raises:
        ReportError: A marker is unknown, has no partner, or stands there twice.
    """
    blocks: dict[str, Block] = {}
    markers = list(_MARKER.finditer(text))
    for begin, end in zip_longest(markers[::2], markers[1::2]):
        name = _name(begin)
        where = f"{path!r}, line {text.count(chr(10), 0, begin.start()) + 1}: the marker {begin[0].strip()!r}"
        if begin[1] != "begin" or end is None or end[1] != "end" or _name(end) != name:
            raise ReportError(f"{where} has no partner: add it, or remove this one.")
        if not name or any(word not in _WORDS for word in name.split()[1:]):
            raise ReportError(
                f"{where} is unknown: write the name of a set or suite, and after it any of {', '.join(_WORDS)}."
            )
        if name in blocks:
            raise ReportError(f"{where} stands there twice: remove one.")
        blocks[name] = Block(name, begin.end(), end.start())
    return list(blocks.values())


def _name(marker: re.Match[str]) -> str:
    return " ".join(marker[2].split())


def fill_blocks(text: str, tables: Sequence[PublishedTable], path: str) -> tuple[str, dict[str, int]]:
    """Return the text with every table in the block that names it most exactly, and how many tables each block got.

    Tables of one block stand in the order they are given; blocks without a table keep what they hold.

    Raises:
        ReportError: A marker is unknown, or no block takes a table.
    """
    contents: dict[Block, list[str]] = {}
    blocks = find_blocks(text, path)
    for table in tables:
        fitting = [block for block in blocks if block.takes(table)]
        if fitting:
            contents.setdefault(max(fitting, key=lambda block: len(block.name.split())), []).append(table.markdown)
        elif not table.optional:
            raise ReportError(
                f"{path!r} has no place for {table.name!r} ({', '.join(sorted(table.words))}): add the lines "
                f"'<!-- begin: {table.name} -->' and '<!-- end: {table.name} -->' where its table belongs."
            )
    for block in sorted(contents, key=lambda block: -block.start):
        filling = "\n\n".join(contents[block])
        text = f"{text[: block.start]}\n\n{filling}\n\n{text[block.end :]}"
    return text, {block.name: len(some) for block, some in contents.items()}
