"""From ranked sentences to verified statements: judged, drafted, checked against their sources, shown in a language."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.answer.answer import Statement
from bot.answer.draft import Documents, Draft
from bot.answer.inquiry import Inquiry
from bot.stages.checking.verification import Footnotes, Verified, verify_draft
from bot.stages.evidence.sentences import QuestionWords
from bot.stages.judgement.answerability import Calibration, Judged, judge
from bot.stages.question.clean import detect_language
from bot.stages.question.follow_up import Understanding
from bot.stages.question.translation import in_language_of
from bot.stages.writing.model_answer import Deliberation, deliberate, places_of, write_drafts
from bot.stages.writing.quotes import quote_drafts
from prompts.replies import reply


def weigh(
    inquiry: Inquiry,
    understanding: Understanding,
    asked: QuestionWords,
    ranked: Sequence[Judged],
    calibration: Calibration,
    *,
    thorough: bool = False,
) -> tuple[float, Deliberation | None]:
    """Return how likely an answer is right, and what the model wrote where one was asked.

    Args:
        inquiry: The question; its model is asked where it has one.
        understanding: The question, standing alone.
        asked: Its words.
        ranked: Sentences of evidence, best first.
        calibration: Parameters of the judge.
        thorough: See `deliberate`.
    """
    if ranked:
        deliberation = inquiry.consult(
            lambda model: deliberate(
                model,
                understanding.standalone_question,
                asked,
                ranked,
                calibration,
                timed=inquiry.timed,
                thorough=thorough,
            ),
            None,
        )
        if deliberation is not None:
            return deliberation.confidence, deliberation
    with inquiry.timed("judge"):
        return judge(ranked, calibration), None


def draft(ranked: Sequence[Judged], deliberation: Deliberation | None, documents: Documents) -> Iterator[Draft]:
    """Yield what the model wrote as drafts, or quotes of the best sentences where none was asked."""
    if deliberation is not None:
        return write_drafts(deliberation, documents)
    return quote_drafts(ranked, documents)


def verify(
    inquiry: Inquiry,
    drafts: Sequence[Draft],
    understanding: Understanding,
    deliberation: Deliberation | None,
    documents: Documents,
    footnotes: Footnotes,
) -> list[Verified]:
    """Return what of the drafts their sources say; none twice. What they do not say is kept in the inquiry."""
    alternatives = places_of(deliberation.excerpts, documents) if deliberation else ()
    verified: dict[str, Verified] = {}
    for one in drafts:
        found = verify_draft(
            one,
            footnotes,
            context=(understanding.standalone_question, *(document.title for document, _ in one.sources)),
            alternatives=alternatives,
            # Without a word from the model a paraphrase does not pass, and its quote is shown.
            opinion=lambda text, sources: inquiry.consult(lambda model: model.supports(text, sources), 0.0),
        )
        if found is None:
            inquiry.dropped += (one.text,)
        else:
            verified.setdefault(found.statement.text, found)
    return list(verified.values())


def in_language(inquiry: Inquiry, verified: Verified) -> Statement:
    """Return a verified statement in the language of the question, introduced where it contradicts one before it."""
    text = in_language_of(inquiry.question, verified.statement.text, verified.citations, inquiry.consult)
    if verified.introduction:
        text = reply(verified.introduction, detect_language(inquiry.question), statement=text)
    return verified.statement.model_copy(update={"text": text})
