from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.stages.question.answer_type import AnswerType, expected_type, holds_type, may_answer
from bot.stages.question.clean import clean_question, detect_language, has_words


@given(text=st.text(max_size=200))
def test_a_clean_question_is_one_visible_line_and_stays_so(text: str) -> None:
    cleaned = clean_question(text)
    assert cleaned == clean_question(cleaned)
    assert not set(cleaned) & set("\n\t\x00\u202e\u200b\u2066\ufeff")


def test_control_and_bidirectional_characters_go_and_joiners_stay() -> None:
    assert clean_question("when\u202e does\u200b it\x07\n open?\U000e0041") == "when does it open?"
    assert clean_question("می\u200cخواهم") == "می\u200cخواهم"


@pytest.mark.parametrize(("text", "expected"), [("?!", False), ("", False), ("5", True), ("何時", True)])
def test_has_words(text: str, expected: bool) -> None:
    assert has_words(text) is expected


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Who planned it?", "en"),
        ("香港人工智能研究院獲預留多少撥款？", "zh_hant"),
        ("香港人工智能研究院获预留多少拨款？", "zh_hans"),
        ("GBA 園區幾時開？", "zh_hant"),
        ("What does 科技園 mean in this text?", "en"),
        ("123", "en"),
    ],
)
def test_language_of_the_reply(text: str, language: str) -> None:
    assert detect_language(text) == language


@pytest.mark.parametrize(
    ("question", "kind", "holding", "lacking"),
    [
        ("How much was paid?", AnswerType.MONEY, "It cost HK$1 billion.", "It cost a fortune."),
        ("When does it open?", AnswerType.DATE, "It opens later this year.", "It opens soon."),
        ("How many buildings are there?", AnswerType.NUMBER, "There are eight of them.", "There are many."),
        ("Who answered?", AnswerType.PERSON, "It was answered by Sun Dong.", "it was answered at once"),
        ("Where is it?", AnswerType.PLACE, "It lies in the north.", "It lies well."),
        ("Why was it built?", AnswerType.REASON, "It was built in order to help.", "It was built."),
        ("何時開放？", AnswerType.DATE, "公園五月開放。", "公園開放。"),
    ],
)
def test_answer_types(question: str, kind: AnswerType, holding: str, lacking: str) -> None:
    assert expected_type(question) is kind
    assert holds_type(holding, kind)
    assert not holds_type(lacking, kind)


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("And when?", AnswerType.DATE),
        ("when cyberport founded", AnswerType.DATE),
        ("When the boats came in, who paid?", AnswerType.PERSON),
        ("What happened when it rained?", AnswerType.OTHER),
        ("What amount of time does it take?", AnswerType.OTHER),
        ("What is the amount for 2025?", AnswerType.MONEY),
        ("How much did the rebuilding cost?", AnswerType.MONEY),
        ("How much do the harvests vary?", AnswerType.NUMBER),
        ("What do a large number of boats carry?", AnswerType.OTHER),
        ("Compare the number of boats with the number of trains.", AnswerType.NUMBER),
        ("How does the amount for boats compare with last year's?", AnswerType.MONEY),
    ],
)
def test_words_in_another_place_ask_for_another_thing(question: str, kind: AnswerType) -> None:
    assert expected_type(question) is kind


@pytest.mark.parametrize(
    ("question", "text", "expected"),
    [
        ("How many institutes will it pay for?", "It was given $60 billion.", False),
        ("How many institutes will it pay for?", "It pays for three institutes and was given $60 billion.", True),
        ("How many hectares is it?", "It covers 87 hectares.", True),
        ("How many dollars were spent?", "It was given $60 billion.", True),
        ("How many are new?", "About 40% are new.", True),
        ("How many boats sailed?", "Only a few sailed.", True),
        ("How many boats sailed?", "One of the boats sailed for $60.", False),
        ("幾多座大樓落成？", "大樓已經落成。", False),
        ("有幾間大學？", "撥款600億元。", False),
        ("有幾間大學？", "共有八間大學。", True),
    ],
)
def test_sums_count_no_things(question: str, text: str, expected: bool) -> None:
    assert may_answer(text, question, expected_type(question)) is expected
