"""The staff's pages from outside and inside: the door, forms, roles, sessions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from bot.storage.answers import AnswerRecords
from bot.storage.audit import audit_entries
from tests.browser.scripted import ScriptedChatbot
from tests.support.staff_site import PASSWORD, StaffSite


@pytest.fixture
def records(database_url: str) -> Iterator[AnswerRecords]:
    with closing(AnswerRecords(database_url)) as records:
        yield records


@pytest.fixture
def site(records: AnswerRecords) -> StaffSite:
    return StaffSite(ScriptedChatbot(), records)


def test_without_a_session_there_is_the_login_page_and_nothing_else(site: StaffSite) -> None:
    browser = site.browser()
    assert browser.get("/staff").headers["location"] == "/staff/login"
    asked = browser.get("/staff/accounts?a=1&b=2")
    assert (asked.status_code, asked.text) == (303, "")
    assert asked.headers["location"] == "/staff/login?next=%2Fstaff%2Faccounts%3Fa%3D1%26b%3D2"
    assert browser.client.post("/staff/accounts", data={"name": "x"}).status_code == 401
    assert browser.get("/staff/login").status_code == 200
    assert browser.log_in("anna", wanted="/staff/accounts?a=1").headers["location"] == "/staff/accounts?a=1"
    assert "stefan" in browser.get("/staff/accounts").text


def test_a_form_sent_after_the_session_says_so_and_goes_on_where_it_stood(site: StaffSite) -> None:
    browser = site.browser("stefan")
    site.browser("anna").send("/staff/accounts/stefan/sessions")
    page = {"referer": "http://bot.example.org/staff/review/x?kind=answer"}
    ended = browser.client.post("/staff/review/x/verdict", data={"verdict": "right"}, headers=page)
    assert ended.status_code == 401
    assert "Your session has ended" in ended.text
    assert "nothing was saved" in ended.text
    assert 'name="next" value="/staff/review/x?kind=answer"' in ended.text
    assert "Your session has ended" in browser.get("/staff/login?ended=yes").text
    assert "Your session has ended" not in browser.get("/staff/login").text


@pytest.mark.parametrize(
    "wanted", ["https://evil.example", "//evil.example", "/staff//evil.example", "/staff/\\x", "/"]
)
def test_a_login_leads_to_our_own_pages_only(site: StaffSite, wanted: str) -> None:
    browser = site.browser()
    assert browser.log_in("anna", wanted=wanted).headers["location"] == "/staff"


@pytest.mark.parametrize("host", ["http://bot.example.org", "https://bot.example.org"])
def test_the_cookie_is_for_these_pages_alone(site: StaffSite, host: str) -> None:
    browser = site.browser(host=host)
    cookie = browser.log_in("anna").headers["set-cookie"]
    secure = host.startswith("https")
    assert cookie.startswith("__Secure-footnote-staff=" if secure else "footnote-staff=")
    for rule in ("HttpOnly", "Path=/staff", "SameSite=strict"):
        assert rule in cookie
    assert ("Secure" in cookie.split("; ", 1)[1]) == secure
    assert "Domain" not in cookie


def test_every_answer_has_the_strict_policy_and_no_cors(site: StaffSite) -> None:
    browser = site.browser("anna")
    for path in ("/staff", "/staff/accounts", "/staff/login", "/staff/nothing", "/staff/static/desk.css"):
        headers = browser.get(path, headers={"origin": "https://evil.example"}).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'; script-src 'self';" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert not [name for name in headers if name.startswith("access-control")]
        assert headers.get("cache-control") == "no-store" or path.startswith("/staff/static/")


def test_a_form_without_its_token_changes_nothing(site: StaffSite) -> None:
    added = {"name": "mallory", "role": "admin", "password": PASSWORD}
    browser = site.browser("anna")
    other = site.browser("stefan")
    for token in ("", "x" * 64, other.token()):
        assert browser.client.post("/staff/accounts", data={"token": token, **added}).status_code == 403
    header = {"x-footnote-token": browser.token()}
    foreign = {**header, "origin": "https://evil.example"}
    assert browser.client.post("/staff/accounts", data=added, headers=foreign).status_code == 403
    assert [account.name for account in site.accounts.all()] == ["anna", "eve", "stefan"]
    assert browser.client.post("/staff/accounts", data=added, headers=header).status_code == 303
    assert "mallory" in [account.name for account in site.accounts.all()]


@pytest.mark.parametrize("name", ["stefan", "eve"])
def test_only_an_admin_keeps_accounts(site: StaffSite, name: str) -> None:
    browser = site.browser(name)
    assert "/staff/accounts" not in browser.get("/staff/me").text
    assert browser.get("/staff/accounts").status_code == 403
    assert browser.send(f"/staff/accounts/{name}/role", role="admin").status_code == 403
    assert browser.send("/staff/accounts/anna/remove").status_code == 403
    assert [account.role for account in site.accounts.all()] == ["admin", "evaluator", "staff"]


def test_an_admin_keeps_accounts_and_every_change_is_on_record(site: StaffSite, records: AnswerRecords) -> None:
    browser = site.browser("anna")
    browser.send("/staff/accounts", name="zoe", role="staff", password=PASSWORD)
    browser.send("/staff/accounts/zoe/role", role="evaluator")
    browser.send("/staff/accounts/zoe/password", password="another long password")
    # The button that removes is behind a second step, which needs no script.
    before, asked = browser.get("/staff/accounts").text.split('action="/staff/accounts/zoe/remove"')
    assert before.rstrip().endswith('stays in the audit.</p>\n<form class="line" method="post"')
    assert before.rindex("<details") > before.rindex("/staff/accounts/zoe/sessions")
    assert "Yes, remove zoe" in asked
    browser.send("/staff/accounts/zoe/remove")
    assert "only admin" in browser.send("/staff/accounts/anna/remove").text
    assert "12 characters" in browser.send("/staff/accounts", name="z", role="staff", password="short").text
    with records.engine.connect() as connection:
        entries = [
            (e.actor, e.action, e.before, e.after) for e in audit_entries(connection, action="account.", limit=4)
        ]
    assert entries == [
        ("anna", "account.remove", {"role": "evaluator"}, {}),
        ("anna", "account.password", {}, {"sessions_ended": 0}),
        ("anna", "account.role", {"role": "staff"}, {"role": "evaluator"}),
        ("anna", "account.add", {}, {"role": "staff", "password": True}),
    ]


def test_a_session_ends_by_logging_out_and_with_its_account(site: StaffSite) -> None:
    browser = site.browser("stefan")
    other = site.browser("stefan")
    admin = site.browser("anna")
    token = browser.client.cookies["footnote-staff"]
    assert browser.send("/staff/logout").status_code == 303
    browser.client.cookies.set("footnote-staff", token, path="/staff")
    assert browser.get("/staff/me").status_code == 303
    assert other.get("/staff/me").status_code == 200
    admin.send("/staff/accounts/stefan/remove")
    assert other.get("/staff/me").status_code == 303


def test_a_new_password_ends_the_other_sessions(site: StaffSite) -> None:
    browser = site.browser("stefan")
    other = site.browser("stefan")
    assert browser.send("/staff/me/password", old="wrong", new="another long password").status_code == 400
    changed = browser.send("/staff/me/password", old=PASSWORD, new="another long password")
    assert changed.status_code == 303
    assert browser.get("/staff/me").status_code == 200
    assert other.get("/staff/me").status_code == 303
    assert other.log_in("stefan").status_code == 401
    assert other.log_in("stefan", "another long password").status_code == 303


def test_a_role_counts_from_the_next_request_on(site: StaffSite) -> None:
    browser = site.browser("stefan")
    admin = site.browser("anna")
    admin.send("/staff/accounts/stefan/role", role="admin")
    assert browser.get("/staff/accounts").status_code == 200
    admin.send("/staff/accounts/stefan/role", role="staff")
    assert browser.get("/staff/accounts").status_code == 403
