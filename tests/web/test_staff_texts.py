"""The words of the staff's pages: all of them in three languages, what its errors say included."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import bot
from bot.storage.answers import AnswerRecords
from bot.web.staff.staff_page import STAFF_TEXTS, fault_in
from tests.browser.scripted import ScriptedChatbot
from tests.support.staff_site import StaffSite

BOT = Path(str(bot.__file__)).parent
FOLDER = BOT / "web" / "staff" / "texts"
# Where errors are raised that a page of the staff shows.
RAISED_IN = ("staff", "web/staff", "storage/threshold.py", "storage/suite_file.py")
ERRORS = {"AccountError", "ApprovalError", "NewerVerdictError", "ReviewError", "SettingsError", "HTTPException"}
TRANSLATED = ("zh-Hant", "zh-Hans")
PLACEHOLDER = re.compile(r"{(\w+)}")


def words_of(language: str, part: str) -> dict[str, str]:
    return tomllib.loads((FOLDER / language / f"{part}.toml").read_text("utf-8"))


@pytest.mark.parametrize("language", ["zh_hant", "zh_hans"])
def test_every_part_has_the_same_words_and_placeholders(language: str) -> None:
    parts = {path.stem for path in (FOLDER / "en").glob("*.toml")}
    assert {path.stem for path in (FOLDER / language).glob("*.toml")} == parts | {"faults"}
    for part in sorted(parts):
        english, theirs = words_of("en", part), words_of(language, part)
        assert theirs.keys() == english.keys(), part
        for key, words in english.items():
            assert set(PLACEHOLDER.findall(theirs[key])) == set(PLACEHOLDER.findall(words)), f"{part}.{key}"


def raised() -> Iterator[str]:
    """Yield what our errors say, with something in the place of what varies."""
    for place in RAISED_IN:
        for path in sorted((BOT / place).rglob("*.py")) if (BOT / place).is_dir() else [BOT / place]:
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ERRORS:
                    yield from _sentences(node.args)
    yield "The OpenID provider 'x' does not answer: try again, or log in with a password."
    yield "This form is from another session: go back, reload the page and send it once more."
    yield "The form cannot be used (name): go back and fill it in again."


def _sentences(arguments: list[ast.expr]) -> Iterator[str]:
    for one in arguments:
        if isinstance(one, ast.Constant) and isinstance(one.value, str):
            yield one.value
        if isinstance(one, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "'x 7'" for part in one.values)


def test_everything_that_the_pages_errors_say_is_translated() -> None:
    sentences = list(raised())
    assert len(sentences) > 40
    for language in TRANSLATED:
        texts = STAFF_TEXTS[language]
        assert [one for one in sentences if fault_in(texts, one).language != language] == []
        for one in sentences:
            assert fault_in(texts, one).words.count("'x 7'") == one.count("'x 7'")


def test_no_translation_is_of_a_sentence_that_nobody_says() -> None:
    said = list(raised())
    for sentence in words_of("zh_hant", "faults"):
        pattern = PLACEHOLDER.sub(".+", re.sub(r"([.()+*?|^$])", r"\\\1", sentence))
        assert any(re.fullmatch(pattern, one) for one in said), sentence


def test_a_fault_that_nobody_translated_is_marked_as_english() -> None:
    fault = fault_in(STAFF_TEXTS["zh-Hans"], "The disk is full.")
    assert (fault.words, fault.language) == ("The disk is full.", "en")


def test_a_language_is_chosen_on_the_page_and_kept(database_url: str) -> None:
    with closing(AnswerRecords(database_url)) as records:
        browser = StaffSite(ScriptedChatbot(), records).browser("anna")
        assert '<html lang="en"' in browser.get("/staff/me").text
        assert '<html lang="zh-Hant"' in browser.get("/staff/me?lang=zh-Hant").text
        refused = browser.send("/staff/accounts", name="anna", role="staff", password="a long enough one")
        assert refused.status_code == 400
        assert "已有帳戶 &#39;anna&#39;：請選用另一個名稱。" in refused.text
        assert '<html lang="zh-Hans"' in browser.get("/staff/me?lang=zh-Hans").text
        assert '<html lang="zh-Hans"' in browser.get("/staff/me").text
