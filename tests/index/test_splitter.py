from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.document import Document, Span
from index.sync.splitter import Splitter
from index.text.sentences import is_hard_wrapped, split_sentences

_SENTENCES = st.lists(
    st.sampled_from(
        [
            "The ferry leaves at 5:55 am. ",
            "The ferry leaves at 5:55 am. ",  # twice: repetitive text is where searched offsets go wrong
            "Dr. Chan paid HK$1.5 billion in No. 5 Street! ",
            "渡輪早上五時五十五分開出。",
            "票價十七元八角！",
            "\n\n",
            "\n",
            "- a list item\n",
            "a | b | c\n",
            "😀 \u200d   ",
            "word " * 90,
        ]
    ),
    max_size=40,
).map("".join)


def document(text: str) -> Document:
    return Document("a.txt", "Ferries", text, "text/plain", "0")


def by_words(text: str) -> list[int]:
    return [1] * (len(text.split()) + sum(character > "\u2e80" for character in text))


@given(text=st.one_of(_SENTENCES, st.text(max_size=400)))
@settings(max_examples=300, deadline=None)
def test_sentences_are_in_order_apart_and_leave_no_word_out(text: str) -> None:
    spans = split_sentences(text)
    assert all(span.of(text) == span.of(text).strip() != "" for span in spans)
    assert all(before.end <= after.start for before, after in pairwise(spans))
    covered = "".join(span.of(text) for span in spans)
    assert "".join(covered.split()) == "".join(text.split())


@given(text=st.one_of(_SENTENCES, st.text(max_size=400)))
@settings(max_examples=300, deadline=None)
def test_chunks_stand_where_they_say_and_cover_the_document(text: str) -> None:
    splitter = Splitter(by_words, "model", chunk_tokens=50, overlap_tokens=10)
    chunks = splitter.split(document(text))
    assert all(chunk.span.of(text) == chunk.text for chunk in chunks)
    assert all(chunk.span.contains(sentence) for chunk in chunks for sentence in chunk.sentences)
    assert all(chunk.sentence_text(sentence) == sentence.of(text) for chunk in chunks for sentence in chunk.sentences)
    assert len({chunk.chunk_id for chunk in chunks}) == len(chunks)
    covered = {place for chunk in chunks for place in range(chunk.span.start, chunk.span.end)}
    assert all(place in covered for place, character in enumerate(text) if not character.isspace())


def test_the_same_document_gives_the_same_ids_and_another_model_other_ones() -> None:
    text = "The ferry leaves at 5:55 am. " * 50
    first = [
        chunk.chunk_id for chunk in Splitter(by_words, "m", chunk_tokens=50, overlap_tokens=10).split(document(text))
    ]
    again = [
        chunk.chunk_id for chunk in Splitter(by_words, "m", chunk_tokens=50, overlap_tokens=10).split(document(text))
    ]
    other = [
        chunk.chunk_id for chunk in Splitter(by_words, "n", chunk_tokens=50, overlap_tokens=10).split(document(text))
    ]
    assert first == again
    assert not set(first) & set(other)


def test_a_chunk_repeats_whole_sentences_of_the_one_before() -> None:
    text = " ".join(f"Sentence number {number} has seven words here." for number in range(40))
    chunks = Splitter(by_words, "m", chunk_tokens=60, overlap_tokens=15).split(document(text))
    for before, after in pairwise(chunks):
        assert after.span.start < before.span.end
        assert after.text.startswith("Sentence number")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Dr. Chan paid HK$1.5 billion. It was in No. 5 Street.",
            ["Dr. Chan paid HK$1.5 billion.", "It was in No. 5 Street."],
        ),
        ("撥款多少？答案是十億。", ["撥款多少？", "答案是十億。"]),
        ("他說：「好。」然後走了。", ["他說：「好。」", "然後走了。"]),
        ("A heading\nThe text of it goes on. And on.", ["A heading", "The text of it goes on.", "And on."]),
        ("First item\n- second\n- third", ["First item", "- second", "- third"]),
    ],
)
def test_sentences_end_where_a_reader_would_end_them(text: str, expected: list[str]) -> None:
    assert [span.of(text) for span in split_sentences(text)] == expected


def test_hard_wrapped_lines_are_joined_and_paragraph_lines_are_not() -> None:
    wrapped = "\n".join(["the quick brown fox jumps over the lazy dog and then it runs away"] * 6) + ".\n\nNext."
    assert is_hard_wrapped(wrapped)
    assert len(split_sentences(wrapped)) == 2
    assert not is_hard_wrapped("A long paragraph. " * 30 + "\n" + "Another long paragraph. " * 30)


def test_spans_refuse_nonsense() -> None:
    with pytest.raises(ValueError, match="0 <= start <= end"):
        Span(3, 2)
