from __future__ import annotations

from pathlib import Path

import pytest

from bot.language_model.session import ModelSession
from bot.stages.evidence.excerpts import Excerpt, choose_excerpts, number_excerpts, widen
from bot.stages.evidence.ranking import ScoredSentence
from bot.stages.evidence.selection import Features, Sentence
from bot.stages.judgement.prompt import parse_reply, prime
from index.document import Chunk, Span
from prompts.instructions import instruction, parse_instructions
from tests.support.scripted_model import ScriptedModel

FEATURES = Features(0.5, 0.0, 0.5, 0.5, 0.0, 0.0, 0.5, 1.0, 0.5, 0.5, 1.0)


def _judged(text: str, *sentences: str, document_id: str = "a.txt") -> list[ScoredSentence]:
    spans = tuple(Span(text.index(one), text.index(one) + len(one)) for one in sentences)
    chunk = Chunk(f"{document_id}:0", document_id, 0, Span(0, len(text)), text, "Ferries", tuple(sorted(spans)))
    return [
        ScoredSentence(Sentence(chunk, span, chunk.sentence_text(span), FEATURES, frozenset()), 0.5) for span in spans
    ]


def _excerpts(count: int) -> tuple[Excerpt, ...]:
    text = "\n".join(f"Sentence number {number} stands here." for number in range(count))
    return choose_excerpts(_judged(text, *text.split("\n")))


def test_a_short_line_is_shown_whole_and_a_long_one_by_the_sentence() -> None:
    line = "Wong: I like it. The ferry leaves at six."
    text = f"{line}\n{'A long paragraph goes on and on. ' * 12}The end."
    ranked = _judged(text, "The ferry leaves at six.", "The end.", "Wong: I like it.")[:2]
    assert [excerpt.text for excerpt in choose_excerpts(ranked)] == [line, "The end."]


def test_excerpts_keep_their_places_and_reading_order() -> None:
    text = "First sentence.\nSecond sentence.\nThird sentence."
    chosen = choose_excerpts(_judged(text, "Third sentence.", "First sentence."))
    assert [excerpt.text for excerpt in chosen] == ["First sentence.", "Third sentence."]
    assert all(excerpt.span.of(text) == excerpt.text for excerpt in chosen)


def test_excerpts_stop_at_the_budget_with_the_one_that_reaches_it() -> None:
    text = "\n".join(f"{number} {'word ' * 30}." for number in range(8))
    chosen = choose_excerpts(_judged(text, *text.split("\n")), budget=300)
    assert len(chosen) == 2


def test_a_sentence_is_shown_once() -> None:
    text = "Only sentence."
    assert len(choose_excerpts(_judged(text, text) * 2)) == 1


def test_excerpts_are_numbered_under_their_document() -> None:
    both = [*_judged("One.", "One."), *_judged("Two.", "Two.", document_id="b.txt")]
    assert number_excerpts(choose_excerpts(both)) == "(Ferries)\n[1] One.\n(Ferries)\n[2] Two."


def test_more_excerpts_come_after_those_that_were_shown() -> None:
    text = "\n".join(f"{number} {'word ' * 60}." for number in range(8))
    ranked = _judged(text, *reversed(text.split("\n")))
    first = choose_excerpts(ranked)
    wider = widen(first, ranked)
    assert wider[: len(first)] == first
    assert len(wider) > len(first)
    assert widen(wider, ranked) == wider


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("Yes [1] The ferry leaves at six.", [("The ferry leaves at six.", [1])]),
        ("Reply: Yes [1] The ferry leaves at six.", [("The ferry leaves at six.", [1])]),
        ("Yes, [1]: The ferry leaves at six.", [("The ferry leaves at six.", [1])]),
        ("Yes [1] [3] The ferry leaves at six.", [("The ferry leaves at six.", [1, 3])]),
        ("Yes [1, 2] The ferry leaves.", [("The ferry leaves.", [1, 2])]),
        ("The ferry leaves at six [1].", [("The ferry leaves at six.", [1])]),
        ("It leaves. [1] It arrives. [2]", [("It leaves.", [1, 2]), ("It arrives.", [1, 2])]),
        ("Yes. No footnote here.", [("No footnote here.", [1, 2, 3])]),
        ("Yes [9] Out of range.", [("Out of range.", [1, 2, 3])]),
        ("Yes [1] Nobody may enter.", [("Nobody may enter.", [1])]),
        ("Yesterday it left at six. [1]", [("Yesterday it left at six.", [1])]),
        ("Yes [2]", [("", [2])]),
        (f"Yes [2] {'and so on ' * 30}", [("", [2])]),
        ("Yes", [("", [])]),
        ("No", []),
        ("No. The text does not state it. [1]", []),
        ("", []),
    ],
)
def test_a_reply_is_taken_apart(reply: str, expected: list[tuple[str, list[int]]]) -> None:
    excerpts = _excerpts(3)
    parsed = parse_reply(reply, excerpts)
    assert [(one.text, [excerpts.index(excerpt) + 1 for excerpt in one.excerpts]) for one in parsed] == expected


def test_the_question_comes_last_so_that_more_excerpts_share_a_beginning() -> None:
    material = instruction("reading", "material", excerpts="[1] A.", question="B?")
    assert material.endswith("Question: B?\nReply:")


@pytest.mark.parametrize("broken", ["{question}", "{excerpts} {question} {answer}", ""])
def test_a_prompt_with_other_placeholders_is_refused(broken: str) -> None:
    source = (Path(__file__).parent.parent.parent / "prompts" / "instructions.toml").read_text(encoding="utf-8")
    start = source.index("material = ")
    end = source.index('"""', source.index('"""', start) + 3) + 3
    with pytest.raises(ValueError, match=r"reading\.material"):
        parse_instructions(f'{source[:start]}material = "{broken}"{source[end:]}')


def test_priming_reads_what_questions_share_and_then_a_prompt_that_begins_otherwise() -> None:
    model = ScriptedModel()
    prime(ModelSession(model))
    assert [prompt.system for prompt in model.asked] == [
        instruction("reading", "system"),
        instruction("checking", "system"),
    ]
