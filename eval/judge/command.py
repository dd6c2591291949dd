"""The command `footnote eval judge`."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from bot.cli.options import gguf_option, json_option, print_json, print_progress, with_settings
from bot.language_model import LanguageModel, ModelUnavailableError
from bot.settings import Settings
from eval.errors import EvaluationError
from eval.judge.judge import MOST_REPEATS, KeptReplies, answers_to_judge, judge_report
from eval.judge.record import ModelJudge
from eval.report.report import REPORT_NAME, RunReport
from eval.report.table import metrics_table, number
from eval.run.progress import show_progress


@click.command(
    epilog="\b\nExamples:\n  footnote eval judge runs/monday\n"
    "  footnote eval judge report.json --repeat 5 --answerer remote --out judged.json"
)
@click.argument("report", type=click.Path(path_type=Path))
@click.option(
    "--repeat",
    type=click.IntRange(1, MOST_REPEATS),
    default=3,
    show_default=True,
    help="How often the model is asked about each answer, the material in another order each time.",
)
@click.option("--answerer", type=click.Choice(["local", "remote"]), help="Which language model is asked.")
@gguf_option
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the report goes with the model's opinion in it; report.judged.json beside it when not given.",
)
@json_option
@with_settings
def judge(report: Path, *, repeat: int, out: Path | None, as_json: bool, settings: Settings) -> None:
    """Ask a language model whether the answers of a finished run are right.

    REPORT is a file of `footnote eval run --out`, or a folder that holds one as report.json. An opinion is no measure:
    it is written into a copy of the report, with how far the model agrees with itself and with `answer_correct`, and no
    gate may rest on it. Replies are kept as they come; the same command goes on where it stopped.
    """
    from bot.language_model.build import build_language_model  # torch takes seconds to import

    path = report / REPORT_NAME if report.is_dir() else report
    out = out or path.with_name(f"{path.stem}.judged.json")
    run = RunReport.load(path)
    model = build_language_model(settings)
    if model is None or not model.ready():
        raise EvaluationError(
            "There is no language model to ask: run footnote model fetch, name one with --gguf, or add --answerer."
        )
    with closing(model):
        opinion = judge_with_progress(run, model, repeat, out.with_name(f"{out.stem}.replies.jsonl"))
    run.model_copy(update={"model_judge": opinion}).write(out)
    print_progress(f"Wrote {str(out)!r}: footnote eval report {out} --html FILE shows it.")
    if as_json:
        print_json(opinion.model_dump(mode="json"))
    else:
        print_opinion(opinion, Console())


def judge_with_progress(run: RunReport, model: LanguageModel, repeats: int, kept: Path) -> ModelJudge:
    """Return a model's opinion of a run, its replies kept in a file.

    Raises:
        EvaluationError: The model cannot be used; the message says what is kept.
        ReportError: The file cannot be written.
    """
    replies = KeptReplies(model, kept)
    with show_progress("judging", sum(1 for _ in answers_to_judge(run)) * repeats) as advance:
        try:
            return judge_report(run, replies, repeats, advance)
        except ModelUnavailableError as error:
            raise EvaluationError(
                f"{error} {len(replies)} replies are kept in {str(kept)!r}: the same command goes on from there."
            ) from error


def print_opinion(opinion: ModelJudge, console: Console) -> None:
    """Print what the model thinks, how far it agrees, and each answer on which it is at odds with `answer_correct`."""
    for line in opinion.describe():
        console.print(Text(line), soft_wrap=True)
    console.print(metrics_table(opinion.shares()))
    for name, value in opinion.beyond_chance().items():
        console.print(Text(f"{name} {number(name, value)}"), soft_wrap=True)
    for answer in opinion.disputed():
        said = ", ".join(one or "unparsable" for one in answer.opinions)
        line = f"disputed  {answer.id}: answer_correct says {answer.by_rule}, the model {said}"
        console.print(Text(line), soft_wrap=True)
