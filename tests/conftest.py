"""Shared fixtures: the real embedding model, loaded once, and real indexes in temporary folders."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.chatbot import Chatbot
from bot.language_model import LanguageModel
from bot.settings import Settings
from bot.stages.judgement.answerability import load_calibration
from index.embedding.embedder import CachingEmbedder
from index.embedding.sentence_transformer import SentenceTransformerEmbedder
from index.search.retriever import Retriever
from index.store.catalogue import Catalogue
from index.sync import SyncReport, synchronise
from tests.support.postgresql_server import PostgresqlServer, find_programs

SEEDS = Path(__file__).parent.parent / "seeds"


@pytest.fixture(scope="session")
def embedder() -> SentenceTransformerEmbedder:
    """The packaged embedding model."""
    return SentenceTransformerEmbedder()


@pytest.fixture(scope="session")
def open_chatbot(embedder: SentenceTransformerEmbedder) -> Iterator[Callable[[Path], Chatbot]]:
    """Opens a chatbot over a data folder, with the model that is loaded already."""
    opened: list[Chatbot] = []

    def open_one(
        data_dir: Path, language_model: LanguageModel | None = None, secret: str = "", **settings: object
    ) -> Chatbot:
        chosen = Settings(data_dir=data_dir, **{"answerer": "local" if language_model else "extractive", **settings})
        catalogue = Catalogue(chosen.catalogue_url())
        remembering = CachingEmbedder(embedder)
        chatbot = Chatbot(
            settings=chosen,
            catalogue=catalogue,
            retriever=Retriever(catalogue, remembering, data_dir, chosen.fusion()),
            embedder=remembering,
            calibration=load_calibration(),
            version="test",
            language_model=language_model,
            secret=secret,
        )
        opened.append(chatbot)
        return chatbot

    yield open_one
    for chatbot in opened:
        chatbot.close()


@pytest.fixture(scope="session")
def index_folder(embedder: SentenceTransformerEmbedder) -> Callable[..., SyncReport]:
    """Brings a data folder in line with a path."""

    def index_one(path: Path, data_dir: Path, *, database_url: str = "", **options: bool) -> SyncReport:
        settings = Settings(data_dir=data_dir, **({"database_url": database_url} if database_url else {}))
        catalogue = Catalogue(settings.catalogue_url())
        try:
            return synchronise([path], settings, catalogue, embedder, **options)
        finally:
            catalogue.close()

    return index_one


@pytest.fixture
def own_seed_data(seed_data: Path, tmp_path: Path) -> Path:
    """A copy of `seed_data` that a test may change.

    Another process makes it: closing a database file here drops the locks that SQLite holds on it here, and whoever
    closes it next takes its log away (https://sqlite.org/howtocorrupt.html, "posix advisory locks").
    """
    subprocess.run(["cp", "-R", str(seed_data), str(tmp_path / "data")], check=True)
    return tmp_path / "data"


@pytest.fixture(scope="session")
def seed_data(tmp_path_factory: pytest.TempPathFactory, index_folder: Callable[..., SyncReport]) -> Path:
    """A data folder with the seed documents indexed."""
    data_dir = tmp_path_factory.mktemp("seed_data")
    index_folder(SEEDS, data_dir)
    return data_dir


@pytest.fixture(scope="session")
def seed_chatbot(seed_data: Path, open_chatbot: Callable[[Path], Chatbot]) -> Chatbot:
    """A chatbot over the seed documents."""
    return open_chatbot(seed_data)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresqlServer]:
    """A PostgreSQL server of our own; tests that need it are skipped where it is not installed."""
    programs = find_programs()
    if programs is None:
        pytest.skip("PostgreSQL's server programs are not installed (Debian's package postgresql)")
    with tempfile.TemporaryDirectory(prefix="footnote-postgresql-") as folder:  # a socket's path must be short
        server = PostgresqlServer(programs, Path(folder))
        try:
            server.start()
            yield server
        finally:
            server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'footnote.db'}"
    server: PostgresqlServer = request.getfixturevalue("postgresql")
    return server.make_database()
