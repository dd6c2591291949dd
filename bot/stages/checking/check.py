"""The fifth stage: drafts become statements that their sources say, in the language of the reader."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.answer.answer import Statement
from bot.answer.draft import DocumentPlace, Documents, Draft, Footnotes, Verified
from bot.language_model.session import OptionalModel
from bot.stages.checking.disagreement import Disagreements
from bot.stages.checking.verification import verify_draft
from bot.stages.evidence.evidence import Evidence
from bot.stages.question.clean import detect_language
from bot.stages.question.translation import in_language_of
from index.embedding.embedder import Embedder
from prompts.replies import reply


@dataclass(frozen=True, slots=True)
class Checked:
    """What may be shown of the drafts.

    Attributes:
        statements: In the order they are shown, each that contradicts an earlier one marked so.
        dropped: The words of drafts that their sources do not say.
    """

    statements: tuple[Verified, ...]
    dropped: tuple[str, ...]

    @property
    def disagreements(self) -> int:
        """How many statements contradict one before them."""
        return sum(one.introduction is not None for one in self.statements)


def check(
    question: str,
    drafts: Sequence[Draft],
    alternatives: Sequence[DocumentPlace],
    evidence: Evidence,
    documents: Documents,
    embedder: Embedder,
    model: OptionalModel,
    *,
    name_disagreements: bool = True,
) -> Checked:
    """Return what the sources of the drafts say, none twice, and what else in the evidence contradicts it.

    Args:
        question: Standing alone, in the language of the evidence.
        drafts: From the writing stage.
        alternatives: Places that a repair may cite.
        evidence: May contradict the drafts.
        documents: To quote from.
        embedder: Compares sentences.
        model: Asked about words in another order; without one such a draft gives way to its quote.
        name_disagreements: Whether sentences that contradict the statements are shown after them.
    """
    footnotes = Footnotes()
    verified: dict[str, Verified] = {}
    dropped: list[str] = []
    for draft in drafts:
        found = verify_draft(
            draft,
            footnotes,
            context=(question, *(document.title for document, _ in draft.sources)),
            alternatives=alternatives,
            support_odds=lambda text, sources: model.ask(lambda session: session.supports(text, sources), 0.0),
        )
        if found is None:
            dropped.append(draft.text)
        else:
            verified.setdefault(found.statement.text, found)
    statements = list(verified.values())
    if name_disagreements:
        disagreements = Disagreements(question, evidence.ranked, evidence.precedence, documents, embedder)
        statements = disagreements.add_to(statements, footnotes)
    return Checked(tuple(statements), tuple(dropped))


def in_readers_language(question: str, verified: Verified, model: OptionalModel) -> Statement:
    """Return a verified statement in the language of the question, introduced where it contradicts one before it.

    Args:
        question: As asked.
        verified: In the language of its sources.
        model: Translates; without one the statement is the original words, named as such.
    """
    text = in_language_of(question, verified.statement.text, verified.citations, model)
    if verified.introduction:
        text = reply(verified.introduction, detect_language(question), statement=text)
    return verified.statement.model_copy(update={"text": text})
