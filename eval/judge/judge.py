"""Asks a language model about every answer of a finished run, and keeps each reply on disk as it comes.

Models are asked at temperature 0, so that the same prompt twice would be one opinion counted twice. Instead the order
of the material changes, and which of the two words is named first: what a model prefers for its place alone shows as
disagreement with itself (P. Wang et al., "Large Language Models are not Fair Evaluators", 2023).
"""

from __future__ import annotations

import hashlib
import json
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import permutations
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from bot.answer.answer import Answer
from bot.language_model import LanguageModel, Prompt
from eval.errors import ReportError
from eval.judge.record import JudgedAnswer, ModelJudge, Opinion, agreement_of
from eval.measures.interval import mean, summarise
from eval.report.json_file import Record
from eval.report.report import QuestionReport, RunReport
from eval.suites.golden import SMALL_TALK, GoldenQuestion
from index.store.atomic_file import write_file
from prompts.model_judge import judge_prompt, judge_prompts_hash

_Thing = TypeVar("_Thing")
_ORDERS = tuple(permutations(("expected", "quotes", "answer")))
_WORDS = ("Right", "Wrong")
# Each order with either word first: more repeats would repeat a prompt.
MOST_REPEATS = len(_ORDERS) * len(_WORDS)
# Characters, in sum fewer than the 4,096 tokens that the local model reads: a Chinese character is about one token.
_LONGEST = {"question": 400, "turns": 300, "expected": 500, "quotes": 1_500, "answer": 1_100}
_LONGEST_REPLY = 8  # tokens: one word in any tokenizer, and enough to see that a reply was more than one word
_AROUND_A_WORD = " \t\r\n.*\"'"  # what a model puts around a word without saying more


def present(question: QuestionReport, answer: Answer, repeats: int) -> Iterator[Prompt]:
    """Yield that many different prompts about one answer: the same ones for the same question, and more after them."""
    golden = question.golden
    generator = random.Random(f"{golden.id} {question.repeat}")  # noqa: S311  # an order, nothing secret
    orders = generator.sample(_ORDERS, len(_ORDERS))
    turned = generator.randrange(2)
    for place in range(repeats):
        parts = {
            "expected": judge_prompt("expected", lines=_cut("expected", "\n".join(_expected(golden, generator)))),
            "quotes": judge_prompt("quotes", lines=_cut("quotes", "\n".join(_quotes(answer, generator)))),
            "answer": judge_prompt("answer", answer=_cut("answer", _one_line(answer.text))),
        }
        round_, which = divmod(place, len(orders))
        first, second = _WORDS if (place + round_ + turned) % 2 else _WORDS[::-1]
        ordered = [parts[name] for name in orders[which]]
        verdict = judge_prompt("verdict", first=first, second=second)
        yield Prompt(judge_prompt("system"), "\n\n".join([_question(golden), *ordered, verdict]))


def _question(golden: GoldenQuestion) -> str:
    asked = _cut("question", _one_line(golden.question))
    if not golden.history:
        return judge_prompt("question", question=asked)
    turns = "\n".join(f"{turn.role}: {_one_line(turn.content)}" for turn in golden.history)
    return judge_prompt("conversation", turns=turns[-_LONGEST["turns"] :], question=asked)


def _expected(golden: GoldenQuestion, generator: random.Random) -> Iterator[str]:
    """Yield what the suite expects; the evidence only where it gives no phrases."""
    for group in _shuffled(golden.expect, generator):
        yield judge_prompt("says", phrases=_alternatives(group, generator))
    for phrase in _shuffled(golden.forbid, generator):
        yield judge_prompt("avoids", phrase=_alternatives([phrase], generator))
    for item in () if golden.expect else _shuffled(golden.evidence, generator):
        yield judge_prompt("rests_on", quotes=_alternatives([one.quote for one in item.any_of], generator))


def _quotes(answer: Answer, generator: random.Random) -> Iterator[str]:
    for citation in _shuffled(answer.citations, generator):
        yield f"[{citation.number}] {_one_line(citation.quote)}"


def _alternatives(phrases: Iterable[str], generator: random.Random) -> str:
    return " / ".join(f'"{_one_line(phrase)}"' for phrase in _shuffled(phrases, generator))


def _shuffled(things: Iterable[_Thing], generator: random.Random) -> list[_Thing]:
    some = list(things)
    return generator.sample(some, len(some))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _cut(part: str, text: str) -> str:
    return text[: _LONGEST[part]]


class _Kept(Record):
    request: str
    reply: str


class KeptReplies:
    """A language model that is asked each prompt once. A reply is found by the model and the prompt, nothing else.

    Args:
        model: Who is asked.
        path: File of the replies, one line each.

    Raises:
        ReportError: The file cannot be read or written.
    """

    def __init__(self, model: LanguageModel, path: Path) -> None:
        self.name = model.name
        self._model = model
        self._path = path
        self._replies = {kept.request: kept for kept in _read(path)}
        # Without the half line that a kill may have left.
        write_file(path, "".join(f"{kept.model_dump_json()}\n" for kept in self._replies.values()), ReportError)

    def __len__(self) -> int:
        return len(self._replies)

    def reply(self, prompt: Prompt) -> str:
        """Return what the model replies, on disk before this returns.

        Raises:
            ModelUnavailableError: It cannot be used now.
            ReportError: The reply cannot be written.
        """
        request = hashlib.sha256(json.dumps([self.name, prompt.system, prompt.user]).encode()).hexdigest()
        if request not in self._replies:
            kept = _Kept(request=request, reply="".join(self._model.complete(prompt, _LONGEST_REPLY)))
            self._append(kept)
            self._replies[request] = kept
        return self._replies[request].reply

    def _append(self, kept: _Kept) -> None:
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(kept.model_dump_json() + "\n")
        except OSError as error:
            raise ReportError(f"{str(self._path)!r} cannot be written ({error.strerror}): free some space.") from error


def _read(path: Path) -> Iterator[_Kept]:
    if not path.exists():
        return
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise ReportError(f"{str(path)!r} cannot be read ({error.strerror}): name another file with --out.") from error
    for line in lines:
        with suppress(ValidationError):
            yield _Kept.model_validate_json(line)


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
    word = reply.strip(_AROUND_A_WORD).casefold()
    return "right" if word == "right" else "wrong" if word == "wrong" else None


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
