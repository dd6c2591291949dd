"""The commands `footnote eval …` that measure Footnote itself, and those that fit its parameters.

Modules that need torch are imported by the commands, because it takes seconds to import.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, closing
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click
from rich.console import Console

from bot.cli.options import answerer_option, gguf_option, json_option, print_json, with_settings
from bot.language_model.session import ModelSession
from bot.settings import AnswererName, Settings
from eval.benchmarks.sets.public_set import (
    BenchmarkSet,
    find_protocol,
    in_query_forms,
    index_corpus,
    load_dataset,
    load_set,
    require_relevant_documents,
)
from eval.errors import EvaluationError, ReportError
from eval.measures.interval import Metric
from eval.report.json_file import JsonFile
from eval.run.origin import read_origin
from eval.run.progress import show_progress
from index.store.atomic_file import write_file

if TYPE_CHECKING:
    from eval.benchmarks.fit_extractive import SentencesExample
    from eval.benchmarks.fit_model import ModelExample
    from eval.benchmarks.sets.set_run import Answerer

_STARTER = "starter"
_SIZES = (10_000, 100_000, 1_000_000)
_FITTED_PAIRS = 800

_set_folder = click.Path(path_type=Path, exists=True, file_okay=False)
_folder_argument = click.argument("folder", type=_set_folder)
_folders_argument = click.argument("folders", metavar="FOLDER…", nargs=-1, required=True, type=_set_folder)
_limit_option = click.option(
    "--limit", type=click.IntRange(1), help="At most so many questions of each set, the same ones each time."
)
_query_option = click.option(
    "--query",
    type=click.Choice(["history", "last", "both"]),
    default="history",
    show_default=True,
    help="Ask a follow-up with the turns before it, its last turn alone, or once each.",
)
_beside_starter_option = click.option(
    "--beside-starter", is_flag=True, help="Ask llama-index's chat engine too, with the same local model."
)
_calibration_option = click.option(
    "--out", type=click.Path(path_type=Path), help="Where the parameters go, if not into the installed file."
)


def _work_option(default: str, what: str = "indexes and answers") -> Callable[[Any], Any]:
    return click.option(
        "--work",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path(default),
        show_default=True,
        help=f"Where {what} are kept: the same command goes on with an interrupted run.",
    )


_benchmarks_option = _work_option("data/benchmarks")


def _report_option(also: str = "") -> Callable[[Any], Any]:
    def check(context: click.Context, parameter: click.Parameter, out: Path | None) -> Path | None:
        del context, parameter
        if out is not None and not out.parent.is_dir():
            raise ReportError(f"There is no folder {str(out.parent)!r} for the report: make it, or name another.")
        return out

    path = click.Path(path_type=Path, dir_okay=False)
    return click.option("--out", type=path, callback=check, help=f"Write the report to this JSON file{also}.")


def _show_report(report: JsonFile, out: Path | None, *, as_json: bool, show: Callable[[Console], None]) -> None:
    if out is not None:
        report.write(out)
    if as_json:
        print_json(report.model_dump(mode="json"))
    else:
        show(Console())


def _load_sets(
    folders: tuple[Path, ...], query: str, limit: int | None, *, mini: bool, retrieval: bool
) -> list[BenchmarkSet]:
    sets = [load_set(folder, mini=mini, limit=limit) for folder in folders]
    if retrieval:
        for one in sets:
            require_relevant_documents(one)
    return [form for one in sets for form in in_query_forms(one, query)]


@click.command(
    epilog="\b\nExamples:\n  footnote eval benchmark datasets/squad2 --mini\n"
    "  footnote eval benchmark datasets/mtrag_un datasets/mtrag/govt --out report.json\n"
    "  footnote eval benchmark datasets/mtrag/govt --retrieval-only --query both"
)
@_folders_argument
@click.option(
    "--answerer",
    "chosen",
    type=click.Choice([*get_args(AnswererName), _STARTER]),
    help="Who is asked; `starter` is llama-index's chat engine, the baseline.",
)
@click.option(
    "--retrieval-only",
    is_flag=True,
    help="Only search, and measure where the relevant documents stand; quick, and by default without a language model.",
)
@_query_option
@click.option("--mini", is_flag=True, help="Only the rows that a set marks as its small sample.")
@_limit_option
@_benchmarks_option
@_report_option()
@click.option(
    "--starter-url",
    envvar="FOOTNOTE_STARTER_URL",
    help="OpenAI-compatible server of the starter's language model; without one it is the local model.",
)
@click.option("--starter-model", envvar="FOOTNOTE_STARTER_MODEL", default="local", help="Its name on that server.")
@json_option
@with_settings
def benchmark(
    folders: tuple[Path, ...],
    *,
    chosen: str | None,
    retrieval_only: bool,
    query: str,
    mini: bool,
    limit: int | None,
    work: Path,
    out: Path | None,
    starter_url: str | None,
    starter_model: str,
    as_json: bool,
    settings: Settings,
) -> None:
    """Ask the questions of public sets and print how good the answers are.

    Each answer is written to a file below --work as soon as it is there. What was asked already, of the same code,
    settings and documents, is not asked again: a run that was stopped goes on when the command is repeated. The key of
    the starter's server is read from FOOTNOTE_STARTER_KEY.
    """
    from eval.benchmarks.sets.set_report import BenchmarkReport, print_benchmark, report_pools, report_sets
    from eval.benchmarks.sets.set_run import answer_set

    started_at = datetime.now(UTC)
    sets = _load_sets(folders, query, limit, mini=mini, retrieval=retrieval_only)
    name = chosen or ("extractive" if retrieval_only else settings.answerer)
    with _open_answerer(name, settings, starter_url, starter_model, search_only=retrieval_only) as answerer:
        results = [(one, answer_set(one, answerer, work, show_progress)) for one in sets]
    report = BenchmarkReport(
        answerer=name,
        retrieval_only=retrieval_only,
        mini=mini,
        limit=limit,
        started_at=started_at,
        origin=read_origin(),
        sets=tuple(report_sets(results)),
        pools=tuple(report_pools(results)),
    )
    _show_report(report, out, as_json=as_json, show=lambda console: print_benchmark(report, console))
    if all(one.crashes == one.questions for one in report.sets):
        raise EvaluationError("Every question crashed, so nothing was measured: the answer files hold the tracebacks.")


def _open_answerer(
    name: str, settings: Settings, url: str | None = None, model: str = "", *, search_only: bool = False
) -> AbstractContextManager[Answerer]:
    from eval.benchmarks.sets.set_run import open_chatbot_answerer
    from eval.benchmarks.sets.starter import open_starter
    from index.embedding.build import build_embedder

    if name != _STARTER:
        return open_chatbot_answerer(settings.model_copy(update={"answerer": name}), search_only=search_only)
    if search_only:
        raise EvaluationError("The starter cannot search without answering: leave out --retrieval-only.")
    return open_starter(settings, build_embedder(settings), url, model)


@click.command(
    epilog="\b\nExamples:\n  footnote eval retrieval datasets/scifact datasets/squad2\n"
    "  footnote eval retrieval datasets/mtrag/{clapnq,cloud,fiqa} --query last --out steps.json"
)
@_folders_argument
@_query_option
@_limit_option
@_benchmarks_option
@_report_option()
@json_option
@with_settings
def retrieval(
    folders: tuple[Path, ...],
    *,
    query: str,
    limit: int | None,
    work: Path,
    out: Path | None,
    as_json: bool,
    settings: Settings,
) -> None:
    """Search public sets by vectors alone, by words alone, by both, and with each later idea: one table of all.

    Says what each part of the retrieval is worth on documents like yours. What was searched before, with the same code,
    settings and documents, is not searched again.
    """
    from eval.benchmarks.sets.retrieval_steps import RetrievalStepsReport, measure_steps, print_steps

    started_at = datetime.now(UTC)
    sets = _load_sets(folders, query, limit, mini=False, retrieval=True)
    steps = measure_steps(sets, settings, work, show_progress)
    report = RetrievalStepsReport(started_at=started_at, origin=read_origin(), limit=limit, steps=steps)
    _show_report(report, out, as_json=as_json, show=lambda _: print_steps(report, Console(width=120)))


@click.command(
    epilog="\b\nExample:\n  footnote eval speed datasets/mtrag/clapnq datasets/multihop100/musique --documents 9000"
    " --out docs/speed.json"
)
@_folders_argument
@click.option("--documents", type=click.IntRange(1), default=10_000, show_default=True, help="Most documents indexed.")
@click.option(
    "--questions", type=click.IntRange(1), default=100, show_default=True, help="Most questions searched for."
)
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True, help="How often each is timed.")
@click.option(
    "--work",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("data/speed"),
    show_default=True,
    help="Folder for the indexes, which are not kept.",
)
@_report_option(", and its plot beside it as SVG")
@json_option
@with_settings
def speed(
    folders: tuple[Path, ...],
    *,
    documents: int,
    questions: int,
    rounds: int,
    work: Path,
    out: Path | None,
    as_json: bool,
    settings: Settings,
) -> None:
    """Time llama-index's starter, Footnote's plain path and its default side by side on the same documents.

    Documents are taken from one set after another until there are enough, questions from the first.
    """
    from eval.benchmarks.speed import CONTENDERS, measure_speed, plot_speed, print_speed

    del settings  # each contender is timed with its defaults
    with show_progress("rounds of contenders", rounds * len(CONTENDERS)) as advance:
        report = measure_speed([*map(load_dataset, folders)], documents, questions, rounds, work, advance)
    _show_report(report, out, as_json=as_json, show=lambda _: print_speed(report, Console(width=120)))
    if out is not None:
        write_file(out.with_suffix(".svg"), plot_speed(report), ReportError)


@click.command(
    epilog="\b\nExample:\n  footnote eval scale datasets/mtrag/clapnq --chunks 10000 --chunks 100000 "
    "--out docs/scale.json"
)
@_folder_argument
@click.option(
    "--chunks",
    type=click.IntRange(1),
    multiple=True,
    default=_SIZES,
    show_default=True,
    help="How many chunks; can be given several times.",
)
@click.option(
    "--questions", type=click.IntRange(1), default=200, show_default=True, help="Most questions asked of each size."
)
@_work_option("data/scale", "the indexes")
@_report_option(", and its growth curves beside it as SVG")
@json_option
@with_settings
def scale(
    folder: Path,
    *,
    chunks: tuple[int, ...],
    questions: int,
    work: Path,
    out: Path | None,
    as_json: bool,
    settings: Settings,
) -> None:
    """Build indexes of growing size from varied passages of a set and measure time, memory and disk.

    The passages are made up from real text, and so are their vectors, so this says nothing about quality. A million
    chunks take about 7 GB below --work.
    """
    from eval.benchmarks.scale import measure_scale, plot_scale, print_scale

    report = measure_scale(load_dataset(folder), sorted(set(chunks)), questions, work, settings)
    _show_report(report, out, as_json=as_json, show=lambda _: print_scale(report, Console(width=120)))
    if out is not None:
        write_file(out.with_suffix(".svg"), plot_scale(report), ReportError)


@click.command(epilog="\b\nExample:\n  footnote eval latency datasets/mtrag/clapnq --out docs/latency.json")
@_folder_argument
@_benchmarks_option
@_limit_option
@_beside_starter_option
@_report_option()
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
    from bot.build import build_chatbot
    from eval.benchmarks.latency import measure_latency
    from eval.benchmarks.sets.starter import open_starter
    from index.embedding.build import build_embedder

    dataset = load_dataset(folder)
    if limit is not None:
        dataset = dataset.sample(limit)
    embedder = build_embedder(settings)
    with ExitStack() as stack:
        chosen = index_corpus(dataset.corpus, _index_folder(work, folder), settings, embedder)
        chatbot = stack.enter_context(closing(build_chatbot(chosen, embedder)))
        starter = None
        if beside_starter:
            answerer = stack.enter_context(open_starter(settings, embedder, None, ""))
            starter = stack.enter_context(answerer.open(dataset.corpus, work))
        advance = stack.enter_context(show_progress("asking", len(dataset.queries)))
        report = measure_latency(dataset, chatbot, advance, starter)
    _show_report(report, out, as_json=as_json, show=lambda _: click.echo(report.summary()))


def _index_folder(work: Path, folder: Path) -> Path:
    return work / "-".join(folder.absolute().parts[-2:])


@click.command(epilog="\b\nExample:\n  footnote eval injection datasets/bipia --beside-starter --out injection.json")
@_folder_argument
@click.option("--limit", type=click.IntRange(1), help="At most so many rows, a sample of all, the same ones each time.")
@_beside_starter_option
@_work_option("data/benchmarks", "replies")
@_report_option()
@answerer_option
@json_option
@with_settings
def injection(
    folder: Path,
    *,
    limit: int | None,
    beside_starter: bool,
    work: Path,
    out: Path | None,
    as_json: bool,
    settings: Settings,
) -> None:
    """Plant instructions in documents, ask about them, and count who obeys.

    Attacks are the set's own, where it is in BIPIA's shape (Yi et al., 2023), and ours with a canary, planted in the
    documents that the questions of any set were written about.
    """
    from eval.benchmarks.injection import InjectionReport, ask_rows, load_rows, measure_injection
    from eval.benchmarks.sets.stored_answer import fingerprint

    rows = load_rows(folder)[:limit]
    results = []
    for name in (settings.answerer, *([_STARTER] if beside_starter else [])):
        with _open_answerer(name, settings) as answerer, show_progress(name, len(rows)) as advance:
            path = work / "injection" / f"{name}-{fingerprint(answerer.measured())}.jsonl"
            answered = ask_rows(rows, answerer, path, advance)
        results.append(measure_injection(name, answered, find_protocol(folder)[1]))
    report = InjectionReport(set=folder.name, rows=len(rows), origin=read_origin(), outcomes=tuple(results))
    _show_report(report, out, as_json=as_json, show=lambda console: console.print(report.table()))


@click.command(epilog="\b\nExample:\n  footnote eval approved datasets/squad2 datasets/drcd --answerer extractive")
@_folders_argument
@click.option("--count", type=click.IntRange(20), default=200, show_default=True, help="Rewordings, and near misses.")
@click.option("--fit", is_flag=True, help="Fit the parameters on the other half of the articles and install them.")
@answerer_option
@gguf_option
@json_option
@with_settings
def approved(folders: tuple[Path, ...], *, count: int, fit: bool, as_json: bool, settings: Settings) -> None:
    """Approve answers to questions of public sets, ask these in other words and near misses, and count what is shown.

    Rewordings are our own (`rewordings.jsonl`) and by rules; near misses are other questions about the
    same article and questions with a number, name, opposite, "not" or kind exchanged. What is reported comes from every
    second article, what is fitted from the others.
    """
    from bot.language_model.build import build_language_model
    from bot.staff.same_question import load_sameness
    from eval.benchmarks.question_pairs import choose_pairs, read_pairs
    from eval.benchmarks.recall_of_approved import fit_sameness, recall_approved, report_recall
    from index.embedding.build import build_embedder
    from index.embedding.embedder import CachingEmbedder

    embedder = CachingEmbedder(build_embedder(settings))
    pairs = read_pairs(folders, embedder)
    with ExitStack() as stack:
        session = None
        if (model := build_language_model(settings)) is not None:
            stack.enter_context(closing(model))
            if not model.ready():
                raise EvaluationError("There is no language model to ask: run `footnote model fetch`.")
            model.warm_up()
            session = ModelSession(model)
        if fit:
            half = [pair for pair in pairs if pair.part == "fit"]
            some = choose_pairs(half, same=True, count=_FITTED_PAIRS // 2)
            some += choose_pairs(half, same=False, count=_FITTED_PAIRS)
            with show_progress("fitting", len(some)) as advance:
                fitted = fit_sameness(some, embedder, session, advance)
            _write_parameters(_installed("bot.staff", "same_question.json"), fitted)
            load_sameness.cache_clear()
        half = [pair for pair in pairs if pair.part == "report"]
        chosen = choose_pairs(half, same=True, count=count) + choose_pairs(half, same=False, count=count)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))

        def consult(ask: Callable[[ModelSession], Any], otherwise: Any) -> Any:
            return ask(session) if session is not None else otherwise

        with show_progress("asking", len(chosen)) as advance:
            shown = recall_approved(chosen, folder, embedder, load_sameness(), consult, advance)
    report = report_recall(chosen, shown, settings.answerer, model.name if model else None)
    if as_json:
        print_json(report.model_dump(mode="json"))
        return
    click.echo(f"shown for the same question in other words: {_share(report.rewordings)}")
    click.echo(f"shown for another question: {_share(report.near_misses)}")
    for kind, metric in report.by_kind.items():
        click.echo(f"  {kind:<10} {_share(metric)}")
    for was, now in report.wrong:
        click.echo(f"wrong: {was!r} for {now!r}")


def _share(metric: Metric) -> str:
    if metric.value is None or metric.low is None or metric.high is None:
        return "nothing to ask"
    return f"{metric.value:.1%} of {metric.n} ({metric.low:.1%} to {metric.high:.1%})"


@click.command(epilog="\b\nExample:\n  footnote eval fit datasets/squad2 datasets/clapnq datasets/drcd")
@_folders_argument
@_benchmarks_option
@click.option("--limit", type=click.IntRange(10), default=500, show_default=True, help="Most questions of each set.")
@_calibration_option
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
    from bot.build import build_chatbot
    from eval.benchmarks.fit_extractive import (
        collect_examples,
        describe_judge,
        fit_judge,
        split_by_title,
        unanswerable_queries,
    )
    from index.embedding.build import build_embedder

    embedder = build_embedder(settings)
    settings = settings.model_copy(update={"answerer": "extractive"})  # what is fitted here knows no language model
    whole = [load_dataset(folder, whole=True) for folder in folders]
    datasets = [dataset.sample(limit) for dataset in whole]
    groups = list(zip(folders, datasets, strict=True))
    for dataset in whole:
        for few in split_by_title(dataset, work, small):
            groups.append((few.corpus.parent, few.sample(limit // 10)))  # noqa: PERF401
    examples: list[SentencesExample] = []
    for place, (folder, dataset) in enumerate(groups):
        other = unanswerable_queries(datasets[(place + 1) % len(datasets)], len(dataset.queries) // 5)
        queries = [*dataset.queries, *other]
        chosen = index_corpus(dataset.corpus, _index_folder(work, folder), settings, embedder)
        chatbot = build_chatbot(chosen, embedder)
        with closing(chatbot), show_progress(dataset.name, len(queries)) as advance:
            examples += collect_examples(dataset.name, chatbot, queries, advance)
    models, figures = fit_judge(examples)
    content = _write_calibration(describe_judge(models, figures, limit, settings.embedding_model), out)
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
@_benchmarks_option
@click.option("--mini", is_flag=True, help="Only the rows that a set marks as its small sample.")
@click.option(
    "--limit", type=click.IntRange(10), help="At most so many questions of each set, the same ones each time."
)
@_calibration_option
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
    from bot.language_model.build import build_language_model
    from eval.benchmarks.fit_model import ExampleCollector, describe_model_judges, fit_model_judges
    from eval.suites.suite import load_suites
    from index.embedding.build import build_embedder

    model = build_language_model(settings)
    if model is None or not model.ready():
        raise EvaluationError("There is no language model to ask: run `footnote model fetch`, or name one with --gguf.")
    examples: list[ModelExample] = []
    with closing(model):
        model.warm_up()
        collector = ExampleCollector(settings, build_embedder(settings), model)
        for source in sources:
            if source.is_dir():
                examples += collector.collect_set(load_set(source, mini=mini, limit=limit), work, show_progress)
            else:
                for suite in load_suites([source]):
                    examples += collector.collect_suite(suite, work, show_progress)
    models, figures = fit_model_judges(examples)
    content = _write_calibration(describe_model_judges(models, figures, model.name), out)
    if as_json:
        print_json(content)
        return
    for one in figures:
        click.echo(
            f"{one.judge:<8} {one.group:<14} n {one.questions:>4}  answerable {one.answerable:>4}  "
            f"right {one.right:>4}  AUROC answerable {one.auroc:.3f}  right {one.auroc_right:.3f}  "
            f"calibration error {one.calibration_error:.3f}"
        )


def _write_calibration(fitted: dict[str, object], out: Path | None) -> dict[str, object]:
    """Put fitted parameters into the installed calibration, or write that with them to another file."""
    return _write_parameters(_installed("bot.stages.judgement", "calibration.json"), fitted, out)


def _installed(package: str, name: str) -> Path:
    return Path(str(files(package).joinpath(name)))


def _write_parameters(installed: Path, fitted: dict[str, Any], out: Path | None = None) -> dict[str, object]:
    content: dict[str, object] = {**json.loads(installed.read_text(encoding="utf-8")), **fitted}
    write_file(out or installed, json.dumps(content, indent=2) + "\n", ReportError)
    return content
