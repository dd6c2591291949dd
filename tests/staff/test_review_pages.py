"""The desk without a browser: the queue, an answer, verdicts, picked passages, outcomes, and who may not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.staff.review.verdicts import verdicts_of
from bot.storage.answer_changes import check_passage, compare_answers
from bot.storage.answers import AnswerRecords
from bot.storage.audit import audit_entries
from bot.web.page.links import encode_id
from bot.web.page.render_html import stored_offset, visible
from bot.web.staff.review_source import pick_selection
from eval.suites.suite import load_suite
from index.document import Document, Span
from tests.browser.scripted import DOCUMENTS, FARE, FERRY, HOSTILE_ID, REPORT, ScriptedChatbot
from tests.support.review_items import given, record, refused
from tests.support.staff_site import Browser, StaffSite

SECRET = "secret harbour word"


@pytest.fixture
def records(tmp_path: Path) -> Iterator[AnswerRecords]:
    with closing(AnswerRecords(f"sqlite:///{tmp_path / 'footnote.db'}", sample=0.0)) as records:
        yield records


@pytest.fixture
def site(records: AnswerRecords, tmp_path: Path) -> StaffSite:
    chatbot = ScriptedChatbot()
    chatbot.settings = chatbot.settings.model_copy(update={"data_dir": tmp_path})
    record(records, given(1, confidence=0.5), dropped=("It is free.",))
    record(records, refused(2, confidence=0.3))
    return StaffSite(chatbot, records)


@pytest.fixture
def stefan(site: StaffSite) -> Browser:
    return site.browser("stefan")


FIRST, REFUSAL = f"/staff/review/{1:032x}", f"/staff/review/{2:032x}"


def test_only_staff_see_the_queue(site: StaffSite, stefan: Browser) -> None:
    for path in ("/staff/review", FIRST, f"/staff/review/source/{encode_id(FERRY)}", "/staff/golden"):
        stranger = site.browser().get(path)
        assert stranger.status_code == 303
        assert "fare" not in stranger.text
    eve = site.browser("eve")
    assert eve.get("/staff/review").status_code == 403
    assert eve.get(FIRST).status_code == 403
    assert eve.get("/staff/golden").status_code == 200
    assert eve.send(f"{FIRST}/verdict", verdict="right").status_code == 403
    assert stefan.client.post(f"{FIRST}/verdict", data={"verdict": "right"}).status_code == 403  # no token
    assert stefan.get("/staff/review/none").status_code == 404


def test_the_queue_shows_why(stefan: Browser) -> None:
    page = stefan.get("/staff/review").text
    assert page.index("What is the fare?") < page.index("Who is the captain?")
    assert "Statement dropped" in page
    assert "Who is the captain?" not in stefan.get("/staff/review?kind=answer").text
    assert "No answers here." in stefan.get("/staff/review?words=zebra&page=7").text
    for odd in ("state=x", "reason=x", "since=x", "page=-1", "page=99999999999", "words=%00"):
        assert stefan.get(f"/staff/review?{odd}").status_code == 200, odd


def test_an_answer_is_taken_judged_and_made_golden(
    site: StaffSite, stefan: Browser, records: AnswerRecords, tmp_path: Path
) -> None:
    taken = stefan.send("/staff/review/next?kind=answer")
    assert taken.headers["location"] == f"{FIRST}?kind=answer"
    assert "stefan is checking this" in site.browser("anna").get(FIRST).text
    assert site.browser("anna").send(f"{FIRST}/verdict", verdict="right").status_code == 400
    page = stefan.get(FIRST).text
    assert "It is free." in page
    assert "page 1" in page
    start = REPORT.index(FARE)
    picked = stefan.send(
        f"/staff/review/source/{encode_id(FERRY)}",
        first=str(start),
        start="4",
        last=str(start),
        end="24",
        seen="fare for\nadults is H",
    )
    assert picked.json()["quote"] == "fare for adults is H"
    assert picked.json()["place"].endswith("page 1")
    field = picked.json()["passage"]
    saved = stefan.send(
        f"{FIRST}/verdict?kind=answer",
        verdict="incomplete",
        comment=" So. ",
        passage=field,
        **{"citation-1": "supports", "citation-2": "partly"},
    )
    assert saved.headers["location"] == f"{FIRST}?kind=answer&saved=verdict"
    (verdict,) = verdicts_of(records.engine, f"{1:032x}")
    assert verdict.assessment.citations == {1: "supports", 2: "partly"}
    assert verdict.assessment.comment == "So."
    assert verdict.assessment.passages[0].quote == "fare for adults is H"
    assert stefan.send(f"{FIRST}/golden", expect="8.20").headers["location"] == f"{FIRST}?saved=golden"
    (question,) = load_suite(tmp_path / "suites" / "staff.yaml").questions
    assert question.expect == (("8.20",),)
    assert "In the suite" in stefan.get("/staff/golden").text
    assert 'Golden question, In the suite: <span translate="no">what-is-the-fare-00000000' in stefan.get(FIRST).text


def test_the_same_verdict_pressed_twice_is_kept_once(stefan: Browser, records: AnswerRecords) -> None:
    for _ in range(2):
        saved = stefan.send(f"{FIRST}/verdict", verdict="wrong", comment="So.", shown="0", **{"citation-1": "partly"})
        assert saved.headers["location"] == f"{FIRST}?saved=verdict"
    (verdict,) = verdicts_of(records.engine, f"{1:032x}")
    with records.engine.connect() as connection:
        assert len(list(audit_entries(connection, action="review.judge", limit=9))) == 1
    again = {"verdict": "wrong", "comment": "So!", "shown": str(verdict.id), "citation-1": "partly"}
    assert stefan.send(f"{FIRST}/verdict", **again).status_code == 303
    assert len(verdicts_of(records.engine, f"{1:032x}")) == 2


def test_a_second_window_overrides_no_verdict_unasked(site: StaffSite, stefan: Browser, records: AnswerRecords) -> None:
    assert 'name="shown" id="shown" value="0"' in stefan.get(FIRST).text
    stefan.send(f"{FIRST}/verdict", verdict="right", shown="0")
    (first,) = verdicts_of(records.engine, f"{1:032x}")
    stale = {"verdict": "wrong", "comment": "Typed <here>.", "citation-1": "does_not"}
    refused = stefan.send(f"{FIRST}/verdict", shown="0", **stale)
    assert refused.status_code == 409
    assert "You have saved another verdict" in refused.text
    assert "Typed &lt;here&gt;.</textarea>" in refused.text
    assert 'name="citation-1" value="does_not" checked' in refused.text
    assert 'name="verdict" value="wrong" checked' in refused.text
    assert verdicts_of(records.engine, f"{1:032x}") == (first,)
    assert f'id="shown" value="{first.id}"' in refused.text
    assert stefan.send(f"{FIRST}/verdict", shown=str(first.id), **stale).status_code == 303
    assert [one.assessment.verdict for one in verdicts_of(records.engine, f"{1:032x}")] == ["right", "wrong"]
    # Somebody else's verdict is nothing to ask about.
    assert site.browser("anna").send(f"{FIRST}/verdict", verdict="right", shown="0").status_code == 303


def test_what_cannot_be_done_is_said(stefan: Browser) -> None:
    assert "judge the answer first" in stefan.send(f"{FIRST}/golden").text
    assert "no verdict on" in stefan.send(f"{REFUSAL}/verdict", verdict="incomplete").text
    for field in ("x", f"{encode_id(FERRY)}:0:9", f"{encode_id(FERRY)}:0:9:wrong", f"{encode_id(FERRY)}:9:0:"):
        assert stefan.send(f"{FIRST}/verdict", verdict="right", passage=field).status_code in (400, 404), field
    place = {"first": "0", "start": "0", "last": "0", "end": "7"}
    changed = stefan.send(f"/staff/review/source/{encode_id(FERRY)}", **place, seen="Ferries")
    assert (changed.status_code, "has changed" in changed.json()["fault"]) == (409, True)
    assert stefan.send(f"/staff/review/source/{encode_id('gone')}", **place, seen="x").status_code == 404


def test_nothing_in_a_text_becomes_markup(site: StaffSite, records: AnswerRecords, stefan: Browser) -> None:
    record(records, given(9, "<img src=x onerror=alert(1)> secret?", about="secret"), dropped=("<script>1</script>",))
    page = stefan.get(f"/staff/review/{9:032x}").text
    assert "<img" not in page
    assert "<script>" not in page
    assert "<img" not in stefan.get("/staff/review?state=all").text


def test_a_selection_has_its_exact_place() -> None:
    document = DOCUMENTS[HOSTILE_ID]
    line = document.text.index("![remote]")
    paragraph = document.text[line:].split("\n")[0]
    seen = visible(paragraph)
    assert seen != paragraph
    for start in range(len(seen)):
        for end in range(start + 1, len(seen) + 1):
            if seen[start:end].strip():
                passage = pick_selection(document, (line, start), (line, end), seen[start:end])
                assert visible(passage.quote) == seen[start:end].strip()
                assert passage.span.of(document.text) == passage.quote
    emoji = Document("e", "E", "One 🙂 two.\n\nThree.", "text/plain", "0")
    assert pick_selection(emoji, (0, 4), (12, 5), "🙂 two.\nThree").span == Span(4, 17)
    assert stored_offset("abc", 9) == 3


def test_then_and_today() -> None:
    then = given(1)
    same = compare_answers(then, then.model_copy(update={"id": "x"}), DOCUMENTS.get)
    assert same.same
    assert {one.state for one in same.sources} == {"unchanged"}
    other = compare_answers(then, refused(2), DOCUMENTS.get)
    assert not other.same
    assert [(one.then, one.now) for one in other.statements] == [(True, False), (True, False)]
    citation, document = then.citations[0], DOCUMENTS[FERRY]

    def changed(text: str) -> Document:
        return Document(FERRY, "t", text, "text/plain", "0")

    assert check_passage(citation, changed("New. " + document.text)).state == "moved"
    assert check_passage(citation, changed(document.text.replace("8.20", "9.00"))).state == "changed"
    assert check_passage(citation, None).state == "gone"
