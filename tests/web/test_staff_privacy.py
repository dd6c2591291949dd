"""What readers can ask for: their data, and that it goes. And the audit, which says so without a word of theirs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from contextlib import closing

import pytest
from starlette.testclient import TestClient

from bot.storage.answers import AnswerRecords, Origin
from bot.storage.audit import audit
from bot.web.page.language import visitor_of
from tests.browser.scripted import ScriptedChatbot, answer, statements_for
from tests.support.staff_site import HOST, StaffSite

SECRETS = {"ann": "secret-of-ann", "ben": "secret-of-ben"}
VISITORS = {name: visitor_of({"footnote-visitor": secret}) for name, secret in SECRETS.items()}
QUESTION = "What is the fare for Mrs Wong of Lantern Island?"


@pytest.fixture
def records(database_url: str) -> Iterator[AnswerRecords]:
    with closing(AnswerRecords(database_url)) as records:
        yield records


@pytest.fixture
def site(records: AnswerRecords) -> StaffSite:
    """A site on whose record are two conversations of Ann and one of Ben, all with the same name."""
    for number, (name, conversation) in enumerate([("ann", "c1"), ("ann", "c1"), ("ann", "c2"), ("ben", "c1")]):
        given = answer(str(number) * 32, QUESTION, statements=statements_for("fare"))
        records.record(given, Origin("page", conversation, VISITORS[name]))
    return StaffSite(ScriptedChatbot(), records)


def reader(site: StaffSite, name: str) -> TestClient:
    return TestClient(site.app, base_url=HOST, cookies={"footnote-visitor": SECRETS[name]} if name else None)


def left(records: AnswerRecords) -> list[str]:
    return sorted(one.id[0] for one in records.latest())


def test_a_reader_takes_along_what_is_theirs_and_nothing_else(site: StaffSite) -> None:
    given = reader(site, "ann").get("/my-data")
    assert given.headers["content-disposition"] == 'attachment; filename="footnote-my-data.json"'
    assert given.headers["cache-control"] == "no-store"
    data = given.json()
    assert data["visitor"] == VISITORS["ann"]
    assert [one["id"][0] for one in data["answers"]] == ["0", "1", "2"]
    assert data["answers"][0]["answer"]["question"] == QUESTION
    assert reader(site, "").get("/my-data").json() == {"visitor": "", "answers": []}


def test_a_reader_deletes_what_is_theirs_and_nothing_else(site: StaffSite, records: AnswerRecords) -> None:
    assert reader(site, "").delete("/my-data").status_code == 204
    foreign = {"origin": "https://evil.example"}
    assert reader(site, "ann").delete("/my-data", headers=foreign).status_code == 403
    assert left(records) == ["0", "1", "2", "3"]
    assert reader(site, "ann").delete("/my-data").status_code == 204
    assert left(records) == ["3"]


def test_staff_delete_a_conversation_and_all_that_came_of_it(site: StaffSite, records: AnswerRecords) -> None:
    stefan = site.browser("stefan")
    page = stefan.get("/staff/privacy", params={"reference": "0" * 32}).text
    assert QUESTION in page
    assert VISITORS["ann"] in page
    done = stefan.send("/staff/privacy/conversation", answer="0" * 32)
    assert done.headers["location"] == "/staff/privacy?deleted=2"
    assert left(records) == ["2", "3"], "Ben's conversation has the same name and stays"


def test_staff_export_and_delete_one_visitors_data(site: StaffSite, records: AnswerRecords) -> None:
    stefan = site.browser("stefan")
    data = stefan.send("/staff/privacy/export", visitor=VISITORS["ann"]).json()
    assert [one["id"][0] for one in data["answers"]] == ["0", "1", "2"]
    stefan.send("/staff/privacy/visitor", visitor=VISITORS["ann"])
    assert left(records) == ["3"]
    assert stefan.send("/staff/privacy/export", visitor=VISITORS["ann"]).status_code == 400
    stefan.send("/staff/privacy/visitor", visitor="")
    assert left(records) == ["3"]


def test_the_audit_says_what_went_without_a_word_of_it(site: StaffSite) -> None:
    stefan, anna = site.browser("stefan"), site.browser("anna")
    stefan.send("/staff/privacy/export", visitor=VISITORS["ann"])
    stefan.send("/staff/privacy/conversation", answer="0" * 32)
    reader(site, "ann").delete("/my-data")
    lines = anna.get("/staff/audit/export?form=jsonl").text
    entries = [json.loads(line) for line in lines.splitlines()]
    said = [(entry["actor"], entry["action"], entry["before"] or entry["after"]) for entry in entries[:3]]
    assert said == [
        ("(reader)", "visitor.delete", {"answers": 1}),
        ("stefan", "conversation.delete", {"answers": 2}),
        ("stefan", "visitor.export", {"answers": 3}),
    ]
    assert "Wong" not in lines


def test_an_admin_filters_and_exports_the_audit(site: StaffSite) -> None:
    anna = site.browser("anna")
    anna.send("/staff/accounts/eve/role", role="staff")
    today = anna.get("/staff/audit").text
    assert "account.role" in today
    assert "evaluator" in today
    assert "There is no such entry" in anna.get("/staff/audit?actor=anna&until=2020-01-01").text
    assert anna.get("/staff/audit?since=nonsense&older=x").status_code == 200
    exported = anna.get("/staff/audit/export?action=account.role")
    rows = list(csv.DictReader(io.StringIO(exported.text.removeprefix("\ufeff"))))
    assert [(row["actor"], row["subject"], json.loads(row["after"])) for row in rows] == [
        ("anna", "eve", {"role": "staff"})
    ]


def test_an_export_runs_nothing_in_a_spreadsheet(site: StaffSite) -> None:
    with site.engine.begin() as connection:
        audit(connection, "anna", "file.retry", '=HYPERLINK("https://evil.example")')
    assert "\"'=HYPERLINK" in site.browser("anna").get("/staff/audit/export?action=file.").text


@pytest.mark.parametrize("name", ["stefan", "eve"])
def test_the_audit_is_for_admins(site: StaffSite, name: str) -> None:
    browser = site.browser(name)
    assert browser.get("/staff/audit").status_code == 403
    assert browser.get("/staff/audit/export").status_code == 403
    assert browser.send("/staff/audit").status_code in (403, 405)


def test_an_evaluator_neither_sees_nor_deletes_what_readers_asked(site: StaffSite, records: AnswerRecords) -> None:
    eve = site.browser("eve")
    assert eve.get("/staff/privacy", params={"reference": "0" * 32}).status_code == 403
    for path, fields in (
        ("conversation", {"answer": "0" * 32}),
        ("visitor", {"visitor": VISITORS["ann"]}),
        ("export", {"visitor": VISITORS["ann"]}),
    ):
        assert eve.send(f"/staff/privacy/{path}", **fields).status_code == 403
    assert left(records) == ["0", "1", "2", "3"]
