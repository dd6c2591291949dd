"""Three web machines, an indexer, PostgreSQL and a Chroma server, each ended or frozen in turn while documents change.

The only thing the machines share is the two servers. Whatever happens, an answer is of the text that was live when it
was asked for, no document is lost, and all are back by themselves.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.settings import Settings
from index.embedding.sentence_transformer import SentenceTransformerEmbedder
from index.errors import DatabaseUnavailableError, IndexBusyError
from index.search.chroma_server import chroma_server
from index.store.catalogue import Catalogue
from index.sync import synchronise
from tests.support.chroma_process import ChromaProcess
from tests.support.postgresql_server import PostgresqlServer
from tests.support.web_machine import WebMachine

ISLANDS = ("Aldermere", "Brackwater", "Corvane", "Dunholm", "Elverness", "Farrowby", "Gullhaven", "Harrowick")
BACK_WITHIN = 240.0  # seconds, on a machine that does much else
_BETWEEN_RUNS = 2.0  # seconds: each run has every web machine build its files again


class Island:
    """A document that is changed: its first ferry leaves at 6:00, then 6:01, and so on."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self._file = folder / f"{name.lower()}.txt"
        self.live = 0  # this version or a later one
        self.written = -1

    def write(self) -> None:
        self.written += 1
        self._file.write_text(self.text(self.written), encoding="utf-8")

    def text(self, version: int) -> str:
        time_of_day = f"{6 + version // 60}:{version % 60:02}"
        return f"Ferries to {self.name}\n\nThe first ferry to {self.name} leaves at {time_of_day} am.\n"

    def question(self) -> str:
        return f"When does the first ferry to {self.name} leave?"


