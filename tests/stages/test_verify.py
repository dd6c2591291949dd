from __future__ import annotations

from collections.abc import Sequence

import pytest

from bot.answer.draft import Draft, Footnotes
from bot.stages.checking.verification import check_statement, verify_draft
from index.document import Document, Span

_TEXT = (
    "The park opened in 2019. It cost HK$1 billion. Maria Lopez designed it [3]. "
    "The hall is not open. Seven trees stand by the gate."
)
_DOCUMENT = Document("park.txt", "Sunny Park", _TEXT, "text/plain", "0")
_PLACES = [(_DOCUMENT, Span(_TEXT.index(start), _TEXT.index(end) + len(end))) for start, end in (
    ("The park", "2019."), ("It cost", "billion."), ("Maria", "[3]."), ("The hall", "not open."), ("Seven", "gate."),
)]  # fmt: skip


def _yes(statement: str, sources: Sequence[str]) -> float:
    del statement, sources
    return 9.0


def _no(statement: str, sources: Sequence[str]) -> float:
    return -_yes(statement, sources)


def test_a_shortened_quote_passes_without_a_model() -> None:
    verified = verify_draft(Draft("The park opened in 2019", (_PLACES[0],), "supported"), Footnotes(), support_odds=_no)
    assert verified is not None
    assert (verified.outcome, verified.statement.support) == ("as_written", "supported")
    assert [citation.quote for citation in verified.citations] == ["The park opened in 2019."]


def test_an_exact_quote_is_a_quote() -> None:
    verified = verify_draft(Draft("Maria Lopez designed it ［3］.", (_PLACES[2],), "quoted"), Footnotes())
    assert verified is not None
    assert (verified.outcome, verified.statement.support) == ("as_written", "quoted")


@pytest.mark.parametrize(("opinion", "outcome"), [(_yes, "as_written"), (_no, "quoted"), (None, "quoted")])
def test_another_order_is_for_the_model(opinion: object, outcome: str) -> None:
    draft = Draft("In 2019 the park opened.", (_PLACES[0],), "supported")
    verified = verify_draft(draft, Footnotes(), support_odds=opinion)  # type: ignore[arg-type]
    assert verified is not None
    assert verified.outcome == outcome


def test_no_model_passes_a_word_that_stands_nowhere() -> None:
    draft = Draft("In 2019 the park opened for cyclists.", (_PLACES[0],), "supported")
    verified = verify_draft(draft, Footnotes(), alternatives=_PLACES, support_odds=_yes)
    assert verified is not None
    assert (verified.outcome, verified.statement.text) == ("quoted", "The park opened in 2019.")


def test_a_repair_cites_the_smallest_set_that_states_everything() -> None:
    draft = Draft("It cost HK$1bn.", (_PLACES[0],), "supported")
    verified = verify_draft(draft, Footnotes(), alternatives=_PLACES)
    assert verified is not None
    assert verified.outcome == "repaired"
    assert [citation.quote for citation in verified.citations] == ["It cost HK$1 billion."]
    assert verified.citations[0].number == 1  # the place that was dropped took no number


def test_what_no_place_states_is_replaced_by_the_quote() -> None:
    draft = Draft("The hall is open.", (_PLACES[3],), "supported")
    verified = verify_draft(draft, Footnotes(), alternatives=_PLACES, support_odds=_yes)
    assert verified is not None
    assert (verified.outcome, verified.statement.text) == ("quoted", "The hall is not open.")
    assert verified.statement.support == "quoted"


def test_nothing_is_shown_without_a_place() -> None:
    assert verify_draft(Draft("The park opened.", (), "supported"), Footnotes(), support_odds=_yes) is None
    assert not check_statement("The park opened.", [" "], support_odds=_yes).passed


def test_problems_are_named_in_plain_words() -> None:
    verdict = check_statement("21 trees stand by the gate.", ["Seven trees stand by the gate."], support_odds=_yes)
    assert verdict.problems == ("the number 21 is not in the cited sentences",)
    assert (verdict.passed, verdict.by) == (False, "words")


def test_the_context_names_the_subject() -> None:
    sources = ["It opened in 2019."]
    assert not check_statement("Sunny Park opened in 2019.", sources, support_odds=_yes).passed
    assert check_statement("Sunny Park opened in 2019.", sources, ["Sunny Park"], _yes).passed


def test_places_that_say_nothing_of_it_are_not_cited() -> None:
    draft = Draft("It cost HK$1bn.", tuple(_PLACES), "supported")
    verified = verify_draft(draft, Footnotes())
    assert verified is not None
    assert [citation.quote for citation in verified.citations] == ["It cost HK$1 billion."]


def test_a_statement_that_cites_nothing_gets_the_place_that_states_it_or_is_dropped() -> None:
    found = verify_draft(Draft("It cost HK$1bn.", (), "supported"), Footnotes(), alternatives=_PLACES)
    assert found is not None
    assert [citation.quote for citation in found.citations] == ["It cost HK$1 billion."]
    assert verify_draft(Draft("It cost HK$2bn.", (), "supported"), Footnotes(), alternatives=_PLACES) is None


def test_a_quote_that_is_not_one_becomes_what_its_place_says() -> None:
    verified = verify_draft(Draft("It cost HK$2 billion.", (_PLACES[1],), "quoted"), Footnotes())
    assert verified is not None
    assert verified.statement.text == "It cost HK$1 billion."
