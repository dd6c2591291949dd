"""The command `footnote eval new`: drafts are proposed, chosen, worded and written to a new file."""

from __future__ import annotations

import difflib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import click
import yaml

from bot.cli.options import print_progress, with_settings
from bot.language_model import LanguageModel, ModelUnavailableError
from bot.language_model.build import build_language_model
from bot.language_model.session import ModelSession
from bot.settings import Settings
from eval.drafts.propose import choose_drafts, propose_questions, reword_question
from eval.drafts.question_draft import CHECK_NOT_STATED, QuestionDraft
from eval.errors import DraftError
from eval.suites.golden import DRAFT, GoldenQuestion
from eval.suites.sheets import to_csv, to_workbook
from index.store.catalogue import Catalogue

_MOST_DOCUMENTS = 200
_REMARKS = (
    "Drafts by footnote eval new: no person has read them yet. For each question:",
    "1. Is it a question that someone would ask, and clear without the document? Reword it, or delete it.",
    "2. Does expect hold what a right answer must say, and does the quote state it? Correct them.",
    f"3. With the tag {CHECK_NOT_STATED}: search the documents. If they answer it, delete it or set answerable.",
    f"4. Then remove the tag {DRAFT}. footnote eval check names the questions that still have it.",
)


@click.command(
    epilog="\b\nExamples:\n  footnote eval new --out drafts.yaml\n"
    "  footnote eval new --out drafts.xlsx --count 40 --document minutes/april.txt"
)
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="New file for the drafts: .yaml, .jsonl, .csv or .xlsx. An existing file is left alone.",
)
@click.option("--count", type=click.IntRange(1, 1_000), default=20, show_default=True, help="How many questions.")
@click.option("--seed", type=int, default=0, show_default=True, help="Another number gives other questions.")
@click.option("--document", "document_ids", multiple=True, metavar="ID", help="Only from this document; repeatable.")
@click.option(
    "--answerer",
    type=click.Choice(["extractive", "local", "remote"]),
    default="extractive",
    show_default=True,
    help="Lets the local or remote language model word the questions; extractive makes them by rules alone.",
)
@with_settings
def new(*, out: Path, count: int, seed: int, document_ids: tuple[str, ...], settings: Settings) -> None:
    """Draft golden questions from the indexed documents, for a person to confirm.

    Quotes and expected phrases are filled in from the documents. A quarter of the questions are near misses that the
    documents do not seem to answer. Every question carries the tag `draft` until a person removes it.
    """
    _check_target(out)
    texts = _read_texts(settings, document_ids, seed)
    drafts = choose_drafts(propose_questions(texts), count, seed)
    if not drafts:
        raise DraftError(f"No question could be made from {len(texts)} documents: write the first ones by hand.")
    model = build_language_model(settings)
    if model is not None:
        with closing(model):
            drafts = word_drafts(drafts, model)
    content = _WRITERS[out.suffix.lower()]([draft.golden() for draft in drafts])
    try:
        with out.open("xb") as file:
            file.write(content)
    except OSError as error:
        raise DraftError(f"The drafts cannot be written to {str(out)!r} ({error.strerror}): name another.") from error
    kinds = Counter(draft.kind for draft in drafts)
    click.echo(f"{out}: {len(drafts)} drafts ({', '.join(f'{kinds[kind]} {kind}' for kind in sorted(kinds))})")
    if len(drafts) < count:
        print_progress(f"The documents gave {len(drafts)} questions, not {count}: rules find only plain sentences.")
    if kinds["near_miss"]:
        print_progress(f"Search the documents for those tagged {CHECK_NOT_STATED}: words alone cannot tell.")
    print_progress("These are drafts. Confirm or correct each one, then remove its tag draft.")


def word_drafts(drafts: Sequence[QuestionDraft], model: LanguageModel) -> list[QuestionDraft]:
    """Return the drafts, each worded by the model where that can be used; by the rules from where the model fails."""
    if not model.ready():
        print_progress("The language model is not ready, so the questions are worded by rules.")
        return list(drafts)
    consultation, worded = ModelSession(model), list[QuestionDraft]()
    try:
        for draft in drafts:
            worded.append(reword_question(draft, consultation))  # what was worded before a failure is kept
    except ModelUnavailableError as error:
        print_progress(f"The other questions are worded by rules: {error}")
    return [*worded, *drafts[len(worded) :]]


def _read_texts(settings: Settings, document_ids: Sequence[str], seed: int) -> dict[str, str]:
    """Return the documents that are named, else all, or 200 of them drawn by the seed where there are more.

    Raises:
        DraftError: There is no index, or no such document.
    """
    if not settings.database_url and not (settings.data_dir / "footnote.db").is_file():
        raise DraftError(f"There is no index in {str(settings.data_dir)!r}: run footnote index first.")
    catalogue = Catalogue(settings.catalogue_url())
    with closing(catalogue):
        known = [summary.document_id for summary in catalogue.summaries()]
        for name in document_ids:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                hint = f"did you mean {near[0]!r}?" if near else "footnote index adds documents."
                raise DraftError(f"There is no document {name!r} in the index; {hint}")
        if not known:
            raise DraftError(f"The index in {str(settings.data_dir)!r} holds no documents: run footnote index first.")
        drawn = Random(seed).sample(known, _MOST_DOCUMENTS) if len(known) > _MOST_DOCUMENTS else known  # noqa: S311
        documents = [catalogue.document(name) for name in sorted(set(document_ids) or drawn)]
        return {document.document_id: document.text for document in documents if document is not None}


def _check_target(path: Path) -> None:
    """Refuse a file that drafts cannot be written to, before any work is done.

    Raises:
        DraftError: The suffix is unknown, the folder is missing, or there is such a file already.
    """
    if path.suffix.lower() not in _WRITERS:
        raise DraftError(f"Drafts cannot be written to {str(path)!r}: name a {', '.join(_WRITERS)} file with --out.")
    if path.exists():
        raise DraftError(f"There is a file {str(path)!r} already, and it is left alone: name another with --out.")
    if not path.parent.is_dir():
        raise DraftError(f"There is no folder {str(path.parent)!r} for the drafts: make it, or name another.")


def _to_yaml(questions: Sequence[GoldenQuestion]) -> bytes:
    remarks = "".join(f"# {remark}\n" for remark in _REMARKS)
    entries = [yaml.safe_dump([_keys(one)], allow_unicode=True, sort_keys=False, width=120) for one in questions]
    return "\n".join([remarks, *entries]).encode()


def _to_json_lines(questions: Sequence[GoldenQuestion]) -> bytes:
    rows = (json.dumps(_keys(one), ensure_ascii=False) for one in questions)
    return "".join(f"{line}\n" for line in (*(f"# {remark}" for remark in _REMARKS), *rows)).encode()


def _keys(question: GoldenQuestion) -> dict[str, Any]:
    """Return what a person would write: `answerable` always, other keys only where they say something."""
    keys = question.model_dump(mode="json", exclude_defaults=True)
    return {"id": keys["id"], "question": keys["question"], "answerable": question.answerable} | keys


_WRITERS: dict[str, Callable[[Sequence[GoldenQuestion]], bytes]] = {
    ".yaml": _to_yaml,
    ".yml": _to_yaml,
    ".jsonl": _to_json_lines,
    ".csv": lambda questions: to_csv(questions, _REMARKS),
    ".xlsx": lambda questions: to_workbook(questions, _REMARKS),
}
