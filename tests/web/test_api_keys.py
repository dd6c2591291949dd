"""Keys: who is let in, how often, and that a key is nowhere but with its owner."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from bot.answer.errors import KeyNameError
from bot.chatbot import Chatbot
from bot.cli import footnote
from bot.settings import Settings
from bot.storage.api_keys import SCOPES, ApiKeys
from bot.storage.schema import API_KEYS
from bot.web.api.errors import ApiError
from bot.web.api.key_authentication import KeyAuthentication
from bot.web.rate_limits import RateLimits
from tests.browser.scripted import ScriptedChatbot
from tests.support.api_server import ApiServer, api_server


@pytest.fixture
def keys(database_url: str) -> Iterator[ApiKeys]:
    with closing(ApiKeys(database_url)) as table:
        yield table


def authentication_of(keys: ApiKeys, **settings: object) -> KeyAuthentication:
    chosen = Settings(**settings)
    return KeyAuthentication(keys, chosen, RateLimits(chosen))


def admit(authentication: KeyAuthentication, shown: str, *scopes: str, address: str = "192.0.2.1") -> str:
    return asyncio.run(authentication.admit(shown, address, scopes))


def refusal(authentication: KeyAuthentication, shown: str, *scopes: str) -> tuple[int, str | None]:
    with pytest.raises(ApiError) as caught:
        admit(authentication, shown, *scopes)
    return caught.value.status, caught.value.details.code


def test_key_opens_what_it_is_for(keys: ApiKeys) -> None:
    authentication = authentication_of(keys)
    key = keys.add("reader", ["answer", "search"])
    assert re.fullmatch(r"footnote_[0-9a-f]{12}_[\w-]{43}", key)
    assert admit(authentication, key, "answer") == f"key-{key[9:21]}"
    admit(authentication, key, "answer", "search")
    assert refusal(authentication, key, "documents") == (403, "insufficient_scope")


def test_what_opens_nothing(keys: ApiKeys) -> None:
    authentication = authentication_of(keys)
    key = keys.add("reader", SCOPES)
    other = keys.add("other", SCOPES)
    for shown in (
        key[:-1],
        key + "A",
        key[:22] + other[22:],
        "footnote_",
        "footnote_x_y",
        f"footnote_{'é' * 9}",
        key * 9,
    ):
        assert refusal(authentication, shown, "answer") == (401, "invalid_api_key")
    for shown in ("", "sk-none"):
        assert refusal(authentication, shown, "answer") == (401, "missing_api_key")
    keys.revoke("other")
    assert refusal(authentication, other, "answer") == (401, "revoked_api_key")
    old = keys.add("old", SCOPES, expires_at=datetime.now(UTC) - timedelta(seconds=1))
    assert refusal(authentication, old, "answer") == (401, "expired_api_key")
    admit(authentication, keys.add("new", SCOPES, expires_at=datetime.now(UTC) + timedelta(days=1)), "answer")


def test_names_are_unique_and_visible(keys: ApiKeys) -> None:
    keys.add("reader", SCOPES)
    for name in ("reader", "", " ", "a\nb", "n" * 81):
        with pytest.raises(KeyNameError):
            keys.add(name, SCOPES)
    keys.revoke("reader")
    for name in ("reader", "nobody"):
        with pytest.raises(KeyNameError, match="key list"):
            keys.revoke(name)


def test_only_a_hash_is_stored(keys: ApiKeys) -> None:
    key = keys.add("reader", SCOPES)
    with keys._engine.connect() as connection:
        [row] = connection.execute(sa.select(API_KEYS)).all()
    assert key[22:] not in repr(row)
    assert key[22:] not in repr(keys.all())


def test_limits_of_a_key(keys: ApiKeys) -> None:
    authentication = authentication_of(keys)
    hasty = keys.add("hasty", SCOPES, per_minute=2)
    admit(authentication, hasty)
    admit(authentication, hasty)
    assert refusal(authentication, hasty) == (429, "rate_limit_exceeded")
    daily = keys.add("daily", SCOPES, per_day=2)
    admit(authentication, daily)
    admit(authentication_of(keys), daily)  # a restart forgets nothing
    assert refusal(authentication, daily) == (429, "insufficient_quota")
    assert next(key.used_today for key in keys.all() if key.name == "daily") == 2
    with keys._engine.begin() as connection:
        connection.execute(API_KEYS.update().values(counted_on="2000-01-01"))
    admit(authentication, daily)


def test_day_is_counted_exactly_by_many_at_once(keys: ApiKeys) -> None:
    found = keys.find(keys.add("daily", SCOPES, per_day=20))
    assert found is not None
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(keys.count, [found] * 40)) == 20


def test_without_a_key_where_the_operator_allows_it(keys: ApiKeys) -> None:
    authentication = authentication_of(keys, api_anonymous=True, visitor_questions="1/minute")
    assert admit(authentication, "", "answer") == ""
    assert refusal(authentication, "sk-none", "answer") == (429, "rate_limit_exceeded")
    admit(authentication, "", "answer", address="192.0.2.2")
    assert admit(authentication, "", "search") == ""
    assert refusal(authentication, "footnote_wrong", "answer") == (401, "invalid_api_key")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ApiServer]:
    with api_server(ScriptedChatbot(), tmp_path) as served:
        yield served


PATHS = {
    "/api/answer?question=a": "answer",
    "/api/search?question=a": "search",
    "/api/documents": "documents",
    "/api/document?document_id=a": "documents",
}


def test_every_route_asks_for_its_scope(server: ApiServer) -> None:
    narrow = {scope: server.keys.add(f"not {scope}", [one for one in SCOPES if one != scope]) for scope in SCOPES}
    for path, scope in PATHS.items():
        with server.http("") as client:
            refused = client.get(path)
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"] == "Bearer"
        with server.http(narrow[scope]) as client:
            assert client.get(path).status_code == 403
    chat = {"model": "footnote", "messages": [{"role": "user", "content": "What is the fare?"}]}
    for key, status in ((narrow["answer"], 403), (narrow["search"], 200), ("", 401)):
        with server.http(key) as client:
            assert client.post("/v1/chat/completions", json=chat).status_code == status
            assert client.get("/v1/models").status_code == (401 if not key else 200)


def test_limit_says_when_to_ask_again(server: ApiServer) -> None:
    with server.http(server.keys.add("hasty", SCOPES, per_minute=1)) as client:
        assert client.get("/v1/models").status_code == 200
        refused = client.get("/v1/models")
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 60


def test_no_key_is_logged(server: ApiServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with server.http() as client:
        assert client.get("/api/answer", params={"question": "What is the fare?"}).status_code == 200
        assert client.get("/api/answer", params={"question": "crash"}).status_code == 500
    with server.http(server.key[:-1]) as client:
        assert client.get("/v1/models").status_code == 401
    ours = [record for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))]
    assert any("a scripted crash" in str(record.exc_info) for record in ours)
    secret = server.key[22:-1]
    assert all(secret not in f"{record.getMessage()} {record.exc_text}" for record in ours)


def run(data_dir: Path, *arguments: str) -> tuple[int, str, str]:
    outcome = CliRunner().invoke(footnote, [*arguments, "--data-dir", str(data_dir)])
    return outcome.exit_code, outcome.stdout, outcome.stderr


def test_commands(tmp_path: Path) -> None:
    code, made, advice = run(
        tmp_path, "key", "add", "library", "--scope", "answer", "--scope", "search", "--per-minute", "30",
        "--per-day", "2000", "--expires", "2999-01-31",
    )  # fmt: skip
    assert code == 0
    assert made.startswith("footnote_")
    assert made.count("\n") == 1
    assert "not shown again" in advice
    assert run(tmp_path, "key", "list")[1] == (
        "valid    library: answer, search (30 a minute; 0 of 2000 used today; until 2999-01-31)\n"
    )
    assert run(tmp_path, "key", "revoke", "library")[0] == 0
    [listed] = json.loads(run(tmp_path, "key", "list", "--json")[1])
    assert listed["state"] == "revoked"
    assert listed["scopes"] == ["answer", "search"]
    assert run(tmp_path, "key", "add", "other", "--scope", "answer", "--expires", "2001-01-01")[0] == 2
    assert run(tmp_path, "key", "add", "other")[0] == 2


def test_keys_are_part_of_a_real_application(seed_chatbot: Chatbot, tmp_path: Path) -> None:
    with api_server(seed_chatbot, tmp_path) as server, server.http() as client:
        assert client.get("/v1/models").json()["data"][0]["id"] == "footnote"
