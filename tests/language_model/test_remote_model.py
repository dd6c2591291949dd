from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.answer.errors import SettingsError
from bot.language_model.build import build_language_model
from bot.language_model.remote import build_remote_model
from bot.operations.doctor import examine
from bot.settings import Settings, load_settings
from tests.support.model_server import ModelServer, model_server, unused_url

SECRET = "sk-do-not-show"


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with model_server() as running:
        yield running


def remote(url: str, model: str = "m") -> Settings:
    return Settings(answerer="remote", remote_url=url, remote_model=model, remote_key=SECRET)


@pytest.mark.parametrize(
    ("url", "model", "words"),
    [
        ("", "m", "FOOTNOTE_REMOTE_URL"),
        ("http://localhost/v1", "", "FOOTNOTE_REMOTE_MODEL"),
        ("localhost:11434/v1", "m", "no http or https"),
        ("file:///etc/passwd", "m", "no http or https"),
        ("http://", "m", "no http or https"),
        ("http://[::1/v1", "m", "no http or https"),
        ("http://localhost:99999/v1", "m", "no http or https"),
        (f"http://me:{SECRET}@localhost/v1", "m", "FOOTNOTE_REMOTE_KEY"),
        (f"http://localhost/v1?key={SECRET}", "m", "FOOTNOTE_REMOTE_KEY"),
    ],
)
def test_settings_that_cannot_work_are_one_line_without_secrets(url: str, model: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words) as error:
        build_remote_model(remote(url, model))
    assert "\n" not in str(error.value)
    assert SECRET not in str(error.value)


def test_the_key_comes_from_its_variable_and_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOOTNOTE_REMOTE_KEY", SECRET)
    settings = load_settings({})
    assert settings.remote_key.get_secret_value() == SECRET
    assert SECRET not in repr(settings)
    assert SECRET not in settings.model_dump_json()


def test_each_answerer_gets_its_model(server: ModelServer, tmp_path: Path) -> None:
    assert build_language_model(Settings(answerer="extractive")) is None
    local = build_language_model(Settings(answerer="local", model_cache=tmp_path))
    assert local is not None
    assert not local.ready()
    local.close()
    far = build_language_model(remote(f"{server.url}/"))
    assert far is not None
    assert far.name == "m"
    assert far.ready()
    far.close()
    assert server.requests == []


@pytest.mark.parametrize(
    ("chosen", "state", "words"),
    [
        ({"answerer": "extractive"}, "ok", "extractive"),
        ({"answerer": "local"}, "warning", "run `footnote model fetch`"),
        ({"answerer": "remote"}, "failed", "FOOTNOTE_REMOTE_URL"),
        ({"answerer": "remote", "remote_url": unused_url(), "remote_model": "m"}, "warning", "cannot be reached"),
    ],
)
def test_the_doctor_looks_at_the_language_model(tmp_path: Path, chosen: dict[str, str], state: str, words: str) -> None:
    settings = Settings(data_dir=tmp_path, model_cache=tmp_path / "cache", **chosen)
    check = next(check for check in examine(settings) if check.name == "language model")
    assert check.state == state
    assert words in check.message
