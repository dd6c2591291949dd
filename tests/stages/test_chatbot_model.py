"""The path of a question with a language model that is steered: what it writes is checked, its faults survived."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.answer.conversation import Turn
from bot.answer.events import Finished, StatementReady
from bot.chatbot import Chatbot
from bot.language_model import Prompt
from tests.support.scripted_model import ScriptedModel, unavailable

QUESTION = "How much is reserved for the AI research institute?"


@pytest.fixture
def ask(seed_data: Path, open_chatbot: Callable[..., Chatbot]) -> Callable[[ScriptedModel], Chatbot]:
    return lambda model: open_chatbot(seed_data, model)


def _excerpt_number(prompt: Prompt, phrase: str) -> int:
    """Return the number under which the model was shown a phrase."""
    line = next(line for line in prompt.user.splitlines() if phrase in line and line.startswith("["))
    return int(line[1 : line.index("]")])


def _writes(text: str, phrase: str = "reservation of HK$1 billion") -> Callable[[Prompt], str]:
    return lambda prompt: f"Yes [{_excerpt_number(prompt, phrase)}] {text}"


def test_what_the_sentence_says_is_shown_in_other_words(ask: Callable[[ScriptedModel], Chatbot]) -> None:
    answer = ask(ScriptedModel(write=_writes("The Budget has announced the reservation of HK$1 billion."))).ask(
        QUESTION
    )
    assert answer.text == "The Budget has announced the reservation of HK$1 billion. [1]"
    assert answer.statements[0].support == "supported"
    assert "reservation of HK$1 billion" in answer.citations[0].quote
    assert answer.provenance.answerer == "local"
    assert answer.provenance.language_model == "scripted"
    assert {"condense", "retrieve", "select", "judge", "compose", "verify", "total"} <= set(answer.timings_ms)


@pytest.mark.parametrize(
    "invented",
    [
        "The Budget has announced the reservation of HK$2 billion.",
        "The Budget has not announced the reservation of HK$1 billion.",
        "The 2023-2024 Budget has announced the reservation of HK$1 billion.",
        "Paul Chan has announced the reservation of HK$1 billion.",
    ],
)
def test_what_it_does_not_say_is_replaced_by_the_quote(ask: Callable[[ScriptedModel], Chatbot], invented: str) -> None:
    events = list(ask(ScriptedModel(write=_writes(invented))).stream(QUESTION))
    shown = [event.statement for event in events if isinstance(event, StatementReady)]
    assert [statement.support for statement in shown] == ["quoted"]
    assert "HK$1 billion to establish the Hong Kong Artificial Intelligence Research Institute" in shown[0].text
    assert invented not in str(events)


@pytest.mark.parametrize("reply", ["Yes [{number}]", "Yes [{number}] {sentence} And so on."])
def test_a_model_that_points_or_copies_is_answered_with_the_quote(
    ask: Callable[[ScriptedModel], Chatbot], reply: str
) -> None:
    def write(prompt: Prompt) -> str:
        number = _excerpt_number(prompt, "reservation of HK$1 billion")
        sentence = next(line for line in prompt.user.splitlines() if line.startswith(f"[{number}]"))
        return reply.format(number=number, sentence=sentence.partition(" ")[2])

    answer = ask(ScriptedModel(write=write)).ask(QUESTION)
    assert [statement.support for statement in answer.statements] == ["quoted"]
    assert "reservation of HK$1 billion" in answer.text
    assert "And so on" not in answer.text
    assert answer.provenance.answerer == "local"


def test_a_model_that_is_not_convinced_is_shown_more(ask: Callable[[ScriptedModel], Chatbot]) -> None:
    model = ScriptedModel(write=_writes("The Budget has announced the reservation of HK$1 billion."), odds=0.0)
    ask(model).ask(QUESTION)
    first, second = model.asked[0].user, model.asked[1].user
    shown = first.partition("\n\nQuestion:")[0].rpartition("\n")[0]  # up to the end of the fence
    assert second.startswith(shown)
    assert len(second) > len(first)


def test_a_model_that_says_no_makes_a_refusal(ask: Callable[[ScriptedModel], Chatbot]) -> None:
    model = ScriptedModel(write=_writes("The Budget has announced the reservation of HK$1 billion."), odds=-6.0)
    answer = ask(model).ask(QUESTION)
    assert answer.refusal is not None
    assert answer.refusal.nearest


@pytest.mark.parametrize(
    "model",
    [
        ScriptedModel(odds=unavailable()),
        ScriptedModel(odds=lambda prompt: -1.0 if "[3]" not in prompt.user else unavailable()),
        ScriptedModel(write=unavailable()),
    ],
)
def test_a_model_that_fails_leaves_the_quoted_answer(
    ask: Callable[[ScriptedModel], Chatbot], model: ScriptedModel
) -> None:
    answer = ask(model).ask(QUESTION)
    assert answer.kind == "answer"
    assert {statement.support for statement in answer.statements} == {"quoted"}
    assert answer.provenance.answerer == "extractive"
    assert answer.provenance.language_model is None


@pytest.mark.parametrize("said", [-2.0, unavailable()])
def test_another_order_that_its_own_sentences_are_not_said_to_state_gives_way_to_the_quote(
    ask: Callable[[ScriptedModel], Chatbot], said: float | Exception
) -> None:
    model = ScriptedModel(
        write=_writes("HK$1 billion is the reservation that the Budget has announced."),
        odds=lambda prompt: said if "Statement:" in prompt.user else 3.0,
    )
    answer = ask(model).ask(QUESTION)
    assert [statement.support for statement in answer.statements] == ["quoted"]
    assert "Statement: HK$1 billion is the reservation" in model.asked[-1].user


def test_a_model_that_is_not_ready_is_not_asked(ask: Callable[[ScriptedModel], Chatbot]) -> None:
    model = ScriptedModel(is_ready=False)
    assert ask(model).ask(QUESTION).provenance.answerer == "extractive"
    assert not model.asked


def test_the_stream_ends_early_when_the_reader_leaves(ask: Callable[[ScriptedModel], Chatbot]) -> None:
    left = threading.Event()

    def leave(_prompt: Prompt) -> float:
        left.set()
        return 3.0

    model = ScriptedModel(write=_writes("Never shown."), odds=leave)
    events = list(ask(model).stream(QUESTION, cancel=left))
    assert not any(isinstance(event, Finished | StatementReady) for event in events)
    assert len(model.asked) == 1


def test_a_chinese_question_is_answered_in_chinese_with_the_original_words(
    ask: Callable[[ScriptedModel], Chatbot],
) -> None:
    def write(prompt: Prompt) -> str:
        if "Translate this question" in prompt.user:
            return QUESTION
        if "Translate this sentence" in prompt.user:
            return "预算案预留10亿港元。"
        return _writes("The Budget has announced the reservation of HK$1 billion.")(prompt)

    answer = ask(ScriptedModel(write=write)).ask("人工智能研究院獲預留多少撥款？")
    assert answer.text.startswith("預算案預留10億港元（原文：「")
    assert "reservation of HK$1 billion" in answer.text
    assert answer.standalone_question == "人工智能研究院獲預留多少撥款？"


def test_what_was_said_in_another_language_does_not_rank_what_a_translated_question_finds(
    ask: Callable[[ScriptedModel], Chatbot],
) -> None:
    asked = "人工智能研究院獲預留多少撥款？"
    said = ["What is the Hetao zone?", "The Hetao zone is a place for innovation with five buildings."]
    history = [
        Turn(role=role, content=text) for _ in range(3) for role, text in zip(("user", "assistant"), said, strict=True)
    ]
    found = [
        [one.chunk_id for one in ask(ScriptedModel(write=QUESTION)).search(asked, before).retrieved]
        for before in ((), history)
    ]
    assert found[0] == found[1]


def test_a_translation_that_changes_the_sum_gives_way_to_the_original(
    ask: Callable[[ScriptedModel], Chatbot],
) -> None:
    def write(prompt: Prompt) -> str:
        if "Translate this question" in prompt.user:
            return QUESTION
        if "Translate this sentence" in prompt.user:
            return "預算案宣布預留20億港元。"
        return _writes("The Budget has announced the reservation of HK$1 billion.")(prompt)

    answer = ask(ScriptedModel(write=write)).ask("人工智能研究院獲預留多少撥款？")
    assert answer.text.startswith("文件原文：「")
    assert "20億" not in answer.text


def test_example_questions_are_found_without_the_model(ask: Callable[[ScriptedModel], Chatbot]) -> None:
    model = ScriptedModel(write="Never asked.")
    ask(model).example_questions()
    assert not model.asked


def test_what_the_question_takes_for_granted_is_named_where_the_documents_say_otherwise(
    ask: Callable[[ScriptedModel], Chatbot],
) -> None:
    answer = ask(ScriptedModel(odds=-6.0)).ask("Why will the GBA Hong Kong Park be developed in five phases?")
    assert answer.refusal is not None
    assert answer.refusal.reason == "false_premise"
    assert "“five”" in answer.refusal.message
    assert "two phases" in answer.refusal.nearest[0].quote


def _is_translation(prompt: Prompt) -> bool:
    return "translat" in prompt.system.casefold()


def test_provenance_names_the_model_that_wrote_also_where_only_its_translation_failed(
    ask: Callable[[ScriptedModel], Chatbot],
) -> None:
    def write(prompt: Prompt) -> str | Exception:
        if not _is_translation(prompt):
            return _writes("The Budget has announced the reservation of HK$1 billion.")(prompt)
        return unavailable() if "Budget" in prompt.user else QUESTION

    answer = ask(ScriptedModel(write=write)).ask("預算案為人工智能研究院預留了多少錢？")
    assert answer.kind == "answer"
    assert (answer.provenance.answerer, answer.provenance.language_model) == ("local", "scripted")


def test_provenance_of_what_no_model_took_part_in(ask: Callable[[ScriptedModel], Chatbot]) -> None:
    model = ScriptedModel()
    for message, kind in (("Thank you!", "small_talk"), ("???", "refusal")):
        answer = ask(model).ask(message)
        assert answer.kind == kind
        assert (answer.provenance.answerer, answer.provenance.language_model) == ("extractive", None)
    assert model.asked == []


def test_the_trace_says_what_was_understood_and_what_was_searched(ask: Callable[[ScriptedModel], Chatbot]) -> None:
    asked = "預算案為人工智能研究院預留了多少錢？"
    traced = ask(ScriptedModel(write=lambda prompt: QUESTION if _is_translation(prompt) else "No")).trace(asked)
    assert traced.answer.standalone_question == traced.trace.standalone_question == asked
    assert traced.trace.searched_question == QUESTION
