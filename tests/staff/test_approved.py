"""Approved answers: shown for the same question in other words, for no other, and only while their passages stand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.answer.answer import Answer
from bot.answer.draft import to_citation
from bot.answer.errors import ApprovalError
from bot.answer.events import EvidenceFound, Finished, StatementReady
from bot.answer.plain_text import render_plain
from bot.chatbot import Chatbot
from bot.operations.indexing import index_documents
from bot.settings import Settings
from bot.staff.approved_answers import (
    BY_DOCUMENTS,
    ApprovedAnswers,
    finish_task,
    open_tasks,
    relocate,
)
from bot.staff.approved_recall import Recall
from bot.staff.same_question import (
    likeness,
    likeness_names,
    load_sameness,
    parse_question,
    parse_sameness,
    without_courtesies,
)
from bot.storage.answer_changes import nearest_passage, passage_hash
from bot.storage.answers import AnswerRecords, Origin, RecordedAnswer
from bot.storage.audit import audit_entries
from bot.web.page.language import LANGUAGES
from bot.web.page.render_html import render_answer
from index.document import Document, Span
from index.embedding.sentence_transformer import SentenceTransformerEmbedder
from tests.browser.scripted import DOCUMENTS, FARE, FERRY, answer, statements_for
from tests.support.scripted_model import ScriptedModel

FERRY_TEXT = "Ferry timetable\n\nThe first ferry leaves Mui Wo at 5:55 am. Tickets cost HK$17.8 on weekdays.\n"
QUESTION = "When does the first ferry leave Mui Wo?"


@pytest.fixture
def records(database_url: str) -> Iterator[AnswerRecords]:
    with closing(AnswerRecords(database_url)) as records:
        yield records


@pytest.fixture
def store(records: AnswerRecords) -> ApprovedAnswers:
    return ApprovedAnswers(records.engine)


@pytest.fixture
def fare(records: AnswerRecords) -> RecordedAnswer:
    return record(records, answer("a" * 32, "What is the adult fare on weekdays?", statements=statements_for("fare")))


def record(records: AnswerRecords, given: Answer) -> RecordedAnswer:
    records.record(given, Origin("page", "c1", "anna"))
    recorded = records.find(given.id)
    assert recorded is not None
    return recorded


def edited(old: str, new: str) -> Callable[[str], Document | None]:
    def find(document_id: str) -> Document | None:
        document = DOCUMENTS[document_id]
        return Document(document_id, document.title, document.text.replace(old, new), document.media_type, "1" * 64)

    return find


def test_an_answer_is_approved_once_and_without_its_reader(
    records: AnswerRecords, store: ApprovedAnswers, fare: RecordedAnswer
) -> None:
    first = store.approve(fare, "mei", DOCUMENTS.get)
    assert store.approve(fare, "lam", DOCUMENTS.get) == first
    assert (first.question, first.approved_by, first.language) == (fare.answer.question, "mei", "en")
    assert store.shown() == (first,)
    records.delete_older_than(-1)  # its time on record is over
    (kept,) = store.shown()
    assert kept == first


def test_what_a_reader_deletes_is_approved_no_more(
    records: AnswerRecords, store: ApprovedAnswers, fare: RecordedAnswer
) -> None:
    store.approve(fare, "mei", DOCUMENTS.get)
    assert records.delete_conversation("c1", "anna") == 1
    assert store.all() == ()


def test_a_refusal_and_an_answer_whose_document_changed_cannot_be_approved(
    records: AnswerRecords, store: ApprovedAnswers, fare: RecordedAnswer
) -> None:
    greeting = record(records, answer("b" * 32, "Hello", text="Hello."))
    with pytest.raises(ApprovalError, match="Only an answer with citations"):
        store.approve(greeting, "mei", DOCUMENTS.get)
    with pytest.raises(ApprovalError, match="has changed since"):
        store.approve(fare, "mei", edited("HK$8.20", "HK$8.90"))


def test_an_edit_far_away_moves_the_citation_and_one_nearby_does_not_pass() -> None:
    def document(before: str, near: str = "Fares. ") -> Document:
        text = before + "The harbour is wide. " * 20 + near + FARE + " The crossing takes eleven minutes." * 20
        return Document("fares.txt", "Fares", text, "text/plain", "")

    then, now = document(""), document("A preface that was added. ")
    span = Span(then.text.index(FARE), then.text.index(FARE) + len(FARE))
    citation, expected = to_citation(then, span, 1), passage_hash(then, span)
    moved = relocate(citation, expected, now)
    assert moved is not None
    assert moved.start == citation.start + len("A preface that was added. ")
    assert now.text[moved.start : moved.end] == FARE
    assert relocate(citation, expected, document("", "Fares until last year. ")) is None


def test_the_task_says_what_changed(records: AnswerRecords, store: ApprovedAnswers, fare: RecordedAnswer) -> None:
    approved = store.approve(fare, "mei", DOCUMENTS.get)
    assert store.check(edited("HK$8.20", "HK$8.90")) == 1
    assert store.shown() == ()
    (withdrawn,) = store.all()
    assert (withdrawn.withdrawn_by, withdrawn.id) == (BY_DOCUMENTS, approved.id)
    (task,) = open_tasks(records.engine)
    # The next sentence stands as it did; what stands before it does not.
    assert [change.is_gone for change in task.changes] == [False] * len(fare.answer.citations)
    change = task.changes[0]
    assert (change.document_id, change.old) == (FERRY, FARE)
    assert change.new == FARE.replace("HK$8.20", "HK$8.90")
    with records.engine.connect() as connection:
        entries = list(audit_entries(connection, action="approved"))
    assert [(entry.actor, entry.action) for entry in entries] == [
        (BY_DOCUMENTS, "approved.withdraw"),
        ("mei", "approved.approve"),
    ]
    assert FARE not in str(entries)
    assert store.check(edited("HK$8.20", "HK$8.90")) == 0
    assert finish_task(records.engine, task.id, "mei")
    assert not finish_task(records.engine, task.id, "lam")
    assert open_tasks(records.engine) == ()


def test_a_document_that_is_gone_is_named(records: AnswerRecords, store: ApprovedAnswers, fare: RecordedAnswer) -> None:
    store.approve(fare, "mei", DOCUMENTS.get)
    assert store.check(lambda _: None) == 1
    assert open_tasks(records.engine)[0].changes[0].is_gone


def test_the_nearest_passage_is_a_whole_sentence() -> None:
    document = edited("on weekdays and", "from Monday to Friday and")(FERRY)
    assert document is not None
    assert nearest_passage(FARE, document) == FARE.replace("on weekdays and", "from Monday to Friday and")
    assert (
        nearest_passage("Nothing like this stands anywhere at all", Document("x", "x", "短。", "text/plain", "")) == ""
    )


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("Hi there, could you please tell me when it opens? Thanks!", "when it opens?"),
        ("Quick question – who runs it?", "who runs it?"),
        ("請問，渡輪幾時開出？謝謝！", "渡輪幾時開出？"),
        ("Please", "Please"),
    ],
)
def test_courtesies_are_no_part_of_a_question(written: str, plain: str) -> None:
    assert without_courtesies(written) == plain


def test_what_is_asked_for_is_told_from_what_it_is_about() -> None:
    asked = parse_question("In which year was the pier opened?")
    assert (asked.kinds, set(asked.words)) == ({"when"}, {"pier", "open"})


SAME = [
    (QUESTION, "when does the first ferry leave mui wo"),
    (QUESTION, "Hello, please tell me at what time the first ferry leaves Mui Wo. Thanks"),
    ("How many books does the library hold?", "What number of books does the library hold?"),
    ("Who chairs the harbour board?", "Who's the chair of the harbour board?"),
    ("博物館在哪一年開幕？", "請問，博物館在哪一年開幕？謝謝！"),
]
OTHER = [
    (QUESTION, "When does the last ferry leave Mui Wo?"),
    (QUESTION, "When does the first ferry not leave Mui Wo?"),
    (QUESTION, "When does the first ferry leave Peng Chau?"),
    (QUESTION, "Where does the first ferry leave Mui Wo?"),
    (QUESTION, "首班渡輪幾時離開梅窩？"),
    ("What was the budget in 2024?", "What was the budget in 2025?"),
    ("What was the budget before the war?", "What was the budget after the war?"),
    ("Is smoking legal on board?", "Is smoking illegal on board?"),
    ("How many books does the library hold?", "Which books does the library hold?"),
    ("博物館在哪一年開幕？", "博物館在哪一年關閉？"),
]


def _without_model(_ask: object, otherwise: float | None) -> float | None:
    return otherwise


@pytest.mark.parametrize(("approved", "asked"), SAME)
def test_the_same_question_in_other_words(approved: str, asked: str, embedder: SentenceTransformerEmbedder) -> None:
    assert load_sameness().score(asked, approved, embedder, _without_model) >= 0


@pytest.mark.parametrize(("approved", "asked"), OTHER)
def test_another_question(approved: str, asked: str, embedder: SentenceTransformerEmbedder) -> None:
    assert load_sameness().score(asked, approved, embedder, _without_model) < 0


@pytest.mark.parametrize("mood", ["number", "name"])
def test_words_rule_out_whatever_the_model_says(mood: str, embedder: SentenceTransformerEmbedder) -> None:
    pairs = {"number": ("Who ran pier 3?", "Who ran pier 4?"), "name": ("Who is Mei Lam?", "Who is Mei Chan?")}
    assert likeness(*pairs[mood], embedder) is None


# The path of a question --------------------------------------------------------------------------------------------


@pytest.fixture
def site(tmp_path: Path, embedder: SentenceTransformerEmbedder) -> Iterator[Site]:
    with closing(Site(tmp_path, embedder)) as site:
        yield site


class Site:
    """A folder of one document, its index, and a chatbot over it that knows approved answers."""

    def __init__(self, folder: Path, embedder: SentenceTransformerEmbedder) -> None:
        self.settings = Settings(data_dir=folder / "data", answerer="extractive")
        self.embedder = embedder
        self.documents = folder / "docs"
        self.documents.mkdir()
        self.write(FERRY_TEXT)
        self.records = AnswerRecords(self.settings.catalogue_url())
        self.store = ApprovedAnswers(self.records.engine)

    def write(self, text: str) -> None:
        (self.documents / "ferry.txt").write_text(text, encoding="utf-8")
        index_documents([self.documents], self.settings, lambda *_: None)

    def open(self, model: ScriptedModel | None = None) -> Chatbot:
        from bot.build import build_chatbot

        return build_chatbot(self.settings, self.embedder, model)

    def approve(self, question: str = QUESTION) -> None:
        with closing(self.open()) as chatbot:
            given = chatbot.ask(question)
            self.store.approve(record(self.records, given), "mei", chatbot.document)

    def close(self) -> None:
        self.records.close()


def test_an_approved_answer_is_shown_and_marked(site: Site) -> None:
    with closing(site.open()) as chatbot:
        before = chatbot.ask(QUESTION)
        assert before.provenance.approved is None
        assert "approved" not in before.model_dump_json()
        site.approve()
        events = list(chatbot.stream("Please tell me when the first ferry leaves Mui Wo"))
        after = events[-1].answer
        assert [type(event) for event in events[1:]] == [EvidenceFound, StatementReady, Finished]
        assert (after.statements, after.citations) == (before.statements, before.citations)
        assert after.question == "Please tell me when the first ferry leaves Mui Wo"
        assert after.provenance.approved is not None
        day = after.provenance.approved.date
        assert f'"approved":{{"id":"{site.store.shown()[0].id}","date":"{day}"}}' in after.model_dump_json()
        assert f"Approved on {day}" in render_plain(after)
        words = {"en": "approved", "zh-Hant": "已核准", "zh-Hans": "已核准"}
        for code, texts in LANGUAGES.items():
            shown = render_answer(after, texts, str)
            assert words[code] in shown["footer"]
            assert "notice" not in shown["body"]
        assert chatbot.ask("When does the last ferry leave Mui Wo?").provenance.approved is None


def test_an_edited_document_withdraws_at_the_next_run(site: Site) -> None:
    site.approve()
    site.write("A new preface of one sentence, which stands before all the rest of it.\n" * 5 + FERRY_TEXT)
    assert site.store.shown() == ()  # what stands around the passage has changed
    assert open_tasks(site.records.engine)[0].changes[0].new


def test_a_question_that_notices_withdraws(site: Site, embedder: SentenceTransformerEmbedder) -> None:
    site.approve()
    recall = Recall(site.store, lambda _: None, embedder, load_sameness())
    assert recall.find(QUESTION, _without_model) is None
    assert site.store.shown() == ()


def test_it_can_be_turned_off(site: Site) -> None:
    site.approve()
    site.settings = site.settings.model_copy(update={"approved_answers": False})
    with closing(site.open()) as chatbot:
        assert chatbot.ask(QUESTION).provenance.approved is None


def test_no_model_is_asked_whether_two_questions_are_the_same(site: Site) -> None:
    site.approve()
    model = ScriptedModel("No")
    with closing(site.open(model)) as chatbot:
        assert chatbot.ask("Please tell me when the first ferry leaves Mui Wo").provenance.approved is not None
        assert not model.asked


def test_a_fitted_model_has_its_say(embedder: SentenceTransformerEmbedder) -> None:
    words = {"weights": dict.fromkeys(likeness_names(), 0.0), "intercept": 0.0, "threshold": 0.4}
    model = {**words, "weights": {**words["weights"], "odds": 1.0}}
    both = parse_sameness(json.dumps({"words": words, "model": model}))
    pair = ("When does the first boat leave Mui Wo?", QUESTION)
    for odds, same in ((5.0, True), (-5.0, False)):
        answered = both.score(*pair, embedder, lambda _ask, _otherwise, odds=odds: odds)
        assert (answered >= 0) is same
    assert both.score(*pair, embedder, _without_model) >= 0
    with pytest.raises(ValueError, match="fit it again"):
        parse_sameness(json.dumps({"words": {**words, "weights": {"cosine": 1.0}}}))
