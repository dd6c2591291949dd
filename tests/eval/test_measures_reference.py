"""Our measures against other people's: `ir_measures` for retrieval, the published rules of SQuAD for short answers."""

from __future__ import annotations

import random
import re
import string
from collections import Counter

import ir_measures
import pytest
from ir_measures import RR, Qrel, R, ScoredDoc, Success, nDCG

from bot.answer.answer import Answer, Provenance, Refusal, RetrievedEntry
from eval.benchmarks.sets.set_measures import answer_words, same_words, token_f1
from eval.measures.answered import AnsweredQuestion
from eval.measures.evidence_found import ndcg_at_k, recall_at_k, reciprocal_rank, success_at_k
from eval.suites.golden import GoldenQuestion

# A document cut into twenty chunks of five characters, each with words of its own.
CHUNKS = [f"{number:04d} " for number in range(20)]
TEXT = "".join(CHUNKS)
PROVENANCE = Provenance(
    version="0",
    index_fingerprint="f",
    embedding_model="e",
    answerer="extractive",
    language_model=None,
    prompts_hash="p",
)


def ask(relevant: list[int], retrieved: list[int]) -> AnsweredQuestion:
    """Return a question whose evidence items are whole chunks, with the ranked chunks that were retrieved for it."""
    evidence = [{"any_of": [{"document_id": "a", "quote": CHUNKS[one].strip()}]} for one in relevant]
    entries = [
        RetrievedEntry(chunk_id=str(one), document_id="a", start=5 * one, end=5 * one + 5, rank=rank, score=0.5)
        for rank, one in enumerate(retrieved, start=1)
    ]
    answer = Answer(
        id="q",
        kind="refusal",
        question="?",
        standalone_question="?",
        text="No.",
        refusal=Refusal(reason="not_in_documents", message="No.", nearest=()),
        statements=(),
        citations=(),
        retrieved=tuple(entries),
        confidence=0,
        timings_ms={},
        provenance=PROVENANCE,
    )
    question = GoldenQuestion.model_validate({"id": "q", "question": "?", "evidence": evidence})
    return AnsweredQuestion(question, answer, {"a": TEXT}.get)


@pytest.mark.parametrize("seed", range(40))
def test_retrieval_measures_equal_those_of_ir_measures(seed: int) -> None:
    chance = random.Random(seed)
    relevant = chance.sample(range(20), chance.randint(1, 6))
    retrieved = chance.sample(range(20), chance.randint(1, 20))
    k = chance.randint(1, 12)
    judgements = [Qrel("q", str(one), 1) for one in relevant]
    run = [ScoredDoc("q", str(one), 100 - rank) for rank, one in enumerate(retrieved)]
    theirs = ir_measures.calc_aggregate([nDCG @ k, R @ k, RR, Success @ k], judgements, run)
    asked = ask(relevant, retrieved)
    assert ndcg_at_k(asked, k) == pytest.approx(theirs[nDCG @ k], abs=1e-9)
    assert recall_at_k(asked, k) == pytest.approx(theirs[R @ k], abs=1e-9)
    assert reciprocal_rank(asked) == pytest.approx(theirs[RR], abs=1e-9)
    assert success_at_k(asked, k) == pytest.approx(theirs[Success @ k], abs=1e-9)


def squad_words(text: str) -> list[str]:
    """Return the words that SQuAD compares, as its paper describes: "ignores punctuations and articles (a, an, the)".

    Lower case; the 32 ASCII punctuation marks fall out without leaving a gap; then whole words that are articles go.
    """
    kept = "".join(letter for letter in text.lower() if letter not in set(string.punctuation))
    parts = re.split(r"(\W+)", kept)
    return "".join(" " if part in {"a", "an", "the"} else part for part in parts).split()


def squad_f1(said: list[str], gold: list[str]) -> float:
    """Return the harmonic mean of precision and recall of a bag of words; without words only the same will do."""
    if not said or not gold:
        return 1.0 if said == gold else 0.0
    left = Counter(gold)
    shared = 0
    for word in said:
        if left[word]:
            left[word] -= 1
            shared += 1
    if not shared:
        return 0.0
    precision, recall = shared / len(said), shared / len(gold)
    return 2 * precision * recall / (precision + recall)


@pytest.mark.parametrize(
    ("said", "gold", "f1", "same"),
    [
        ("The Eiffel Tower", "Eiffel tower.", 1, 1),
        ("in the year 1990", "1990", 2 * (1 / 3) / (1 / 3 + 1), 0),  # three words, one of them right
        ("a, an; the!", "", 1, 1),  # nothing left of either
        ("", "Paris", 0, 0),
        ("London", "Paris", 0, 0),
        ("U.S.A.", "usa", 1, 1),  # points fall out, and leave no gap
        ("well-known", "well known", 0, 0),  # so does the hyphen: "wellknown"
        ("the the cat cat", "cat", 2 * 0.5 / 1.5, 0),  # a word is shared as often as both have it
        ("theatre", "the atre", 0, 0),  # an article is a whole word
        ("Beyoncé’s tour", "beyoncé’s", 2 * 0.5 / 1.5, 0),  # the curly apostrophe is no ASCII punctuation
    ],
)
def test_words_of_short_answers_by_hand(said: str, gold: str, f1: float, same: float) -> None:
    for words, share in ((answer_words, token_f1), (squad_words, squad_f1)):
        assert share(words(said), words(gold)) == pytest.approx(f1)
    assert same_words(answer_words(said), answer_words(gold)) == same
    assert float(squad_words(said) == squad_words(gold)) == same


PIECES = ["a", "An", "THE", "cat", "Cat's", "1,000", "1000", "$5", "U.S.", "naïve", "–", "x-ray", "€5", "a_b", "the€"]


@pytest.mark.parametrize("seed", range(200))
def test_short_answers_are_compared_as_squad_describes(seed: int) -> None:
    chance = random.Random(seed)
    said, gold = (
        chance.choice([" ", "  ", "\n"]).join(chance.choices(PIECES, k=chance.randint(0, 6))) for _ in range(2)
    )
    ours, theirs = (answer_words(said), answer_words(gold)), (squad_words(said), squad_words(gold))
    assert ours == theirs
    assert token_f1(*ours) == pytest.approx(squad_f1(*theirs), abs=1e-9)
    assert same_words(*ours) == float(theirs[0] == theirs[1])
