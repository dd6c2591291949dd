"""Asks a language model about every answer of a finished run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from bot.answer import Answer
from eval.golden import SMALL_TALK
from eval.measures.interval import mean, summarise
from eval.model_judge.agreement import agreement_of
from eval.model_judge.presentation import present
from eval.model_judge.record import JudgedAnswer, ModelJudge, Opinion
from eval.model_judge.replies import KeptReplies
from eval.report import QuestionReport, RunReport
from prompts.model_judge import judge_prompts_hash

_WORDS: dict[str, Opinion] = {"right": "right", "wrong": "wrong"}
# What a model puts around a word without saying more.
_AROUND_A_WORD = " \t\r\n.*\"'"


def judge_report(
    report: RunReport, replies: KeptReplies, repeats: int, on_reply: Callable[[], None] = lambda: None
) -> ModelJudge:
    """Return a model's opinion of the answers of a run.

    Args:
        report: The run.
        replies: The model, and what it replied before.
        repeats: How often it is asked about each answer, at most `MOST_REPEATS`.
        on_reply: Called after each reply.

    Raises:
        ModelUnavailableError: The model cannot be used; what it replied is kept.
        ReportError: A reply cannot be written.
    """
    chosen = list(answers_to_judge(report))
    answers = []
    for question, answer in chosen:
        opinions = []
        for prompt in present(question, answer, repeats):
            opinions.append(opinion_in(replies.reply(prompt)))
            on_reply()
        answers.append(_judged(question, tuple(opinions)))
    clusters = [(one.suite, one.golden.dialogue or "", one.golden.dialogue or one.golden.id) for one, _ in chosen]
    judged = [None if one.majority is None else float(one.majority == "right") for one in answers]
    return ModelJudge(
        model=replies.name,
        prompts_hash=judge_prompts_hash(),
        repeats=repeats,
        own_answers=sum(answer.provenance.language_model == replies.name for _, answer in chosen),
        unparsable=sum(one.opinions.count(None) for one in answers),
        not_judged=dict(Counter(reason for one in report.questions if (reason := _why_not(one)))),
        measures={"judged_correct": summarise(judged, mean, clusters)},
        agreement=agreement_of(answers, clusters),
        answers=tuple(answers),
    )


def answers_to_judge(report: RunReport) -> Iterator[tuple[QuestionReport, Answer]]:
    """Yield the shown answers to answerable questions."""
    return ((one, one.answer) for one in report.questions if one.answer is not None and _why_not(one) is None)


def opinion_in(reply: str) -> Opinion | None:
    """Return the opinion that a reply states, or None where it is anything but one of the two words."""
    return _WORDS.get(reply.strip(_AROUND_A_WORD).casefold())


def majority_of(opinions: Iterable[Opinion | None]) -> Opinion | None:
    """Return what most opinions say, or None where there are none or two sides of the same size."""
    counted = Counter(one for one in opinions if one is not None).most_common()
    tied = not counted or (len(counted) == 2 and counted[0][1] == counted[1][1])
    return None if tied else counted[0][0]


def _judged(question: QuestionReport, opinions: tuple[Opinion | None, ...]) -> JudgedAnswer:
    correct = question.scores.get("answer_correct")
    return JudgedAnswer(
        suite=question.suite,
        id=question.golden.id,
        repeat=question.repeat,
        opinions=opinions,
        majority=majority_of(opinions),
        by_rule=None if correct is None else "right" if correct else "wrong",
    )


def _why_not(question: QuestionReport) -> str | None:
    """Return why an answer is not judged, or None where it is."""
    if question.answer is None:
        return "crashed"
    if not question.golden.answerable:
        return "unanswerable"
    if question.answer.kind == "refusal":
        return "refused"
    return "small talk" if question.answer.kind == "small_talk" or SMALL_TALK in question.golden.tags else None
