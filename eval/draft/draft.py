"""A golden question that was made by rules and that nobody has confirmed yet."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from fractions import Fraction

from eval.golden import DRAFT, EarlierTurn, EvidenceItem, GoldenQuestion, Quote

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
