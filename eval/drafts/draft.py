"""A golden question that was made by rules and that nobody has confirmed yet.

Chooses drafts so that every kind of question and every document has its share.

Writes drafts in the form that the suffix of the file names: a new file, never over an old one.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import yaml

from eval.errors import DraftError
from eval.suites.golden import DRAFT, EarlierTurn, EvidenceItem, GoldenQuestion, Quote
from eval.suites.sheets import to_csv, to_workbook

# The documents do not seem to say what is asked, as far as words can tell: a person has to look.
CHECK_NOT_STATED = "check_not_stated"
FOLLOW_UP = "follow_up"

# Groups of phrases, as `expect` has them.
Groups = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a document, as it stands there.

    Attributes:
        text: Word for word, with the line breaks of the document.
    """

    document_id: str
    text: str

    def flat(self) -> str:
        """Return the text in one line."""
        return " ".join(self.text.split())


@dataclass(frozen=True, slots=True)
class Amount:
    """What a number measures, so that two of a kind can be compared.

    Attributes:
        label: What has this amount, as a comparison would call it.
        kind: Only amounts of one kind are compared: a currency, or the noun that is counted.
    """

    label: str
    kind: str
    value: Fraction


@dataclass(frozen=True, slots=True)
class Draft:
    """A proposed question.

    Attributes:
        kind: What it asks for: `fact`, `numeric`, `date`, `who`, `where`, `list`, `why`, `definition`, `comparison`, or
            `near_miss` for one that the documents do not answer.
        sources: The sentences that state the answer; for a near miss what it was made from.
        subject: What it is about, as the question names it.
        asked_before: For a follow-up the question before it and its answer.
        amount: What its answer measures.
        also: Other sentences that state the same answer as the first source.
    """

    kind: str
    question: str
    expect: Groups
    sources: tuple[Sentence, ...]
    subject: str = ""
    asked_before: tuple[str, str] | None = None
    amount: Amount | None = None
    also: tuple[Sentence, ...] = ()

    @property
    def is_near_miss(self) -> bool:
        """Whether the documents are not supposed to answer it."""
        return self.kind == "near_miss"

    def golden(self) -> GoldenQuestion:
        """Return the golden question, tagged as a draft."""
        turns = self.asked_before or ()
        history = tuple(
            EarlierTurn(role=role, content=said) for role, said in zip(("user", "assistant"), turns, strict=False)
        )
        marks = [CHECK_NOT_STATED] if self.is_near_miss else [FOLLOW_UP] if self.asked_before else []
        return GoldenQuestion(
            id=f"{self.kind.replace('_', '-')}-{self._digest()}",
            question=self.question,
            history=history,
            answerable=not self.is_near_miss,
            expect=() if self.is_near_miss else self.expect,
            evidence=() if self.is_near_miss else self._evidence(),
            tags=(DRAFT, self.kind, *marks),
        )

    def _digest(self) -> str:
        said = "\n".join((*(self.asked_before or ()), self.question))
        return hashlib.sha256(said.encode()).hexdigest()[:8]

    def _evidence(self) -> tuple[EvidenceItem, ...]:
        first, *others = self.sources
        return tuple(
            EvidenceItem(any_of=tuple(map(_quote, same))) for same in ((first, *self.also), *((one,) for one in others))
        )


def _quote(source: Sentence) -> Quote:
    return Quote(document_id=source.document_id, quote=source.flat())


_NEAR_MISS_SHARE = 4  # one in four


def choose_drafts(proposed: Sequence[Draft], count: int, seed: int) -> list[Draft]:
    """Return up to `count` drafts: a quarter near misses, the rest spread over kinds, then documents, then sentences.

    The same proposals and the same seed give the same drafts.
    """
    shuffled = list({(draft.question, draft.asked_before): draft for draft in proposed}.values())
    Random(seed).shuffle(shuffled)  # noqa: S311  # a choice that can be repeated, nothing secret
    misses = [draft for draft in shuffled if draft.is_near_miss]
    answerable = [draft for draft in shuffled if not draft.is_near_miss]
    wanted = count // _NEAR_MISS_SHARE if answerable else 0
    chosen = _spread(misses, wanted)
    return _spread(answerable, count - len(chosen)) + chosen


def _spread(drafts: list[Draft], count: int) -> list[Draft]:
    left, chosen = list(drafts), list[Draft]()
    used: Counter[object] = Counter()
    while left and len(chosen) < count:
        best = min(left, key=lambda draft: _cost(draft, used))
        left.remove(best)
        chosen.append(best)
        used.update(_shares(best))
    return chosen


def _cost(draft: Draft, used: Counter[object]) -> tuple[int, ...]:
    kind, document, sentence, subject = _shares(draft)
    return used[kind] + used[sentence] // 2, used[document], used[sentence], used[subject]


def _shares(draft: Draft) -> tuple[object, object, object, object]:
    kind = FOLLOW_UP if draft.asked_before else draft.question[:12] if draft.is_near_miss else draft.kind
    source = draft.sources[0]
    return ("kind", kind), ("document", source.document_id), ("sentence", source.text), ("subject", draft.subject)


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
