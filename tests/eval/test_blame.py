"""A fault is planted in one stage; the blame must fall on it. Real index, real retrieval; the model is an oracle."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import regex
import sqlalchemy as sa

from bot.answer.conversation import Turn
from bot.answer.trace import TracedAnswer
from bot.chatbot import Chatbot
from bot.language_model import Prompt
from bot.settings import Settings
from bot.stages.judgement.answerability import Calibration, load_calibration
from bot.storage.library import Library
from eval.measures.answered import AnsweredQuestion
from eval.report.report import Blame
from eval.run.attribution import Traceable, blame_for
from eval.run.suite_run import stored_texts
from eval.suites.golden import GoldenQuestion
from index.document import Document, RetrievedChunk
from index.embedding.embedder import CachingEmbedder, Embedder
from index.search.retriever import Retriever
from index.store.catalogue import Catalogue
from index.sync import SyncReport
from tests.support.scripted_model import ScriptedModel

TOPICS = {"ferry": 1951, "museum": 1962, "library": 1973, "garden": 1984, "bridge": 1995}
# What is said of every topic, long enough that a model is not shown all of it.
SENTENCES = (
    "The {0} belongs to the city and is looked after by a team of people who live close by and know it well.",
    "The {0} was opened to the public in {1}, after many years of work and after two changes of the plans.",
    "Visitors reach the {0} by the tram that runs along the coast, or on foot through the old part of the town.",
    "The walls of the {0} are painted white every second spring, when there is little rain and much light.",
    "School classes come to the {0} on Tuesdays, and they are shown around by two teachers who have retired.",
    "A shop beside the {0} sells postcards, tea and small models made of wood by a carpenter from the hills.",
    "The sign at the gate of the {0} was drawn by a painter whose name nobody has been able to find out.",
    "In winter the {0} closes early because the lamps on the road are old and the council has yet to replace them.",
    "People who want to marry at the {0} write to the town hall, which answers within a few weeks.",
    "The garden chairs around the {0} were given by a hotel that had bought too many of them by mistake.",
    "Cats are welcome at the {0}, and one of them has slept on the same window sill for most of its life.",
    "Two books have been written about the {0}, both of them by the same author and both of them out of print.",
)


@dataclass(frozen=True)
class World:
    """A chatbot, and one question for each topic that it answers rightly when nothing is broken."""

    chatbot: Traceable
    questions: tuple[GoldenQuestion, ...]

    def blame(self, question: GoldenQuestion) -> Blame | None:
        """Return the blame for a question, or None when it is answered as it should be."""
        traced = self.chatbot.trace(question.question, question.history)
        asked = AnsweredQuestion(question, traced.answer, stored_texts(self.chatbot))  # type: ignore[arg-type]
        shown = question.answerable and all(any(p in traced.answer.text for p in group) for group in question.expect)
        is_right = traced.answer.kind == ("answer" if question.answerable else "refusal")
        return None if is_right and (shown or not question.answerable) else blame_for(self.chatbot, asked)


def _oracle(*, lies: bool = False) -> ScriptedModel:
    """Return a model that finds the sentence about opening; one that lies answers with another time."""

    def sentence(prompt: Prompt) -> str | None:
        lines = [line for line in prompt.user.splitlines() if line.startswith("[")]
        if lies:
            return next((line for line in lines if regex.search("spring|Tuesdays|winter", line)), None)
        return next((line for line in lines if "opened to the public" in line), None)

    def odds(prompt: Prompt) -> float:
        if "Statement:" in prompt.user:
            return 3.0
        return 4.0 if "opened" in prompt.user.rpartition("Question:")[2] and sentence(prompt) else -4.0

    return ScriptedModel(write=lambda prompt: f"Yes {line}" if (line := sentence(prompt)) else "No", odds=odds)


def _golden(topic: str, year: int, **changes: object) -> GoldenQuestion:
    sentence = SENTENCES[1].format(topic, year)
    evidence = [{"any_of": [{"document_id": f"{topic}.txt", "quote": sentence}]}]
    row = {"id": topic, "question": f"When was the {topic} opened?", "expect": [[str(year)]], "evidence": evidence}
    return GoldenQuestion.model_validate({**row, **changes})


GOLDEN = tuple(_golden(topic, year) for topic, year in TOPICS.items())


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("library")
    for topic, year in TOPICS.items():
        text = " ".join(sentence.format(topic, year) for sentence in SENTENCES)
        (folder / f"{topic}.txt").write_text(text + "\n", encoding="utf-8")
    return folder


Open = Callable[..., Chatbot]


@pytest.fixture(scope="session")
def indexed(tmp_path_factory: pytest.TempPathFactory, library: Path, index_folder: Callable[..., SyncReport]) -> Path:
    data_dir = tmp_path_factory.mktemp("library_data")
    index_folder(library, data_dir)
    return data_dir


@pytest.fixture(scope="session")
def remembering(embedder: Embedder) -> Embedder:
    return CachingEmbedder(embedder)


@pytest.fixture
def build(
    tmp_path: Path, indexed: Path, remembering: Embedder, index_folder: Callable[..., SyncReport]
) -> Iterator[Open]:
    opened: list[Chatbot] = []
    shutil.copytree(indexed, tmp_path, dirs_exist_ok=True)

    def open_one(
        model: ScriptedModel,
        *,
        calibration: Calibration | None = None,
        retriever: type[Retriever] = Retriever,
        statement: str = "",
        folder: Path | None = None,
    ) -> Chatbot:
        if folder:
            index_folder(folder, tmp_path)
        settings = Settings(data_dir=tmp_path, answerer="local")
        catalogue = Catalogue(settings.catalogue_url())
        if statement:
            with sa.create_engine(settings.catalogue_url()).begin() as connection:
                connection.execute(sa.text(statement))
        chatbot = Chatbot(
            settings=settings,
            catalogue=catalogue,
            retriever=retriever(catalogue, remembering, tmp_path),
            embedder=remembering,
            calibration=calibration or load_calibration(),
            version="test",
            language_model=model,
        )
        opened.append(chatbot)
        return chatbot

    yield open_one
    for chatbot in opened:
        chatbot.close()


class LosingRetriever(Retriever):
    """Finds everything but the chunks that hold what is asked for."""

    def retrieve(self, questions: Sequence[str], limit: int, conversation: Sequence[str] = ()) -> list[RetrievedChunk]:
        """Return what the index holds, without the year of opening."""
        return [
            one
            for one in super().retrieve(questions, limit, conversation)
            if "opened to the public" not in one.chunk.text
        ]


class StaleRetriever(Retriever):
    """Finds chunks as they once were: what is quoted from them stands in no document."""

    def retrieve(self, questions: Sequence[str], limit: int, conversation: Sequence[str] = ()) -> list[RetrievedChunk]:
        """Return what the index holds, with one letter changed in the sentence that matters."""
        found = super().retrieve(questions, limit, conversation)
        return [
            replace(
                one,
                chunk=replace(one.chunk, text=one.chunk.text.replace("to the public in", "to the public In")),
            )
            for one in found
        ]


@dataclass(frozen=True)
class Forgetful:
    """Understands a follow-up without the word that matters."""

    chatbot: Chatbot

    def trace(self, question: str, history: Sequence[Turn] = ()) -> TracedAnswer:
        """Return the trace of the question, its main word lost when there is a history."""
        if not history:
            return self.chatbot.trace(question)
        lost = question.replace("opened", "painted")
        traced = self.chatbot.trace(lost)
        return replace(traced, trace=replace(traced.trace, standalone_question=lost))

    @property
    def library(self) -> Library:
        """Return that of the chatbot."""
        return self.chatbot.library

    def document(self, document_id: str) -> Document | None:
        """Return that of the chatbot."""
        return self.chatbot.document(document_id)


def _calibrated(**changes: object) -> Calibration:
    shipped = load_calibration()
    return replace(shipped, **{name: replace(getattr(shipped, name), **change) for name, change in changes.items()})


def _never() -> Calibration:
    return _calibrated(glance={"intercept": -30.0}, opinion={"intercept": -30.0})


def _upside_down() -> Calibration:
    weights = tuple(-weight for weight in load_calibration().sentence.weights)
    return _calibrated(sentence={"weights": weights})


def _reading(build: Open, folder: Path, tmp: Path) -> World:
    damaged = tmp / "damaged"
    damaged.mkdir()
    for path in folder.iterdir():
        text = path.read_text(encoding="utf-8")
        (damaged / path.name).write_text(text.replace("to the public", "to thep ublic"), encoding="utf-8")
    # The oracle no longer finds it either.
    return World(build(_oracle(), folder=damaged), GOLDEN)


def _splitting(build: Open, folder: Path, tmp: Path) -> World:
    lost = (
        "DELETE FROM chunks WHERE chunk_id IN (SELECT chunk_id FROM chunks JOIN documents USING (version_id) "
        "WHERE substr(text, start + 1, \"end\" - start) LIKE '%opened to the public%')"
    )
    return World(build(_oracle(), statement=lost), GOLDEN)


def _retrieval(build: Open, folder: Path, tmp: Path) -> World:
    return World(build(_oracle(), retriever=LosingRetriever), GOLDEN)


def _condensing(build: Open, folder: Path, tmp: Path) -> World:
    history = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hello!"}]
    questions = tuple(_golden(topic, year, history=history) for topic, year in TOPICS.items())
    return World(Forgetful(build(_oracle())), questions)


def _selection(build: Open, folder: Path, tmp: Path) -> World:
    return World(build(_oracle(), calibration=_upside_down()), GOLDEN)


def _judging(build: Open, folder: Path, tmp: Path) -> World:
    return World(build(_oracle(), calibration=_never()), GOLDEN)


def _answering(build: Open, folder: Path, tmp: Path) -> World:
    questions = tuple(
        GoldenQuestion(id=topic, question=f"Who opened the {topic}, and how much was paid?", answerable=False)
        for topic in TOPICS
    )
    return World(build(_oracle()), questions)


def _composing(build: Open, folder: Path, tmp: Path) -> World:
    return World(build(_oracle(lies=True)), GOLDEN)


def _verification(build: Open, folder: Path, tmp: Path) -> World:
    return World(build(_oracle(), retriever=StaleRetriever), GOLDEN)


def _suite(build: Open, folder: Path, tmp: Path) -> World:
    questions = tuple(_golden(topic, year, expect=[[str(year + 1)]]) for topic, year in TOPICS.items())
    return World(build(_oracle()), questions)


FAULTS = (
    ("reading", _reading),
    ("splitting", _splitting),
    ("retrieval", _retrieval),
    ("condensing", _condensing),
    ("selection", _selection),
    ("judging", _judging),
    ("judging", _answering),
    ("composing", _composing),
    ("verification", _verification),
    ("suite", _suite),
)


def test_without_a_fault_everything_is_answered(build: Open) -> None:
    world = World(build(_oracle()), GOLDEN)
    assert [world.blame(question) for question in world.questions] == [None] * len(TOPICS)


@pytest.mark.parametrize(("stage", "plant"), FAULTS, ids=[plant.__name__[1:] for _, plant in FAULTS])
def test_the_stage_with_the_fault_is_blamed(
    stage: str,
    plant: Callable[[Open, Path, Path], World],
    build: Open,
    library: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    world = plant(build, library, tmp_path_factory.mktemp("fault"))
    blamed = [world.blame(question) for question in world.questions]
    # 50 faults in all; the goal was nine in ten. A question that is answered in spite of a fault has nobody to blame.
    harmed = [one for one in blamed if one]
    assert {one.stage for one in harmed} == {stage}
    assert len(harmed) >= len(TOPICS) - 1
    assert all(one.why for one in harmed)
