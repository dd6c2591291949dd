from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text.dates import read_dates
from bot.text.facts import missing_facts
from bot.text.quantity import read_quantities
from bot.text.times import read_times
from bot.text.word_order import is_shortened_quote, new_words


@pytest.mark.parametrize(
    ("statement", "source"),
    [
        ("It got HK$1bn.", "It got HK$1 billion."),
        ("It got 1,000,000,000 Hong Kong dollars.", "It got HK$1 billion."),
        ("獲撥10億元。", "獲撥十億港元。"),
        ("获拨10亿元。", "獲撥十億港元。"),
        ("It got $60 billion.", "It got HK$60 billion."),
        ("They planted 2,300 trees.", "They planted two thousand three hundred trees."),
        ("It took 2.5 million years.", "It took two and a half million years."),
        ("About 5% agreed.", "About five per cent agreed."),
        ("有5%的人同意。", "有百分之五的人同意。"),
        ("收入為41,000元。", "收入為四萬一千元。"),
        ("會議進行了30分鐘。", "會議進行了三十分鐘。"),
        ("萬一下雨，唯一的會議有十分重要的3項議題。", "萬一下雨，唯一的會議有十分重要的三項議題。"),
        ("In 1997 it closed.", "In nineteen ninety-seven it closed."),
        ("The 3rd phase began.", "The third phase began."),
        ("It was signed on 16 April 2025.", "It was signed on 16/04/2025."),
        ("It was signed in April 2025.", "It was signed on 2025-04-16."),
        ("It was signed on Wednesday.", "It was signed on 2025-04-16."),
        ("Alice wrote on 8 January 2026 at 8:38.", "Time: 20260108_08:38 Alice wrote."),
        ("它於2025年4月簽署。", "它於二〇二五年四月十六日簽署。"),
        ("It starts at 17:30.", "It starts at 5:30 pm."),
        ("會議於15:30舉行。", "會議於下午三時半舉行。"),
        ("LiHua met Prof. Sun.", "Li Hua met Professor Sun."),
        ("The AI park grew.", "The Artificial Intelligence park grew."),
        ("Zurich's mayor spoke.", "The mayor of Zürich spoke."),
        ("It isn't open.", "It is not open."),
        ("From 5 to 10 million people came.", "5-10 million people came."),
    ],
)
def test_what_is_spelled_otherwise_is_stated(statement: str, source: str) -> None:
    assert missing_facts(statement, [source]) == []


@pytest.mark.parametrize(
    ("statement", "source", "kind"),
    [
        ("It got US$1 billion.", "It got HK$1 billion.", "number"),
        ("It got HK$1 million.", "It got HK$1 billion.", "number"),
        ("It has three campuses.", "It has eight campuses and three libraries.", "number"),
        ("It lasted two weeks.", "It lasted two days.", "number"),
        ("One phase is planned.", "Two phases are planned by a firm.", "new"),
        ("It was signed on 16 May 2025.", "It was signed on 16 April 2025.", "date"),
        ("It happened this year.", "It happened last year.", "date"),
        ("It starts at 5:30 am.", "It starts at 5:30 pm.", "time"),
        ("Bob left.", "Alice left.", "name"),
        ("「藍天計劃」獲撥款。", "「海藍計劃」獲撥款。", "name"),
        ("The school is not open.", "The park is not open but the school is open.", "negation"),
        ("The plan has risk.", "The plan is without risk.", "lost negation"),
        ("研究院有收到投訴。", "研究院沒有收到投訴。", "lost negation"),
        ("It holds at most 60 cars.", "It holds at least 60 cars.", "comparison"),
        ("It holds 60 cars.", "It holds up to 60 cars.", "lost comparison"),
        ("All members agreed.", "Members agreed.", "comparison"),
        ("It used COVID-20 tests.", "It used COVID-19 tests.", "number"),
    ],
)
def test_what_is_not_stated_is_named(statement: str, source: str, kind: str) -> None:
    kinds = {fact.kind for fact in missing_facts(statement, [source])}
    assert kind in kinds or (kind == "new" and not is_shortened_quote(statement, [source]))


def test_context_supplies_names_and_nothing_else() -> None:
    assert missing_facts("Sun Dong left.", ["He left."], ["Where is Sun Dong?"]) == []
    assert missing_facts("He left in 2020.", ["He left."], ["Did he leave in 2020?"]) != []


@pytest.mark.parametrize(
    ("statement", "source", "expected"),
    [
        (
            "The first eight buildings are ready.",
            "The first eight buildings at the park are ready, says the city.",
            True,
        ),
        ("Ann left.", "Ann said that Ben left.", False),
        ("The president resigned.", "The vice president resigned.", False),
        ("The drug cures colds.", "The drug may cure colds.", False),
        ("The park is open.", "The park is open if it is dry.", False),
        ("總統辭職。", "副總統辭職。", False),
        ("研究院獲撥款10億元。", "研究院獲撥款十億元，明年啟用。", True),
        ("Ben hit Ann.", "Ann hit Ben.", False),
    ],
)
def test_only_harmless_words_may_fall_out_of_a_quote(statement: str, source: str, *, expected: bool) -> None:
    assert is_shortened_quote(statement, [source]) is expected


def test_new_words_are_those_that_stand_nowhere() -> None:
    assert new_words("The park opens gladly.", ["The park is open."], ["opening"]) == ["gladly"]


@given(text=st.text(max_size=120))
def test_any_text_states_itself(text: str) -> None:
    assert missing_facts(text, [text]) == []
    for one in (*read_quantities(text), *read_dates(text), *read_times(text)):
        assert 0 <= one.span.start < one.span.end <= len(text)


_PIECES = (
    "1 2.5 % HK$ million 億 三 年 月 日 not 不 at least before Sun Dong May 16 / - : 2025 am eight a half , . \n".split(
        " "
    )
)


@given(pieces=st.lists(st.sampled_from(_PIECES), max_size=14), space=st.sampled_from(["", " "]))
def test_any_mixture_states_itself(pieces: list[str], space: str) -> None:
    text = space.join(pieces)
    assert missing_facts(text, [text]) == []
