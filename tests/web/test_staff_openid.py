"""Logging in with OpenID Connect, against a real provider on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc.jwk import RSAKey
from pydantic import SecretStr

from bot.storage.answers import AnswerRecords
from bot.storage.audit import audit_entries
from tests.browser.scripted import ScriptedChatbot
from tests.support.openid_provider import CLIENT, SECRET, OpenIdProvider, openid_provider
from tests.support.staff_site import Browser, StaffSite

OLGA = {"email": "olga@example.org", "email_verified": True, "groups": ["everyone", "checkers"]}


@pytest.fixture
def provider() -> Iterator[OpenIdProvider]:
    with openid_provider() as provider:
        provider.claims = dict(OLGA)
        yield provider


@pytest.fixture
def site(provider: OpenIdProvider, tmp_path: Path) -> Iterator[StaffSite]:
    chatbot = ScriptedChatbot()
    named = {
        "oidc_issuer": provider.issuer,
        "oidc_client_id": CLIENT,
        "oidc_client_secret": SecretStr(SECRET),
        "oidc_roles": {"checkers": "staff", "keepers": "admin"},
    }
    chatbot.settings = chatbot.settings.model_copy(update=named)
    with closing(AnswerRecords(f"sqlite:///{tmp_path / 'footnote.db'}")) as records:
        yield StaffSite(chatbot, records)


def go_there(browser: Browser) -> str:
    """Go to the provider, log in there, and return the path by which it sends the browser back."""
    there = browser.get("/staff/openid/start").headers["location"]
    back = httpx.get(there, trust_env=False).headers["location"]
    return back.removeprefix("http://bot.example.org")


def log_in(browser: Browser) -> Any:
    return browser.get(go_there(browser))


def test_a_member_of_a_named_group_logs_in_and_has_its_role(site: StaffSite) -> None:
    browser = site.browser()
    assert "/staff/openid/start" in browser.get("/staff/login").text
    entered = log_in(browser)
    assert entered.status_code == 200
    assert 'content="0; url=/staff"' in entered.text
    assert "SameSite=strict" in entered.headers["set-cookie"]
    page = browser.get("/staff/me").text
    assert "olga@example.org" in page
    assert "Role: Staff" in page
    with site.engine.connect() as connection:
        said = [(entry.actor, entry.action, entry.subject) for entry in audit_entries(connection, limit=2)]
    assert said == [
        ("olga@example.org", "session.open", "olga@example.org"),
        ("(openid)", "account.add", "olga@example.org"),
    ]


def test_the_provider_keeps_the_role(site: StaffSite, provider: OpenIdProvider) -> None:
    log_in(site.browser())
    provider.claims["groups"] = ["keepers", "checkers"]
    browser = site.browser()
    log_in(browser)
    assert "Role: Admin" in browser.get("/staff/me").text


@pytest.mark.parametrize(
    "claims",
    [
        {"groups": ["everyone"]},
        {"groups": None},
        {"groups": "visitors"},
        {"email": ""},
        {"email": "<script>"},
        {"email_verified": False},
    ],
)
def test_who_has_no_role_or_no_name_stays_outside(
    site: StaffSite, provider: OpenIdProvider, claims: dict[str, Any]
) -> None:
    provider.claims.update(claims)
    browser = site.browser()
    assert log_in(browser).status_code == 400
    assert browser.get("/staff/me").status_code == 303


def test_an_account_with_a_password_is_not_entered_this_way(site: StaffSite, provider: OpenIdProvider) -> None:
    provider.claims.update(email="anna", groups=["checkers"])
    browser = site.browser()
    assert "has a password here" in log_in(browser).text
    assert browser.get("/staff/me").status_code == 303
    assert site.accounts.all()[0].role == "admin"


@pytest.mark.parametrize(
    "lies",
    [{"iss": "https://evil.example"}, {"aud": "somebody-else"}, {"nonce": "another"}, {"exp": 1_000_000_000}],
)
def test_a_token_that_is_not_for_this_login_opens_nothing(
    site: StaffSite, provider: OpenIdProvider, lies: dict[str, Any]
) -> None:
    provider.lies = lies
    browser = site.browser()
    assert log_in(browser).status_code == 400
    assert browser.get("/staff/me").status_code == 303


def test_a_token_signed_by_somebody_else_opens_nothing(site: StaffSite, provider: OpenIdProvider) -> None:
    provider.key = RSAKey.generate_key(2048, parameters={"kid": "k1"})
    browser = site.browser()
    assert log_in(browser).status_code == 400
    assert browser.get("/staff/me").status_code == 303


def test_a_way_back_that_another_browser_began_opens_nothing(site: StaffSite) -> None:
    back = go_there(site.browser())
    victim = site.browser()
    assert victim.get(back).status_code == 400
    assert victim.get("/staff/me").status_code == 303
    for strange in ("", "?code=x", "?code=x&state=y", "?error=access_denied&state=y"):
        assert victim.get(f"/staff/openid{strange}").status_code == 400


def test_a_provider_that_is_away_is_one_line_and_passwords_still_work(
    site: StaffSite, provider: OpenIdProvider
) -> None:
    chatbot = ScriptedChatbot()
    chatbot.settings = chatbot.settings.model_copy(update={"oidc_issuer": "http://127.0.0.1:1"})
    with closing(AnswerRecords(str(site.engine.url).replace("footnote.db", "other.db"))) as records:
        lonely = StaffSite(chatbot, records)
        assert "does not answer" in lonely.browser().get("/staff/openid/start").text
        assert lonely.browser("anna").get("/staff/me").status_code == 200


def test_without_a_provider_there_is_no_way_to_one(tmp_path: Path) -> None:
    with closing(AnswerRecords(f"sqlite:///{tmp_path / 'footnote.db'}")) as records:
        browser = StaffSite(ScriptedChatbot(), records).browser()
        assert "openid" not in browser.get("/staff/login").text
        assert browser.get("/staff/openid").status_code == 404
        assert browser.get("/staff/openid/start").status_code == 404
