from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answer.answer import (
    Answer,
    Citation,
    Provenance,
    Refusal,
    Statement,
    escape_markup,
    marker_numbers,
    render_text,
)

PROVENANCE = Provenance(
    version="1",
    index_fingerprint="f",
    embedding_model="m",
    answerer="extractive",
    language_model=None,
    prompts_hash="p",
)
CITATION = Citation(number=1, document_id="a", title="A", page=None, start=0, end=3, quote="Yes")
STATEMENT = Statement(text="Yes", citations=(1,), support="quoted")


def make(**changes: object) -> Answer:
    values: dict[str, object] = {
        "id": "q",
        "kind": "answer",
        "question": "?",
        "standalone_question": "?",
        "text": "Yes [1]",
        "refusal": None,
        "statements": (STATEMENT,),
        "citations": (CITATION,),
        "retrieved": (),
        "confidence": 0.5,
        "timings_ms": {"total": 1.0},
        "provenance": PROVENANCE,
    }
    return Answer(**{**values, **changes})


@given(text=st.text(alphabet="ab[]0123456789 ［］", max_size=60))
def test_escaped_text_holds_no_marker(text: str) -> None:
    assert marker_numbers(escape_markup(text)) == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("![status](https://a.example/log)", "!［status］(https://a.example/log)"),
        ("see [here](https://a.example)", "see [here］(https://a.example)"),
        ("[a]: https://a.example", "[a］: https://a.example"),
        ('<img src="x">', '＜img src="x">'),
        ("</p><!-- x -->", "＜/p>＜!-- x -->"),
        ("below 5 < 6, item [b], see [3]", "below 5 < 6, item [b], see ［3］"),
        ("https://a.example/form", "https://a.example/form"),
    ],
)
def test_nothing_in_an_answer_is_markup(text: str, shown: str) -> None:
    assert escape_markup(text) == shown
    assert escape_markup(shown) == shown
    assert unicodedata.normalize("NFKC", shown) == text


@given(
    statements=st.lists(
        st.tuples(st.text(max_size=40), st.lists(st.integers(1, 99), min_size=1, max_size=4, unique=True)),
        min_size=1,
        max_size=5,
    )
)
def test_markers_of_a_rendered_text_are_those_of_its_statements(statements: list[tuple[str, list[int]]]) -> None:
    made = tuple(
        Statement(text=escape_markup(text), citations=tuple(numbers), support="quoted") for text, numbers in statements
    )
    assert marker_numbers(render_text(made)) == [number for statement in made for number in statement.citations]


def test_an_answer_survives_json() -> None:
    answer = make()
    assert Answer.model_validate_json(answer.model_dump_json()) == answer


@pytest.mark.parametrize(
    "changes",
    [
        {"text": "Yes [1] [2]"},  # a marker without a citation
        {"text": "Yes"},  # a citation that nothing points to
        {"citations": (CITATION, CITATION)},
        {"kind": "refusal"},
        {"refusal": Refusal(reason="not_in_documents", message="no")},
        {"kind": "small_talk"},
        {"statements": (), "citations": (), "text": "Yes"},
        {"kind": "refusal", "refusal": Refusal(reason="not_in_documents", message="no")},  # with citations
        {"confidence": 1.5},
    ],
)
def test_an_answer_that_breaks_a_rule_cannot_be_made(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        make(**changes)


def test_a_citation_must_be_as_long_as_its_span() -> None:
    with pytest.raises(ValueError, match="spans 0:4 but quotes 3"):
        Citation(number=1, document_id="a", title="A", page=None, start=0, end=4, quote="Yes")
