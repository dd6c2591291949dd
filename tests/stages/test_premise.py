from __future__ import annotations

import pytest

from bot.stages.evidence.ranking import ScoredSentence
from bot.stages.evidence.selection import Features, Sentence
from bot.stages.judgement.premises import contradicted_premise
from bot.text.facts import missing_facts
from index.document import Chunk, Span


def _ranked(*sentences: str, coverage: float = 0.8) -> list[ScoredSentence]:
    features = Features(0.5, 0.0, 0.5, coverage, 0.0, 0.0, 0.5, 1.0, 0.5, 0.5, 1.0)
    found = []
    for sentence in sentences:
        span = Span(0, len(sentence))
        chunk = Chunk("a.txt:0", "a.txt", 0, span, sentence, "Ferries", (span,))
        found.append(ScoredSentence(Sentence(chunk, span, sentence, features, frozenset()), 0.5))
    return found


@pytest.mark.parametrize(
    ("question", "sentence", "premise"),
    [
        ("Why does the ferry carry 300 guests?", "The ferry carries 200 guests.", "300"),
        ("Why was the fare cut to $5?", "The fare was cut to $8.", "$5"),
        ("Who built the pier in 1974?", "The pier was built in 1972 by the city.", "1974"),
        ("Why does the ferry sail from east to west?", "The ferry sails from west to east.", "from east to west"),
        ("Why are dogs not allowed on the ferry?", "Dogs are allowed on the ferry.", "not allowed"),
    ],
)
def test_what_the_documents_contradict_is_named(question: str, sentence: str, premise: str) -> None:
    found = contradicted_premise(question, _ranked(sentence))
    assert found is not None
    assert premise in found.text
    assert found.sentence.sentence.text == sentence


@pytest.mark.parametrize(
    ("question", "sentences"),
    [
        ("Why does the ferry carry 200 guests?", ["The ferry carries 200 guests."]),
        ("Why does the ferry carry 300 guests?", ["The ferry carries 200 guests.", "The new one carries 300 guests."]),
        ("What is the maximum number of guests?", ["The ferry carries 200 guests."]),
        ("Who was the first guest of the ferry?", ["The ferry carries 200 guests."]),
        ("How many guests come before noon?", ["The ferry carries 200 guests."]),
        ("Who is not allowed on the ferry?", ["Dogs are allowed on the ferry."]),
        ("Why is there no ferry at night?", ["The pier was built by the city."]),
        ("Does the ferry carry 300 guests?", ["The ferry carries 200 guests."]),
        ("What are the top 10 piers?", ["The pier is open for 8 hours."]),
        ("Which schools closed in March 2024?", ["The city has closed a pier, which opens again in May 2025."]),
        ("Who steers the ferry?", ["The ferry carries 200 guests."]),
        ("How does the bus go from east to west?", ["The ferry sails from west to east, the bus from east to west."]),
    ],
)
def test_what_they_say_or_leave_open_is_not(question: str, sentences: list[str]) -> None:
    assert contradicted_premise(question, _ranked(*sentences)) is None


def test_a_sentence_about_something_else_contradicts_nothing() -> None:
    assert (
        contradicted_premise(
            "Why does the bus carry 300 guests?", _ranked("The ferry carries 200 guests.", coverage=0.2)
        )
        is None
    )


def test_a_way_that_is_turned_round_is_a_fact_that_is_missing() -> None:
    assert missing_facts("It flows from south to north.", ["The river flows from north to south."])
    assert missing_facts("河水由南至北流。", ["河水由北至南流。"])
    assert not missing_facts("It flows from north to south.", ["The river flows from the north to the south."])
