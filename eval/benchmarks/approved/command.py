"""`footnote eval approved`: how often approved answers are shown, rightly and wrongly."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from contextlib import ExitStack, closing
from importlib.resources import files
from pathlib import Path
from typing import Any

import click

from bot.cli.options import answerer_option, gguf_option, json_option, print_json, with_settings
from bot.language_model.session import Consultation
from bot.settings import Settings
from eval.benchmarks.approved.pairs import choose, read_pairs
from eval.errors import EvaluationError
from eval.measures.interval import Metric
from eval.run.progress import show_progress

_FITTED_ON = 800


@click.command(epilog="\b\nExample:\n  footnote eval approved datasets/squad2 datasets/drcd --answerer extractive")
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, file_okay=False))
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
    from bot.staff.same_question import load_sameness  # torch takes seconds to import
    from eval.benchmarks.approved.measure import (
        fit_sameness,
        measure,
    )
    from index.embedding.build import build_embedder
    from index.embedding.embedder import CachingEmbedder

    embedder = CachingEmbedder(build_embedder(settings))
    pairs = read_pairs(folders, embedder)
    with ExitStack() as stack:
        model = build_language_model(settings)
        consultation = None
        if model is not None:
            stack.enter_context(closing(model))
            if not model.ready():
                raise EvaluationError("There is no language model to ask: run `footnote model fetch`.")
            model.warm_up()
            consultation = Consultation(model)
        if fit:
            half = [pair for pair in pairs if pair.part == "fit"]
            some = choose(half, same=True, count=_FITTED_ON // 2) + choose(half, same=False, count=_FITTED_ON)
            with show_progress("fitting", len(some)) as advance:
                _install(fit_sameness(some, embedder, consultation, advance))
            load_sameness.cache_clear()
        half = [pair for pair in pairs if pair.part == "report"]
        chosen = choose(half, same=True, count=count) + choose(half, same=False, count=count)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        with show_progress("asking", len(chosen)) as advance:
            report = measure(chosen, folder, embedder, load_sameness(), _consult(consultation), advance)
    report = report.model_copy(update={"answerer": settings.answerer, "language_model": model.name if model else None})
    if as_json:
        print_json(report.model_dump(mode="json"))
        return
    click.echo(f"shown for the same question in other words: {_share(report.rewordings)}")
    click.echo(f"shown for another question: {_share(report.near_misses)}")
    for kind, metric in report.by_kind.items():
        click.echo(f"  {kind:<10} {_share(metric)}")
    for was, asked in report.wrong:
        click.echo(f"wrong: {was!r} for {asked!r}")


def _consult(consultation: Consultation | None) -> Callable[..., Any]:
    return lambda ask, otherwise: ask(consultation) if consultation is not None else otherwise


def _install(fitted: dict[str, dict[str, object]]) -> None:
    path = Path(str(files("bot.staff").joinpath("same_question.json")))
    content = {**json.loads(path.read_text(encoding="utf-8")), **fitted}
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _share(metric: Metric) -> str:
    if metric.value is None or metric.low is None or metric.high is None:
        return "nothing to ask"
    return f"{metric.value:.1%} of {metric.n} ({metric.low:.1%} to {metric.high:.1%})"
