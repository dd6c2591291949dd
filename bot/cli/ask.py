"""`footnote ask` and `footnote search`: one question in the terminal, or a file of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TextIO

import click
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator
from rich.console import Console
from rich.progress import Progress

from bot.answer.conversation import Turn
from bot.answer.errors import QuestionError
from bot.answer.plain_text import render_plain
from bot.cli.options import answerer_option, gguf_option, json_option, print_json, print_progress, with_settings
from bot.settings import Settings

if TYPE_CHECKING:
    from bot.chatbot import Chatbot


def _question_options(command: Callable[..., Any]) -> Callable[..., Any]:
    output = click.option(
        "--output", type=click.Path(path_type=Path), help="Where the results of a batch go, one JSON object a line."
    )
    batch = click.option(
        "--batch", type=click.Path(path_type=Path), help='JSONL file of {"id", "question", "history"}.'
    )
    return click.argument("question", required=False)(batch(output(command)))


@click.command()
@_question_options
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
    with _opened(question, batch, output, settings) as (chatbot, loaded):
        if loaded is not None:
            loaded.run(chatbot.ask, "answered")
            return
        answer = chatbot.ask(question or "")
    if as_json:
        print_json(answer.model_dump(mode="json"))
    else:
        click.echo(render_plain(answer))


@click.command()
@_question_options
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
    with _opened(question, batch, output, settings) as (chatbot, loaded):
        if loaded is not None:
            loaded.run(chatbot.search, "searched")
            return
        result = chatbot.search(question or "")
        if as_json:
            print_json(result.model_dump(mode="json"))
            return
        for entry in result.retrieved:
            document = chatbot.document(entry.document_id)
            words = " ".join(document.text[entry.start : entry.end].split()) if document else ""
            place = f"{entry.document_id} {entry.start}-{entry.end}"
            click.echo(f"{entry.rank:>3}  {entry.score:.3f}  {place}  {words[:160]}")


@contextmanager
def _opened(
    question: str | None, batch: Path | None, output: Path | None, settings: Settings
) -> Iterator[tuple[Chatbot, Batch | None]]:
    """Yield the chatbot, and the batch where one is named.

    Raises:
        click.UsageError: Neither or both of a question and a batch were given, or a batch without an output.
        QuestionError: The batch cannot be read.
    """
    if (question is None) == (batch is None):
        raise click.UsageError("Give one question, or --batch FILE with --output FILE.")
    if (batch is None) != (output is None):
        raise click.UsageError("--batch and --output go together.")
    loaded = read_batch(batch, output) if batch is not None and output is not None else None
    from bot.build import build_chatbot  # torch takes seconds to import

    with closing(build_chatbot(settings)) as chatbot:
        yield chatbot, loaded


class BatchQuestion(BaseModel):
    """One line of a batch file."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)

    id: str
    question: str
    history: tuple[Turn, ...] = ()

    @field_validator("history", mode="before")
    @classmethod
    def _none_is_empty(cls, value: object) -> object:
        return () if value is None else value


class _Reply(Protocol):
    def __call__(self, question: str, history: tuple[Turn, ...], *, question_id: str) -> BaseModel: ...


@dataclass(frozen=True, slots=True)
class Batch:
    """Questions read from a file, and where their results go."""

    questions: tuple[BatchQuestion, ...]
    output: Path

    def run(self, reply: _Reply, what: str) -> None:
        """Reply to the questions that have no result yet, each written as soon as it is there, and say how many.

        The output keeps the order of the questions; results of an interrupted run are kept when they are its beginning.

        Args:
            reply: Gives the result of a question.
            what: What is then done with a question, such as `answered`.

        Raises:
            QuestionError: The output cannot be written.
        """
        done = _completed(self)
        console = Console(stderr=True)
        with _open_output(self.output) as file:
            file.seek(0)
            file.writelines(line + "\n" for line in done)
            file.truncate()
            with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
                task = bar.add_task("answering", total=len(self.questions), completed=len(done))
                for one in self.questions[len(done) :]:
                    result = reply(one.question, one.history, question_id=one.id)
                    file.write(result.model_dump_json() + "\n")
                    file.flush()
                    bar.advance(task)
        count = len(self.questions) - len(done)
        print_progress(f"{count} {what}, {len(done)} were there already: {self.output}")


def read_batch(path: Path, output: Path) -> Batch:
    """Return the questions of a JSONL file.

    Raises:
        QuestionError: The file is missing, a line is not a question, or an id stands twice.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise QuestionError(
            f"The batch file {str(path)!r} cannot be read ({error}): give a JSONL file of questions."
        ) from error
    questions = [_parse(path, number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    seen: dict[str, int] = {}
    for number, question in enumerate(questions, start=1):
        if question.id in seen:
            raise QuestionError(
                f"{str(path)!r}: the id {question.id!r} stands at questions {seen[question.id]} and {number}: "
                "make ids unique."
            )
        seen[question.id] = number
    return Batch(tuple(questions), output)


def _open_output(path: Path) -> TextIO:
    try:
        return path.open("r+" if path.exists() else "w", encoding="utf-8")
    except OSError as error:
        raise QuestionError(
            f"The output {str(path)!r} cannot be written ({error.strerror}): name another file."
        ) from error


def _parse(path: Path, number: int, line: str) -> BatchQuestion:
    try:
        return BatchQuestion.model_validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"]) or "line"
        raise QuestionError(
            f"{str(path)!r} line {number}, {key}: {first['msg'].lower()}; "
            'write {"id": "q1", "question": "…", "history": [{"role": "user", "content": "…"}]}.'
        ) from error


def _completed(batch: Batch) -> list[str]:
    """Return the lines of an earlier output that answer the first questions of this batch, as they are asked now."""
    if not batch.output.exists():
        return []
    kept: list[str] = []
    for line, question in zip(_whole_lines(batch.output), batch.questions, strict=False):
        try:
            row = json.loads(line)
        except ValueError:
            break
        if not isinstance(row, dict) or row.get("id") != question.id:
            break
        kept.append(line)
    return kept


def _whole_lines(path: Path) -> Iterator[str]:
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True):
        if line.endswith("\n") and line.strip():
            yield line.rstrip("\n")
