from __future__ import annotations

import random
import sqlite3

import numpy as np
import pytest

from index.search.postings import Postings, PostingsWriter, best_places

WORDS = [f"w{number}" for number in range(60)]


@pytest.fixture(scope="module")
def texts() -> list[list[str]]:
    chance = random.Random(1)
    weights = [1 / (rank + 1) for rank in range(len(WORDS))]
    return [chance.choices(WORDS, weights, k=chance.randrange(300)) for _ in range(400)]


@pytest.fixture(scope="module")
def connection(texts: list[list[str]]) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE word USING fts5(body)")
    connection.executemany("INSERT INTO word VALUES (?)", [(" ".join(text),) for text in texts])
    writer = PostingsWriter()
    for text in texts:
        writer.add(text)
    writer.write(connection)
    return connection


@pytest.fixture
def postings(connection: sqlite3.Connection) -> Postings:
    return Postings(lambda statement, values: connection.execute(statement, values).fetchall())


@pytest.mark.parametrize("asked", [["w0"], ["w59"], ["w3", "w40", "w0"], ["w5", "nowhere", "w6"], WORDS])
def test_scores_are_those_of_fts5(connection: sqlite3.Connection, postings: Postings, asked: list[str]) -> None:
    rows = connection.execute(
        "SELECT rowid, -bm25(word) FROM word WHERE word MATCH ?", (" OR ".join(f'"{word}"' for word in asked),)
    )
    expected = np.zeros(400)
    for number, score in rows:
        expected[number - 1] = score
    assert postings.scores(asked) == pytest.approx(expected, rel=1e-9)


def test_a_word_is_counted_once_a_chunk(texts: list[list[str]], postings: Postings) -> None:
    assert postings.frequencies(["w0", "nowhere"]) == {"w0": sum("w0" in text for text in texts)}
    assert postings.words_between("w5", "w6") == ["w5", *(f"w5{digit}" for digit in range(10))]


def test_the_best_places_come_in_order() -> None:
    scores = np.array([0.0, 2.0, 5.0, 2.0, 0.0, 2.0, 1.0])
    assert best_places(scores, 3).tolist() == [2, 1, 3]
    assert best_places(scores, 100).tolist() == [2, 1, 3, 5, 6]
    assert best_places(np.zeros(4), 2).tolist() == []
    assert best_places(np.zeros(0), 2).tolist() == []


def test_a_word_may_stand_more_often_than_a_byte_counts() -> None:
    connection = sqlite3.connect(":memory:")
    writer = PostingsWriter()
    for text in (["often"] * 1_000, ["other"], ["other", "often"], []):
        writer.add(text)
    writer.write(connection)
    postings = Postings(lambda statement, values: connection.execute(statement, values).fetchall())
    assert np.flatnonzero(postings.scores(["often"])).tolist() == [0, 2]
