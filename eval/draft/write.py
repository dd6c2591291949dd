"""Writes drafts in the form that the suffix of the file names: a new file, never over an old one."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml

from eval.draft.draft import CHECK_NOT_STATED
from eval.errors import DraftError
from eval.golden import DRAFT, GoldenQuestion
from eval.sheets.write import to_csv, to_workbook

REMARKS = (
    "Drafts by footnote eval new: no person has read them yet. For each question:",
    "1. Is it a question that someone would ask, and clear without the document? Reword it, or delete it.",
    "2. Does expect hold what a right answer must say, and does the quote state it? Correct them.",
    f"3. With the tag {CHECK_NOT_STATED}: search the documents. If they answer it, delete it or set answerable.",
    f"4. Then remove the tag {DRAFT}. footnote eval check names the questions that still have it.",
)


def write_drafts(questions: Sequence[GoldenQuestion], path: Path) -> None:
    """Write drafts into a new file.

    Raises:
        DraftError: The suffix is unknown, the file exists, or it cannot be written.
    """
    check_target(path)
    content = _WRITERS[path.suffix.lower()](questions)
    try:
        with path.open("xb") as file:
            file.write(content)
    except OSError as error:
        raise DraftError(f"The drafts cannot be written to {str(path)!r} ({error.strerror}): name another.") from error


def check_target(path: Path) -> None:
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
    remarks = "".join(f"# {remark}\n" for remark in REMARKS)
    entries = [yaml.safe_dump([_keys(one)], allow_unicode=True, sort_keys=False, width=120) for one in questions]
    return "\n".join([remarks, *entries]).encode()


def _to_json_lines(questions: Sequence[GoldenQuestion]) -> bytes:
    lines = [*(f"# {remark}" for remark in REMARKS), *(json.dumps(_keys(one), ensure_ascii=False) for one in questions)]
    return "".join(f"{line}\n" for line in lines).encode()


def _keys(question: GoldenQuestion) -> dict[str, Any]:
    """Return what a person would write: `answerable` always, other keys only where they say something."""
    keys = question.model_dump(mode="json", exclude_defaults=True)
    written = {"id": keys["id"], "question": keys["question"]}
    return {**written, "answerable": question.answerable, **{key: keys[key] for key in keys if key not in written}}


_WRITERS: dict[str, Callable[[Sequence[GoldenQuestion]], bytes]] = {
    ".yaml": _to_yaml,
    ".yml": _to_yaml,
    ".jsonl": _to_json_lines,
    ".csv": lambda questions: to_csv(questions, REMARKS),
    ".xlsx": lambda questions: to_workbook(questions, REMARKS),
}
