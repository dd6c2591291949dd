"""The commands `footnote eval …`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from functools import partial
from pathlib import Path

import click
from rich.console import Console

from bot.cli.options import answerer_option, json_option, print_json, print_progress, with_settings
from bot.settings import Settings
from eval.benchmarks.command import (
    approved,
    benchmark,
    fit,
    fit_opinion,
    injection,
    latency,
    retrieval,
    scale,
    speed,
)
from eval.compare.command import compare
from eval.drafts.command import new
from eval.errors import EvaluationError, SuiteError
from eval.gate.command import gate
from eval.judge.command import judge
from eval.report.command import publish, report
from eval.report.figures import count
from eval.report.report import REPORT_NAME, RunReport
from eval.report.table import print_report
from eval.run.attribution import blame_for
from eval.run.journal import lock_folder
from eval.run.progress import show_progress
from eval.run.suite_run import RunOptions, run_suites, stored_texts
from eval.suites.suite import Suite, load_suites
from eval.suites.suite_check import SuiteFindings, check_form, check_suite

_REMOTE_AT_A_TIME = 4  # a model server answers that many at once without delaying each

_suites_argument = click.argument(
    "paths", metavar="SUITE…", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False)
)


@click.group()
def evaluation() -> None:
    """Golden suites: check them, run them, read the results."""


for _command in (
    *(approved, benchmark, retrieval, compare, gate, injection, judge, fit, fit_opinion),
    *(latency, speed, scale, report, publish, new),
):
    evaluation.add_command(_command)


@evaluation.command(epilog="\b\nExample:\n  footnote eval check eval/suites/seed.yaml")
@_suites_argument
@json_option
@with_settings
def check(paths: tuple[Path, ...], *, as_json: bool, settings: Settings) -> None:
    """Check the form of golden suites, and their quotes against the index if there is one.

    Prints one line a suite; or every mistake on a line of its own, with file, line and key, and exits with 1.
    """
    try:
        suites = load_suites(paths)
    except SuiteError as error:
        suites, indexed, findings = (), [], [SuiteFindings(error.mistakes, ())]
    else:
        indexed = _check_against_index(suites, settings)
        findings = [*map(check_form, suites), *indexed]
    mistakes = [mistake for found in findings for mistake in found.mistakes]
    warnings = [warning for found in findings for warning in found.warnings]
    if as_json:
        counts = [{"path": suite.path, "questions": len(suite.questions)} for suite in suites]
        data = {"mistakes": list(map(asdict, mistakes)), "warnings": list(map(asdict, warnings))}
        print_json({"suites": counts, "checked_against_index": bool(indexed), **data})
    else:
        for suite in suites if not mistakes else ():
            click.echo(f"{suite.path}: {count(len(suite.questions), 'question')}, no mistakes")
        for mistake in mistakes:
            click.echo(str(mistake))
        for warning in warnings:
            print_progress(f"warning: {warning}")
    if mistakes:
        raise SystemExit(1)


@evaluation.command(
    epilog="\b\nExamples:\n  footnote eval run eval/suites/seed.yaml --out runs/monday\n"
    "  footnote eval run eval/suites/seed.yaml --answerer extractive --json > report.json"
)
@_suites_argument
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for answers.jsonl, written as they come, and report.json. The same command goes on with an "
    "interrupted run.",
)
@click.option("--repeat", type=click.IntRange(1, 100), default=1, help="How often each question is asked.")
@click.option(
    "--parallel",
    type=click.IntRange(1, 32),
    help="How many questions are asked at the same time. 4 for a remote model, else 1; a local model takes one.",
)
@click.option("--blame/--no-blame", default=True, help="Say which stage lost each failed answer; asks some again.")
@click.option("--changed-documents", is_flag=True, help="Run although evidence no longer stands in the documents.")
@answerer_option
@json_option
@with_settings
def run(
    paths: tuple[Path, ...],
    *,
    out: Path | None,
    repeat: int,
    parallel: int | None,
    blame: bool,
    changed_documents: bool,
    as_json: bool,
    settings: Settings,
) -> None:
    """Ask every question of golden suites and print how good the answers are.

    Wrong answers are a result, so the exit code is 0; it is 1 when the suites could not be run, or every question
    crashed.
    """
    options = RunOptions(repeat, _at_a_time(parallel, settings), out, changed_documents=changed_documents)
    try:
        suites = load_suites(paths)
        with lock_folder(out):
            report = _run_with_progress(suites, settings, options, blame=blame)
    except SuiteError as error:
        for mistake in error.mistakes:
            print_progress(str(mistake))
        raise EvaluationError(
            f"{count(len(error.mistakes), 'mistake')} in the suites: correct them and run again"
            " (after a change of the documents, --changed-documents runs in spite of quotes that are gone)."
        ) from error
    if out is not None:
        report.write(out / REPORT_NAME)
    if as_json:
        print_json(report.model_dump(mode="json"))
    else:
        print_report(report, Console())
    if report.crashes == len(report.questions):
        raise EvaluationError("Every question crashed, so nothing was measured: the report holds the tracebacks.")


def _at_a_time(wanted: int | None, settings: Settings) -> int:
    if settings.answerer == "local" and (wanted or 1) > 1:
        print_progress("The local model answers one question at a time, so --parallel is left aside.")
        return 1
    return wanted or (_REMOTE_AT_A_TIME if settings.answerer == "remote" else 1)


def _check_against_index(suites: Sequence[Suite], settings: Settings) -> list[SuiteFindings]:
    """Return the findings for each suite, or nothing when there is no index to check against."""
    if not settings.database_url and not (settings.data_dir / "footnote.db").is_file():
        print_progress(f"There is no index in {str(settings.data_dir)!r}, so no quotes were checked.")
        return []
    from bot.build import build_chatbot  # torch takes seconds to import

    with closing(build_chatbot(settings)) as chatbot:
        document_ids = {document.document_id for document in chatbot.overview().documents}
        if not document_ids:
            print_progress(f"The index in {str(settings.data_dir)!r} is empty, so no quotes were checked.")
            return []
        text_of = stored_texts(chatbot)
        return [check_suite(suite, document_ids, text_of) for suite in suites]


def _run_with_progress(suites: Sequence[Suite], settings: Settings, options: RunOptions, *, blame: bool) -> RunReport:
    from bot.build import build_chatbot, with_chosen  # torch takes seconds to import

    # A suite measures what the chatbot finds itself, with one threshold from the first question to the last.
    settings = with_chosen(settings).model_copy(update={"approved_answers": False})
    total = options.repeats * sum(len(suite.questions) for suite in suites)
    with closing(build_chatbot(settings)) as chatbot, show_progress("questions", total) as advance:
        find_blame = partial(blame_for, chatbot) if blame else lambda asked: None
        chatbot.warm_up()  # or the first question would be the slowest
        return run_suites(chatbot, suites, settings, lambda done, total, question_id: advance(), options, find_blame)
