"""Copies, versions and contradictions among real documents, from the folder to the answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.answer.answer import Answer
from bot.chatbot import Chatbot
from bot.settings import Settings
from index.relations.relations import Relation
from index.store.catalogue import Catalogue
from index.sync import SyncReport

LIBRARY = (
    "The island library\n\nThe library lends 41,000 books. It opens at 9 am on weekdays. "
    "Each book may be kept for 14 days, and longer where nobody waits for it."
)
FARES = (
    "Ferry fares\n\nThis leaflet lists what a crossing costs. A ticket to Mui Wo costs HK${} on weekdays. A monthly "
    "pass costs HK$500 for adults. Children under three travel free of charge. Tickets are sold at the pier from 6 am."
)
PARK = (
    "The town park\n\nThe town park was opened on 3 May 1972. It has 120 benches and a pond. Dogs are kept on a lead."
)
GUIDE = "A walk around town\n\nBegin at the pond. The town park was opened on 9 May 1972. The walk takes two hours."
DEPOT = "巴士車廠\n\n東涌巴士車廠可停泊二百輛巴士。車廠於每日清晨五時開門。"
OTHER_DEPOT = "交通概覽\n\n東涌巴士車廠可停泊三百輛巴士。島上另有渡輪碼頭兩個。"
DOCUMENTS = {
    "school.txt": "The school library lends 300 books. How many the library lends to a pupil is said at the desk.",
    "library.txt": LIBRARY,
    "branches/library.txt": LIBRARY,
    "branches/library copy.txt": LIBRARY.replace("weekdays. ", "weekdays.\n"),
    "fares-2023.txt": FARES.format(15),
    "fares-2024.txt": FARES.format(17),
    "park.txt": PARK,
    "walk.txt": GUIDE,
    "depot.txt": DEPOT,
    "traffic.txt": OTHER_DEPOT,
}
LIBRARIES = {"library.txt", "branches/library.txt", "branches/library copy.txt"}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, index_folder: Callable[..., SyncReport]) -> Path:
    folder = tmp_path_factory.mktemp("docs")
    for name, text in DOCUMENTS.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    data_dir = tmp_path_factory.mktemp("data")
    index_folder(folder, data_dir)
    return data_dir


@pytest.fixture(scope="module")
def chatbot(data: Path, open_chatbot: Callable[..., Chatbot]) -> Chatbot:
    return open_chatbot(data, refusal_threshold=0.2)


def relations(data_dir: Path) -> dict[str, Relation]:
    catalogue = Catalogue(Settings(data_dir=data_dir).catalogue_url())
    try:
        return catalogue.relations()
    finally:
        catalogue.close()


def cited(answer: Answer) -> list[list[str]]:
    """Return for each statement the documents that it cites."""
    document = {citation.number: citation.document_id for citation in answer.citations}
    return [[document[number] for number in statement.citations] for statement in answer.statements]


def test_copies_and_versions_are_known_after_indexing(data: Path) -> None:
    found = relations(data)
    library = found["library.txt"].copies
    assert {one for one, relation in found.items() if relation.copies == library} == LIBRARIES
    assert set(found) == LIBRARIES | {"fares-2023.txt", "fares-2024.txt"}
    assert [one for one, relation in found.items() if relation.series] == ["fares-2023.txt", "fares-2024.txt"]


def test_relations_follow_the_folder(tmp_path: Path, index_folder: Callable[..., SyncReport]) -> None:
    folder, data_dir = tmp_path / "docs", tmp_path / "data"
    folder.mkdir()
    for name in ("fares-2023.txt", "library.txt"):
        (folder / name).write_text(DOCUMENTS[name], encoding="utf-8")
    index_folder(folder, data_dir)
    assert relations(data_dir) == {}
    (folder / "fares-2024.txt").write_text(DOCUMENTS["fares-2024.txt"], encoding="utf-8")
    (folder / "again.txt").write_text(LIBRARY, encoding="utf-8")
    index_folder(folder, data_dir)
    assert set(relations(data_dir)) == {"fares-2023.txt", "fares-2024.txt", "library.txt", "again.txt"}
    (folder / "library.txt").write_text(PARK, encoding="utf-8")
    index_folder(folder, data_dir)
    assert set(relations(data_dir)) == {"fares-2023.txt", "fares-2024.txt"}


def test_copies_do_not_crowd_out_other_evidence_and_are_not_lost(chatbot: Chatbot) -> None:
    retrieved = chatbot.search("How many books does the library lend?", top_k=20).retrieved
    found = [entry.document_id for entry in retrieved]
    assert set(found) == set(DOCUMENTS)
    copies = [entry for entry in retrieved if entry.document_id in LIBRARIES]
    assert found.index("school.txt") < found.index(copies[1].document_id)
    assert [round(copies[0].score / copy.score) for copy in copies] == [1, 2, 4]
    scores = [entry.score for entry in retrieved]
    assert scores == sorted(scores, reverse=True)


def test_the_newer_version_answers_and_the_older_is_named_beside_it(chatbot: Chatbot) -> None:
    answer = chatbot.ask("What does a ticket to Mui Wo cost?")
    assert cited(answer) == [["fares-2024.txt"], ["fares-2023.txt"]]
    assert answer.statements[0].text == "A ticket to Mui Wo costs HK$17 on weekdays."
    assert answer.statements[1].text == (
        "An earlier version said otherwise: A ticket to Mui Wo costs HK$15 on weekdays."
    )
    assert answer.statements[1].support == "quoted"


def test_a_question_that_names_the_older_version_is_answered_from_it(chatbot: Chatbot) -> None:
    answer = chatbot.ask("What did a ticket to Mui Wo cost in 2023?")
    assert cited(answer) == [["fares-2023.txt"]]
    assert chatbot.search("What did a ticket to Mui Wo cost in 2023?").retrieved[0].document_id == "fares-2023.txt"


def test_what_all_versions_say_is_said_once(chatbot: Chatbot) -> None:
    answer = chatbot.ask("What does a monthly pass cost for adults?")
    assert {document_id for one in cited(answer) for document_id in one} == {"fares-2024.txt"}
    assert answer.statements[0].text == "A monthly pass costs HK$500 for adults."


@pytest.mark.parametrize(
    ("question", "values", "introduction"),
    [
        ("When was the town park opened?", ("3 May", "9 May"), "Another document says otherwise: "),
        ("東涌巴士車廠可停泊多少輛巴士？", ("二百輛", "三百輛"), "另一份文件的說法不同："),
        ("东涌巴士车厂可停泊多少辆巴士？", ("二百輛", "三百輛"), "另一份文件的说法不同："),
    ],
)
def test_documents_that_disagree_are_both_shown(
    chatbot: Chatbot, question: str, values: tuple[str, str], introduction: str
) -> None:
    answer = chatbot.ask(question)
    assert answer.kind == "answer"
    said, otherwise = answer.statements
    assert not said.text.startswith(introduction)
    assert otherwise.text.startswith(introduction)
    assert {value for value in values for one in (said, otherwise) if value in one.text} == set(values)
    first, second = cited(answer)
    assert first != second
    for citation in answer.citations:
        document = chatbot.document(citation.document_id)
        assert document is not None
        assert document.text[citation.start : citation.end] == citation.quote
