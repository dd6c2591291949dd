"""`footnote ask`: one answer in the terminal, or a file of them."""

from __future__ import annotations

from pathlib import Path

import click

from bot.answer import Answer, Citation
from bot.cli.options import answerer_option, gguf_option, json_option, print_json, print_progress, with_settings
from bot.cli.questions import read_batch, run_batch
from bot.settings import Settings


@click.command()
@click.argument("question", required=False)
@click.option("--batch", type=click.Path(path_type=Path), help='JSONL file of {"id", "question", "history"}.')
@click.option(
    "--output", type=click.Path(path_type=Path), help="Where the answers of a batch go, one JSON object a line."
)
@answerer_option
@gguf_option
@json_option
@with_settings
def ask(question: str | None, batch: Path | None, output: Path | None, settings: Settings, *, as_json: bool) -> None:
    """Answer QUESTION from the indexed documents, each sentence with its footnote.

    \b
    Example:
      footnote ask "How much is reserved for the AI research institute?"
      footnote ask --batch questions.jsonl --output answers.jsonl
    """
    check_usage(question, batch, output)
    from bot.build import build_chatbot  # noqa: PLC0415  # torch takes seconds to import

    if batch is not None and output is not None:
        loaded = read_batch(batch, output)
        chatbot = build_chatbot(settings)
        count = run_batch(loaded, lambda one: chatbot.ask(one.question, one.history, question_id=one.id))
        print_progress(f"{count} answered, {len(loaded.questions) - count} were there already: {output}")
    else:
        chatbot = build_chatbot(settings)
        answer = chatbot.ask(question or "")
        if as_json:
            print_json(answer.model_dump(mode="json"))
        else:
            click.echo(render_for_terminal(answer))
    chatbot.close()


def check_usage(question: str | None, batch: Path | None, output: Path | None) -> None:
    """Refuse a mixture of one question and a batch.

    Raises:
        click.UsageError: Neither or both were given, or a batch without an output.
    """
    if (question is None) == (batch is None):
        raise click.UsageError("Give one question, or --batch FILE with --output FILE.")
    if (batch is None) != (output is None):
        raise click.UsageError("--batch and --output go together.")


def render_for_terminal(answer: Answer) -> str:
    """Return an answer as plain lines: the text, then each footnote with its place."""
    lines = []
    if answer.standalone_question != answer.question:
        lines.append(f"Understood as: {answer.standalone_question}")
    lines.append(answer.text)
    if approval := answer.provenance.approved:
        lines.append(f"Approved on {approval.date} by a person who checked it.")
    shown = answer.refusal.nearest if answer.refusal else answer.citations
    if shown:
        lines += ["", *(_footnote(citation) for citation in shown)]
    return "\n".join(lines)


def _footnote(citation: Citation) -> str:
    page = f", page {citation.page}" if citation.page else ""
    place = f"{citation.document_id}{page}, {citation.start}-{citation.end}"
    return f"[{citation.number}] {citation.title} ({place}): “{' '.join(citation.quote.split())}”"
