"""The commands that work on public sets: `footnote eval fit` and `footnote eval latency`."""

from __future__ import annotations

import dataclasses
import json
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bot.cli.options import json_option, print_json, with_settings
from bot.settings import Settings
from eval.dataset import Dataset, Query, load_dataset, split_by_title

_folder = click.Path(path_type=Path, exists=True, file_okay=False)
_work_option = click.option(
    "--work",
    type=click.Path(path_type=Path),
    default=Path("data/benchmarks"),
    help="Where the indexes of sets are kept.",
)


@click.command(epilog="\b\nExample:\n  footnote eval latency datasets/mtrag/clapnq --out docs/latency.json")
@click.argument("folder", type=_folder)
@_work_option
@click.option("--out", type=click.Path(path_type=Path), help="Write the report to this JSON file.")
@json_option
@with_settings
def latency(folder: Path, *, work: Path, out: Path | None, as_json: bool, settings: Settings) -> None:
    """Index a set and measure how long evidence and answers take, one question after another."""
    from bot.build import build_chatbot  # noqa: PLC0415  # torch takes seconds to import
    from eval.latency import measure_latency  # noqa: PLC0415

    dataset = load_dataset(folder)
    chatbot = build_chatbot(_index(dataset, folder, work, settings))
    with _progress("asking", len(dataset.queries)) as advance:
        report = measure_latency(dataset.name, chatbot, dataset.queries, advance)
    chatbot.close()
    if out is not None:
        out.write_text(report.model_dump_json(indent=2) + "\n", encoding="utf-8")
    if as_json:
        print_json(report.model_dump(mode="json"))
    else:
        click.echo(
            f"{report.questions} questions over {report.chunks} chunks of {report.documents} documents: "
            f"evidence p50 {report.evidence_ms['p50']} ms, p95 {report.evidence_ms['p95']} ms; "
            f"answer p50 {report.answer_ms['p50']} ms, p95 {report.answer_ms['p95']} ms"
        )


@click.command(epilog="\b\nExample:\n  footnote eval fit datasets/squad2 datasets/clapnq datasets/drcd")
@click.argument("folders", nargs=-1, required=True, type=_folder)
@_work_option
@click.option("--limit", type=click.IntRange(10), default=500, show_default=True, help="Most questions of each set.")
@click.option("--out", type=click.Path(path_type=Path), help="Where the parameters go, if not into the installed file.")
@click.option(
    "--small", type=click.IntRange(0), default=8, show_default=True, help="Small collections made of each set."
)
@json_option
@with_settings
def fit(
    folders: tuple[Path, ...],
    *,
    work: Path,
    limit: int,
    small: int,
    out: Path | None,
    as_json: bool,
    settings: Settings,
) -> None:
    """Fit the judge on public sets and print how well it tells right answers from wrong ones, out of sample."""
    from bot.build import build_chatbot  # noqa: PLC0415  # torch takes seconds to import
    from eval.fit import Example, calibration_file, collect, fit_judge  # noqa: PLC0415

    whole = [load_dataset(folder, _largest(folder)) for folder in folders]
    datasets = [_sample(dataset, limit) for dataset in whole]
    groups = list(zip(folders, datasets, strict=True))
    for dataset in whole:
        for few in split_by_title(dataset, work, small):
            groups.append((few.corpus.parent, _sample(few, limit // 10)))  # noqa: PERF401
    examples: list[Example] = []
    for place, (folder, dataset) in enumerate(groups):
        foreign = _foreign(datasets[(place + 1) % len(datasets)], len(dataset.queries) // 5)
        chatbot = build_chatbot(_index(dataset, folder, work, settings))
        queries = [*dataset.queries, *foreign]
        with _progress(dataset.name, len(queries)) as advance:
            examples += collect(dataset.name, chatbot, queries, advance)
        chatbot.close()
    calibration, figures = fit_judge(examples)
    content = calibration_file(calibration, figures, limit)
    target = out or Path(str(files("bot").joinpath("calibration.json")))
    target.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    if as_json:
        print_json(content)
        return
    for one in figures:
        click.echo(
            f"{one.group:<16} n {one.questions:>4}  answered by the best sentences {one.answered:>4}  "
            f"AUROC {one.auroc:.3f}  calibration error {one.calibration_error:.3f}"
        )


def _index(dataset: Dataset, folder: Path, work: Path, settings: Settings) -> Settings:
    """Index the set's documents under `work`, unless they are there already, and return the settings to ask them."""
    from index.catalogue import Catalogue  # noqa: PLC0415
    from index.embedder import SentenceTransformerEmbedder  # noqa: PLC0415
    from index.sync import synchronise  # noqa: PLC0415

    chosen = settings.model_copy(update={"data_dir": work / "-".join(folder.absolute().parts[-2:])})
    catalogue = Catalogue(chosen.catalogue_url())
    synchronise([dataset.corpus], chosen, catalogue, SentenceTransformerEmbedder(chosen.embedding_model))
    catalogue.close()
    return chosen


def _largest(folder: Path) -> str:
    return "all_queries.jsonl" if (folder / "all_queries.jsonl").is_file() else "queries.jsonl"


def _sample(dataset: Dataset, limit: int) -> Dataset:
    queries = list(dataset.queries)
    random.Random(0).shuffle(queries)  # noqa: S311  # a fixed sample, nothing secret
    return dataclasses.replace(dataset, queries=tuple(queries[:limit]))


def _foreign(other: Dataset, count: int) -> Sequence[Query]:
    """Return questions of another set: asked here, nothing answers them."""
    some = other.queries[:count]
    return [dataclasses.replace(query, answerable=False, relevant=frozenset()) for query in some]


@contextmanager
def _progress(title: str, total: int) -> Iterator[Callable[[], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=total)
        yield lambda: progress.advance(task)
