"""The commands that work on public sets: `footnote eval fit` and `footnote eval latency`."""

from __future__ import annotations

import dataclasses
import json
import random
from collections.abc import Sequence
from contextlib import ExitStack, closing
from importlib.resources import files
from pathlib import Path

import click

from bot.cli.options import answerer_option, gguf_option, json_option, print_json, with_settings
from bot.settings import Settings
from eval.benchmarks.dataset import Dataset, Query, load_dataset, split_by_title
from eval.errors import EvaluationError
from eval.run.progress import show_progress

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
@click.option("--limit", type=click.IntRange(1), help="At most so many questions, the same ones each time.")
@click.option("--beside-starter", is_flag=True, help="Ask llama-index's chat engine too, with the same local model.")
@click.option("--out", type=click.Path(path_type=Path), help="Write the report to this JSON file.")
@answerer_option
@json_option
@with_settings
def latency(
    folder: Path,
    *,
    work: Path,
    limit: int | None,
    beside_starter: bool,
    out: Path | None,
    as_json: bool,
    settings: Settings,
) -> None:
    """Index a set and measure how long evidence and answers take, one question after another."""
    from bot.build import build_chatbot  # torch takes seconds to import
    from eval.benchmarks.dataset import index_corpus
    from eval.benchmarks.latency import measure_latency
    from index.embedding.build import build_embedder

    dataset = load_dataset(folder)
    if limit is not None:
        dataset = _sample(dataset, limit)
    embedder = build_embedder(settings)
    with ExitStack() as stack:
        chatbot = build_chatbot(index_corpus(dataset.corpus, _below(work, folder), settings, embedder), embedder)
        stack.callback(chatbot.close)
        starter = None
        if beside_starter:
            from eval.benchmarks.sets.starter import open_starter

            opener = stack.enter_context(open_starter(settings, embedder, None, ""))
            starter = stack.enter_context(opener.open(dataset.corpus, work))
        advance = stack.enter_context(show_progress("asking", len(dataset.queries)))
        report = measure_latency(dataset.name, chatbot, dataset.queries, advance, starter)
    if out is not None:
        out.write_text(report.model_dump_json(indent=2) + "\n", encoding="utf-8")
    if as_json:
        print_json(report.model_dump(mode="json"))
    else:
        click.echo(
            f"{report.questions} questions over {report.chunks} chunks of {report.documents} documents: "
            f"evidence p50 {report.evidence_ms['p50']} ms, p95 {report.evidence_ms['p95']} ms; "
            f"answer p50 {report.answer_ms['p50']} ms, p95 {report.answer_ms['p95']} ms"
            + (f"; starter p50 {report.starter_ms['p50']} ms" if report.starter_ms else "")
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
    from bot.build import build_chatbot  # torch takes seconds to import
    from eval.benchmarks.dataset import index_corpus
    from eval.benchmarks.fit import Example, collect, describe_judge, fit_judge
    from index.embedding.build import build_embedder

    embedder = build_embedder(settings)
    settings = settings.model_copy(update={"answerer": "extractive"})  # what is fitted here knows no language model
    whole = [load_dataset(folder, _largest(folder)) for folder in folders]
    datasets = [_sample(dataset, limit) for dataset in whole]
    groups = list(zip(folders, datasets, strict=True))
    for dataset in whole:
        for few in split_by_title(dataset, work, small):
            groups.append((few.corpus.parent, _sample(few, limit // 10)))  # noqa: PERF401
    examples: list[Example] = []
    for place, (folder, dataset) in enumerate(groups):
        foreign = _foreign(datasets[(place + 1) % len(datasets)], len(dataset.queries) // 5)
        chatbot = build_chatbot(index_corpus(dataset.corpus, _below(work, folder), settings, embedder), embedder)
        queries = [*dataset.queries, *foreign]
        with show_progress(dataset.name, len(queries)) as advance:
            examples += collect(dataset.name, chatbot, queries, advance)
        chatbot.close()
    models, figures = fit_judge(examples)
    content = _write_calibration(describe_judge(models, figures, limit), out)
    if as_json:
        print_json(content)
        return
    for one in figures:
        click.echo(
            f"{one.group:<16} n {one.questions:>4}  answered by the best sentences {one.answered:>4}  "
            f"AUROC {one.auroc:.3f}  calibration error {one.calibration_error:.3f}"
        )


@click.command(epilog="\b\nExample:\n  footnote eval fit-opinion datasets/squad2 eval/suites/seed.yaml --mini")
@click.argument("sources", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@_work_option
@click.option("--mini", is_flag=True, help="Only the rows that a set marks as its small sample.")
@click.option(
    "--limit", type=click.IntRange(10), help="At most so many questions of each set, the same ones each time."
)
@click.option("--out", type=click.Path(path_type=Path), help="Where the parameters go, if not into the installed file.")
@answerer_option
@gguf_option
@json_option
@with_settings
def fit_opinion(
    sources: tuple[Path, ...],
    *,
    work: Path,
    mini: bool,
    limit: int | None,
    out: Path | None,
    as_json: bool,
    settings: Settings,
) -> None:
    """Ask the language model about questions whose answer is known and fit how far it is trusted.

    A source is the folder of a public set, or a golden suite about the documents in --data-dir. Each example is kept
    below --work as soon as it is there; a run that was stopped goes on.
    """
    from bot.language_model.build import build_language_model  # torch takes seconds to import
    from eval.benchmarks.fit_model import (
        Examiner,
        OpinionExample,
        describe_fit,
    )
    from eval.benchmarks.fit_model import fit_opinion as fit_models
    from eval.benchmarks.sets.sets import load_set
    from eval.suites.suite import load_suites
    from index.embedding.build import build_embedder

    model = build_language_model(settings)
    if model is None or not model.ready():
        raise EvaluationError("There is no language model to ask: run `footnote model fetch`, or name one with --gguf.")
    examples: list[OpinionExample] = []
    with closing(model):
        model.warm_up()
        examiner = Examiner(settings, build_embedder(settings), model)
        for source in sources:
            if source.is_dir():
                examples += examiner.examine_set(load_set(source, mini=mini, limit=limit), work, show_progress)
            else:
                for suite in load_suites([source]):
                    examples += examiner.examine_suite(suite, work, show_progress)
    models, figures = fit_models(examples)
    content = _write_calibration(describe_fit(models, figures, model.name), out)
    if as_json:
        print_json(content)
        return
    for one in figures:
        click.echo(
            f"{one.judge:<8} {one.group:<14} n {one.questions:>4}  answerable {one.answerable:>4}  "
            f"right {one.right:>4}  AUROC answerable {one.auroc:.3f}  right {one.auroc_right:.3f}  "
            f"calibration error {one.calibration_error:.3f}"
        )


def _write_calibration(part: dict[str, object], out: Path | None) -> dict[str, object]:
    """Put fitted parameters into the installed calibration, or write that with them to another file."""
    installed = Path(str(files("bot.stages.judgement").joinpath("calibration.json")))
    content: dict[str, object] = {**json.loads(installed.read_text(encoding="utf-8")), **part}
    (out or installed).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return content


def _below(work: Path, folder: Path) -> Path:
    """Return where the index of a set is kept."""
    return work / "-".join(folder.absolute().parts[-2:])


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
