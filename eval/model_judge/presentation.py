"""How an answer is put before a model that judges it: the same material, another way each time.

Models are asked at temperature 0, so that the same prompt twice would be one opinion counted twice. Instead the order
of the material changes, and which of the two words is named first: what a model prefers for its place alone shows as
disagreement with itself (P. Wang et al., "Large Language Models are not Fair Evaluators", 2023).
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from itertools import permutations
from typing import TypeVar

from bot.answer import Answer
from bot.language_model import Prompt
from eval.golden import GoldenQuestion
from eval.report import QuestionReport
from prompts.model_judge import judge_prompt

_Thing = TypeVar("_Thing")
_ORDERS = tuple(permutations(("expected", "quotes", "answer")))
_WORDS = ("Right", "Wrong")
# Each order with either word first: more repeats would repeat a prompt.
MOST_REPEATS = len(_ORDERS) * len(_WORDS)
# Characters, in sum fewer than the 4,096 tokens that the local model reads: a Chinese character is about one. In runs
# of the seed suites the longest answer has 992, and the quotes of one answer 983.
_LONGEST = {"question": 400, "turns": 300, "expected": 500, "quotes": 1_500, "answer": 1_100}


def present(question: QuestionReport, answer: Answer, repeats: int) -> Iterator[Prompt]:
    """Yield that many different prompts about one answer: the same ones for the same question, and more after them."""
    golden = question.golden
    generator = random.Random(f"{golden.id} {question.repeat}")  # noqa: S311  # an order, nothing secret
    orders = generator.sample(_ORDERS, len(_ORDERS))
    turned = generator.randrange(2)
    for place in range(repeats):
        parts = {
            "expected": judge_prompt("expected", lines=_lines("expected", _expected(golden, generator))),
            "quotes": judge_prompt("quotes", lines=_lines("quotes", _quotes(answer, generator))),
            "answer": judge_prompt("answer", answer=_cut("answer", answer.text)),
        }
        round_, which = divmod(place, len(orders))
        first, second = _WORDS if (place + round_ + turned) % 2 else _WORDS[::-1]
        ordered = [parts[name] for name in orders[which]]
        verdict = judge_prompt("verdict", first=first, second=second)
        yield Prompt(judge_prompt("system"), "\n\n".join([_question(golden), *ordered, verdict]))


def _question(golden: GoldenQuestion) -> str:
    asked = _cut("question", golden.question)
    if not golden.history:
        return judge_prompt("question", question=asked)
    turns = "\n".join(f"{turn.role}: {' '.join(turn.content.split())}" for turn in golden.history)
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
        yield f"[{citation.number}] {' '.join(citation.quote.split())}"


def _alternatives(phrases: Iterable[str], generator: random.Random) -> str:
    return " / ".join(f'"{" ".join(phrase.split())}"' for phrase in _shuffled(phrases, generator))


def _shuffled(things: Iterable[_Thing], generator: random.Random) -> list[_Thing]:
    some = list(things)
    return generator.sample(some, len(some))


def _lines(part: str, lines: Iterable[str]) -> str:
    return "\n".join(lines)[: _LONGEST[part]]


def _cut(part: str, text: str) -> str:
    return " ".join(text.split())[: _LONGEST[part]]
