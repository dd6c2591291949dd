"""The threshold that an admin applies: after its effect was shown, for every process, kept, audited, and reversible."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.answer.errors import SettingsError
from bot.build import build_chatbot, with_chosen
from bot.chatbot import Chatbot
from bot.settings import Settings, load_settings
from bot.staff.review.verdicts import Assessment, record_verdict
from bot.storage.answers import AnswerRecords, Origin
from bot.storage.audit import AuditEntry, audit_entries
from bot.storage.threshold import RefusalThreshold
from index.embedding.sentence_transformer import SentenceTransformerEmbedder
from index.sync import SyncReport
from tests.support.staff_site import StaffSite

QUESTION = "What does a dog licence cost?"
TOWN = "The town hall is open from nine to five. A dog licence costs 40 crowns. Bicycles may be parked behind the hall."


@dataclass
class Town:
    """One database, its staff's pages, and as many processes' chatbots as are asked for."""

    settings: Settings
    embedder: SentenceTransformerEmbedder
    site: StaffSite

    def kind(self, settings: Settings | None = None) -> str:
        """Return what a process that is started now makes of the question."""
        with closing(build_chatbot(settings or self.settings, self.embedder)) as chatbot:
            return chatbot.ask(QUESTION).kind

    def audited(self) -> list[AuditEntry]:
        with self.site.engine.connect() as connection:
            return list(audit_entries(connection, action="threshold.apply"))


@pytest.fixture
def town(
    tmp_path: Path,
    database_url: str,
    index_folder: Callable[..., SyncReport],
    embedder: SentenceTransformerEmbedder,
) -> Iterator[Town]:
    settings = load_settings({"data_dir": tmp_path / "data", "database_url": database_url, "answerer": "extractive"})
    (tmp_path / "town.txt").write_text(TOWN)
    index_folder(tmp_path / "town.txt", settings.data_dir, database_url=database_url)
    with (
        closing(build_chatbot(settings, embedder)) as chatbot,
        closing(AnswerRecords(settings.catalogue_url(), 1.0)) as records,
    ):
        yield Town(settings, embedder, StaffSite(chatbot, records))


def give_a_verdict(town: Town, chatbot: Chatbot) -> None:
    """Put an answer of the random sample on record, and find it right."""
    given = chatbot.ask(QUESTION)
    with closing(AnswerRecords(town.settings.catalogue_url(), 1.0)) as records:
        records.record(given, Origin("page"))
    with town.site.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE answers SET draw = 0")
    record_verdict(town.site.engine, given, Assessment("right"), "stefan", "f")


def test_an_admin_sees_both_error_rates_applies_a_threshold_and_takes_it_back(town: Town) -> None:
    anna, stefan = town.site.browser("anna"), town.site.browser("stefan")
    place = "/staff/insights/threshold"
    refused = anna.send(place, wanted="0.99")
    assert (refused.status_code, "No verdict says what" in refused.text) == (400, True)

    with closing(build_chatbot(town.settings, town.embedder)) as other:  # another process on the same database
        give_a_verdict(town, other)
        assert 'action="/staff/insights/threshold"' not in anna.get("/staff/insights").text
        preview = anna.get("/staff/insights?wanted=0.99").text
        assert "From 0.4 to 0.99" in preview
        before, after = preview.partition('id="apply"')[2].split("<tr>")[2:4]
        assert ("0.0%" in before, "100.0%" in after) == (True, True)
        assert "0.4 (now) <span" in preview.partition("</form>")[2].partition("fewest errors in all")[0]
        assert "Apply" not in stefan.get("/staff/insights?wanted=0.99").text
        assert stefan.send(place, wanted="0.99").status_code == 403
        assert anna.send(place, wanted="1.5").status_code == 400
        assert town.audited() == []

        assert other.ask(QUESTION).kind == "answer"
        assert anna.send(place, wanted="0.99").headers["location"] == "/staff/insights?weeks=8&applied=yes"
        assert other.ask(QUESTION).kind == "refusal"
        assert other.trace(QUESTION).trace.threshold == 0.99
        assert town.kind() == "refusal"  # after a restart
        page = anna.get("/staff/insights?applied=yes").text
        assert "Answers need a confidence of 0.99 from now on." in page
        assert "anna chose that on" in page
        assert "wanted=0.4#apply" in page

        assert anna.send(place, wanted="0.4").status_code == 303
        assert other.ask(QUESTION).kind == "answer"
    changes = [(one.actor, *one.before.values(), *one.after.values()) for one in town.audited()]
    assert changes == [("anna", 0.99, 0.4), ("anna", 0.4, 0.99)]


def test_what_a_process_is_started_with_has_precedence(
    town: Town, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    RefusalThreshold(town.site.engine, town.settings).choose("anna", 0.99)
    flags = {"data_dir": town.settings.data_dir, "database_url": town.settings.database_url, "answerer": "extractive"}
    monkeypatch.setenv("FOOTNOTE_REFUSAL_THRESHOLD", "0.3")
    by_variable = load_settings(flags)
    monkeypatch.delenv("FOOTNOTE_REFUSAL_THRESHOLD")
    (tmp_path / "set.toml").write_text("refusal_threshold = 0.3\n")
    by_file = load_settings(flags, tmp_path / "set.toml")
    assert (town.kind(by_variable), town.kind(by_file), town.kind()) == ("answer", "answer", "refusal")

    threshold = RefusalThreshold(town.site.engine, by_file)
    assert (threshold.is_set, threshold.value()) == (True, 0.3)
    with pytest.raises(SettingsError, match=r"refusal_threshold is set to 0\.3 where Footnote was started"):
        threshold.choose("anna", 0.5)
    with (
        closing(build_chatbot(by_file, town.embedder)) as chatbot,
        closing(AnswerRecords(by_file.catalogue_url(), 1.0)) as records,
    ):
        give_a_verdict(town, chatbot)
        for name in ("anna", "stefan", "eve"):
            town.site.accounts.remove("(test)", name)
        anna = StaffSite(chatbot, records).browser("anna")
        page = anna.get("/staff/insights?wanted=0.5").text
        assert "That is what Footnote was started with" in page
        assert "The choice 0.99 made here does not count meanwhile." in page
        assert 'id="apply"' not in page
        assert anna.send("/staff/insights/threshold", wanted="0.5").status_code == 400


def test_a_suite_is_run_with_the_threshold_in_force_and_records_it(town: Town) -> None:
    RefusalThreshold(town.site.engine, town.settings).choose("anna", 0.99)
    pinned = with_chosen(town.settings)
    RefusalThreshold(town.site.engine, town.settings).choose("anna", 0.4)
    assert pinned.refusal_threshold == 0.99
    assert (town.kind(pinned), town.kind()) == ("refusal", "answer")
