from __future__ import annotations

from pathlib import Path

import pytest

from bot.answer.errors import SettingsError
from bot.settings import load_settings


def test_flag_beats_variable_beats_file_beats_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "footnote.toml"
    config.write_text("top_k = 3\nport = 8001\nhost = 'example.org'\n")
    monkeypatch.setenv("FOOTNOTE_TOP_K", "4")
    monkeypatch.setenv("FOOTNOTE_PORT", "8002")
    settings = load_settings({"top_k": 5, "port": None}, config)
    assert (settings.top_k, settings.port, settings.host, settings.answerer) == (5, 8002, "example.org", "local")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("top_q = 3\n", ["top_q", "footnote.toml"]),
        ("top_k = 'many'\n", ["top_k", "FOOTNOTE_TOP_K"]),
        ("top_k = 0\n", ["top_k", "greater than"]),
        ("top_k = \n", ["footnote.toml", "TOML"]),
    ],
)
def test_a_bad_setting_is_one_line_with_its_name(tmp_path: Path, content: str, words: list[str]) -> None:
    config = tmp_path / "footnote.toml"
    config.write_text(content)
    with pytest.raises(SettingsError) as error:
        load_settings({}, config)
    assert all(word in str(error.value) for word in words)
    assert "\n" not in str(error.value)


def test_a_missing_file_is_named() -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.toml"):
        load_settings({}, Path("nowhere.toml"))


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings({}).top_k = 3  # type: ignore[misc]


def test_folders_in_a_variable_are_written_like_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOOTNOTE_DOCUMENTS", "reports:minutes")
    assert load_settings({}).documents == (Path("reports"), Path("minutes"))


def test_a_misspelt_key_of_a_file_is_shown_the_right_one(tmp_path: Path) -> None:
    config = tmp_path / "footnote.toml"
    config.write_text("topk = 3\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"no setting 'topk' \(in '.*footnote.toml'\): did you mean 'top_k'\?"):
        load_settings({}, config)


def test_a_misspelt_variable_is_no_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOOTNOTE_SUITES", "elsewhere")  # another part's
    load_settings({})
    monkeypatch.setenv("FOOTNOTE_TPO_K", "3")
    with pytest.raises(SettingsError, match="no setting FOOTNOTE_TPO_K: did you mean FOOTNOTE_TOP_K"):
        load_settings({})


def test_a_settings_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    config = tmp_path / "footnote.toml"
    config.write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match=r"footnote\.toml"):
        load_settings({}, config)