class Collection:
    """The documents, and a run of the indexer over them as often as it can."""

    def __init__(self, folder: Path, settings: Settings, embedder: SentenceTransformerEmbedder) -> None:
        folder.mkdir()
        self.islands = [Island(name, folder) for name in ISLANDS]
        for island in self.islands:
            island.write()
        self.runs = 0
        self._folder = folder
        self._settings = settings
        self._embedder = embedder

    def index(self, catalogue: Catalogue) -> None:
        written = [island.written for island in self.islands]
        synchronise([self._folder], self._settings, catalogue, self._embedder)
        for island, version in zip(self.islands, written, strict=True):
            island.live = version
        self.runs += 1

    def until_indexed_again(self) -> None:
        """Wait for a run that began after now."""
        runs, deadline = self.runs, time.monotonic() + BACK_WITHIN
        while self.runs < runs + 2:
            assert time.monotonic() < deadline, "nothing is indexed any more"
            time.sleep(0.1)

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Change documents and index them, again and again, over every failure of the servers."""
        stop = threading.Event()
        faults: list[BaseException] = []

        def go_on() -> None:
            with closing(Catalogue(self._settings.catalogue_url())) as catalogue:
                for island in itertools.cycle(self.islands):
                    if stop.is_set():
                        return
                    island.write()
                    try:
                        self.index(catalogue)
                    except (DatabaseUnavailableError, IndexBusyError):
                        pass  # tried again; busy is its own lock, until the server has freed it
                    except BaseException as error:
                        faults.append(error)
                        raise
                    stop.wait(_BETWEEN_RUNS)

        indexer = threading.Thread(target=go_on, name="indexer")
        indexer.start()
        try:
            yield
        finally:
            stop.set()
            indexer.join()
        assert faults == []


class Proxy:
    """Sends each question to the next machine, past those that are not there."""

    def __init__(self, machines: list[WebMachine], islands: list[Island]) -> None:
        self._machines = itertools.cycle(machines)
        self._count = len(machines)
        self._islands = itertools.cycle(islands)

    def ask_next(self) -> str:
        """Ask about the next island; return what was said instead of an answer, nothing where there was one."""
        island = next(self._islands)
        for _ in range(self._count):
            oldest = island.live
            try:
                found = next(self._machines).ask(island.question())
            except httpx.TransportError:
                continue
            return check(island, oldest, found)
        return "no machine is there"


def check(island: Island, oldest: int, found: dict[str, Any] | str) -> str:
    """Fail for a wrong answer; return what was said instead of an answer, nothing where there was one."""
    if isinstance(found, str):
        return found
    if found["kind"] != "answer":
        return str(found["refusal"]["reason"])
    allowed = [island.text(version) for version in range(oldest, island.written + 1)]
    for citation in found["citations"]:
        if citation["document_id"] == f"{island.name.lower()}.txt":
            assert any(text[citation["start"] : citation["end"]] == citation["quote"] for text in allowed), citation
    said = [text.splitlines()[2] for text in allowed]
    assert any(sentence in found["text"] for sentence in said), (found["text"], said)
    return ""


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("outage", "restart"), [(2.5, False), pytest.param(30.0, True, marks=pytest.mark.slow)])
def test_no_wrong_answer_and_no_lost_document_while_parts_are_away(
    outage: float,
    tmp_path: Path,
    postgresql: PostgresqlServer,
    embedder: SentenceTransformerEmbedder,
    *,
    restart: bool,
) -> None:
    chroma = ChromaProcess(tmp_path)
    servers = {"database_url": postgresql.make_database(), "chroma_url": chroma.url}
    unlimited = {"visitor_requests": "", "visitor_questions": "", "all_questions": ""}
    environment = {f"FOOTNOTE_{name.upper()}": value for name, value in (servers | unlimited).items()}
    machines = [WebMachine(tmp_path / f"web{number}", environment) for number in range(3)]
    settings = Settings(data_dir=tmp_path / "indexer", **servers)
    collection = Collection(tmp_path / "documents", settings, embedder)
    proxy = Proxy(machines, collection.islands)
    try:
        chroma.start()
        with closing(Catalogue(settings.catalogue_url())) as catalogue:
            collection.index(catalogue)
        for machine in machines:
            machine.start()
        for machine in machines:
            machine.wait()
        with collection.changing():
            assert ask_for(outage, proxy) == []
            for victim in machines[:2]:
                victim.kill()
                assert ask_for(outage, proxy) == []
                if restart:
                    victim.start()
                    victim.wait()
            with chroma.frozen():
                assert ask_for(outage, proxy) == []
            chroma.stop()
            assert ask_for(outage, proxy) == []
            chroma.start()
            postgresql.stop()
            said = ask_for(outage, proxy)
            assert said
            assert all("database" in words for words in said)
            postgresql.start()
            back = machines if restart else machines[2:]
            for machine in back:
                until_right(machine, collection.islands[0])
            collection.until_indexed_again()
        with closing(Catalogue(settings.catalogue_url())) as catalogue:
            collection.index(catalogue)
            assert [one.document_id for one in catalogue.summaries()] == [f"{name.lower()}.txt" for name in ISLANDS]
            server = chroma_server(settings, catalogue)
            assert server is not None
            with closing(server):
                assert server.find(catalogue.property("generation")).chunks == catalogue.count_chunks()
        for machine in back:
            for island in collection.islands:
                assert check(island, island.written, machine.ask(island.question())) == ""
            assert "Traceback" not in machine.said()
    finally:
        for machine in machines:
            machine.kill()
        chroma.stop()


def ask_for(seconds: float, proxy: Proxy) -> list[str]:
    """Ask, one question after the other, for so long; return what was said instead of answers."""
    begin = time.monotonic()
    said = []
    while not said or time.monotonic() - begin < seconds:
        said.append(proxy.ask_next())
    return [words for words in said if words]


def until_right(machine: WebMachine, island: Island) -> None:
    """Ask until the machine answers again."""
    deadline = time.monotonic() + BACK_WITHIN
    while said := check(island, island.live, machine.ask(island.question())):
        assert time.monotonic() < deadline, said
