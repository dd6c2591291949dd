from __future__ import annotations

import pytest

from bot.stages.checking.contradiction import find_contradiction


@pytest.mark.parametrize(
    ("said", "otherwise", "question", "values"),
    [
        (
            "HK$1 billion is reserved for the institute.",
            "HK$2 billion is reserved for the institute.",
            "How much is reserved for the institute?",
            ("HK$1 billion", "HK$2 billion"),
        ),
        (
            "The fourth season of Chicago Fire contains 23 episodes.",
            "The fourth season of the popular drama series, Chicago Fire, contains a total of 24 episodes.",
            "How many episodes are in Chicago Fire season 4?",
            ("23", "24"),
        ),
        (
            "The popular drama series Chicago Fire has 24 episodes in its fourth season.",
            "Chicago Fire has 23 episodes in its fourth season.",
            "How many episodes are in Chicago Fire season 4?",
            ("24", "23"),
        ),
        (
            "Cedar Bridge has 134 seats for visitors.",
            "Cedar Bridge offers 147 seats.",
            "How many seats does Cedar Bridge have?",
            ("134", "147"),
        ),
        (
            "The pier was built in 1900 by the city.",
            "The city built the pier in 1913.",
            "When was it?",
            ("1900", "1913"),
        ),
        ("The pier opened on 3 May 1972.", "The pier opened on 4 May 1972.", "When did it open?", ("3 May", "4 May")),
        (
            "The first ferry leaves Mui Wo at 5:55 am.",
            "The first ferry leaves Mui Wo at 6:10 am.",
            "When does the first ferry leave?",
            ("5:55", "6:10"),
        ),
        (
            "The park is managed by Alice Wong for the city.",
            "The park is managed by Bob Chan for the city.",
            "Who manages the park?",
            ("Alice Wong", "Bob Chan"),
        ),
        (
            "香港人工智能研究院獲預留十億元撥款。",
            "香港人工智能研究院獲預留二十億元撥款。",
            "人工智能研究院獲預留多少撥款？",
            ("十億元", "二十億元"),
        ),
        (
            "Dogs are allowed on the upper deck of the ferry.",
            "Dogs are not allowed on the upper deck of the ferry.",
            "Are dogs allowed on the ferry?",
            ("", ""),
        ),
        (
            "Children must apply before 5 May at the office.",
            "Children must apply after 5 May at the office.",
            "When must children apply?",
            ("", ""),
        ),
    ],
)
def test_another_value_for_the_same_thing_is_found(
    said: str, otherwise: str, question: str, values: tuple[str, str]
) -> None:
    found = find_contradiction(said, otherwise, question)
    assert found is not None
    assert found.said.startswith(values[0])
    assert found.otherwise.startswith(values[1])


@pytest.mark.parametrize(
    ("said", "otherwise", "question"),
    [
        ("In 2019 a ticket cost $10 on weekdays.", "A ticket costs $12 on weekdays.", "What does a ticket cost?"),
        ("The library lends about 41,000 books.", "The library lends 41,235 books.", "How many books are lent?"),
        ("A ticket costs $17 on weekdays.", "A ticket costs $25 on Sundays.", "What does a ticket cost?"),
        ("At least 5 guests fit on the ferry.", "On the ferry fit 8 guests.", "How many guests fit?"),
        ("Alice Wong attended the council meeting.", "Bob Chan attended the council meeting.", "Who attended?"),
        ("The ferry carries 200 guests.", "The ferry carries 200 guests and 12 crew members.", "How many guests?"),
        ("The ferry carries 200 guests to Mui Wo.", "The bus carries 60 guests to Tai O.", "How many guests?"),
        ("The old ferry carries 200 guests.", "The new ferry, the Swan, carries 300 guests.", "How many guests?"),
        ("The ferry has 20 seats.", "The upper deck of the ferry has 8 seats.", "How many seats has the ferry?"),
        ("Victoria Park has 20 benches.", "Victoria Park East has 12 benches.", "How many benches has Victoria Park?"),
        ("Mill S has 20 seats for visitors.", "Mill N has 12 seats for visitors.", "How many seats has the mill?"),
        ("The fine is $500.", "The fine is five hundred dollars.", "How much is the fine?"),
        ("Dogs are allowed on the ferry to Mui Wo.", "Cats are not allowed on the ferry.", "Are dogs allowed?"),
        ("The pier was built in 1972.", "The pier was built and opened in 1972.", "When was it built?"),
        ("The rule holds in 2023 for 3 schools.", "The rule holds in 2024 for 5 schools.", "How many schools?"),
    ],
)
def test_what_may_both_be_true_is_no_contradiction(said: str, otherwise: str, question: str) -> None:
    assert find_contradiction(said, otherwise, question) is None
    assert find_contradiction(otherwise, said, question) is None
