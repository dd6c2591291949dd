"""`footnote ask`: one answer in the terminal, or a file of them.

`footnote search`: retrieval only.
"""

from __future__ import annotations

from pathlib import Path

import click

from bot.answer.plain_text import render_plain
from bot.cli.batch import read_batch, run_batch
from bot.cli.options import answerer_option, gguf_option, json_option, print_json, print_progress, with_settings
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
    from bot.build import build_chatbot  # torch takes seconds to import

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
            click.echo(render_plain(answer))
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


@click.command()
@click.argument("question", required=False)
@click.option("--batch", type=click.Path(path_type=Path), help='JSONL file of {"id", "question", "history"}.')
@click.option(
    "--output", type=click.Path(path_type=Path), help="Where the results of a batch go, one JSON object a line."
)
@click.option("--top-k", type=click.IntRange(1, 100), help="How many chunks to find.")
@json_option
@with_settings
def search(question: str | None, batch: Path | None, output: Path | None, settings: Settings, *, as_json: bool) -> None:
    """Show which chunks QUESTION retrieves, best first.

    \b
    Example:
      footnote search "AI research institute" --top-k 5
      footnote search --batch questions.jsonl --output found.jsonl
    """
    check_usage(question, batch, output)
    from bot.build import build_chatbot  # torch takes seconds to import

    if batch is not None and output is not None:
        loaded = read_batch(batch, output)
        chatbot = build_chatbot(settings)
        count = run_batch(loaded, lambda one: chatbot.search(one.question, one.history, question_id=one.id))
        print_progress(f"{count} searched, {len(loaded.questions) - count} were there already: {output}")
    else:
        chatbot = build_chatbot(settings)
        result = chatbot.search(question or "")
        if as_json:
            print_json(result.model_dump(mode="json"))
        for entry in () if as_json else result.retrieved:
            document = chatbot.document(entry.document_id)
            words = " ".join(document.text[entry.start : entry.end].split()) if document else ""
            click.echo(
                f"{entry.rank:>3}  {entry.score:.3f}  {entry.document_id} {entry.start}-{entry.end}  {words[:160]}"
            )
    chatbot.close()
