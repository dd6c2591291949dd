"""A folder as people have it: every file is indexed or named, and what stands in any format is found and cited."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.chatbot import Chatbot
from index.sync import SyncReport
from tests.support.documents.town import Fact, write_town

_DEBIAN = Path("/usr/share/doc")
_LARGEST = 20_000
_ROWS = 3  # of every corpus


def copy_debian_files(folder: Path, most: int) -> int:
    """Copy some of the documents that Debian's packages bring, where there are any; return how many."""
    found = (path for suffix in ("html", "txt", "md") for path in sorted(_DEBIAN.rglob(f"*.{suffix}")))
    usable = [path for path in found if path.is_file() and 500 < path.stat().st_size < _LARGEST][::7][:most]
    for number, path in enumerate(usable):
        (folder / f"debian{number}{path.suffix}").write_bytes(path.read_bytes())
    return len(usable)


@pytest.mark.parametrize(
    ("files", "facts", "debian"),
    [(48, 12, 6), pytest.param(210, 40, 30, marks=pytest.mark.slow)],
    ids=["some of every format", "all"],
)
def test_a_folder_of_every_format(
    tmp_path: Path,
    files: int,
    facts: int,
    debian: int,
    index_folder: Callable[..., SyncReport],
    open_chatbot: Callable[[Path], Chatbot],
) -> None:
    folder = tmp_path / "town"
    planted = write_town(folder, files, facts)
    copy_debian_files(folder, debian)
    on_disk = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    report = index_folder(folder, tmp_path / "data")
    chatbot = open_chatbot(tmp_path / "data")
    corpora = {name for name in on_disk if name.endswith(".jsonl")}
    assert not report.failed
    assert on_disk - corpora == set(report.added) & on_disk
    assert len(set(report.added) - on_disk) == _ROWS * len(corpora)
    wrong = [problem for fact in planted for problem in problems(chatbot, fact)]
    assert not wrong


def problems(chatbot: Chatbot, fact: Fact) -> list[str]:
    """Return what is wrong with the answer to a question about a planted fact."""
    answer = chatbot.ask(fact.question)
    cited = [one for one in answer.citations if fact.answer in one.quote and one.document_id == fact.document_id]
    if not cited:
        return [f"{fact.document_id}: {answer.text!r}"]
    document = chatbot.document(fact.document_id)
    assert document is not None
    section = document.section_at(cited[0].start)
    if cited[0].page != fact.page:
        return [f"{fact.document_id}: page {cited[0].page}"]
    if fact.section is not None and (section is None or section.title != fact.section):
        return [f"{fact.document_id}: section {section}"]
    return []
