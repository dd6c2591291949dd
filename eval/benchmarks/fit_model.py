"""Fits how far a language model is trusted: its judgement of the excerpts, and of the answer that it wrote.

Examples are questions whose answer is known. Each is written to a file as soon as it is there, because a model on two
cores takes seconds for each; a run that was stopped goes on. Every set weighs the same, whatever its size. Figures are
out of sample, in five folds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from sklearn.model_selection import KFold

from bot.build import build_chatbot
from bot.chatbot import Chatbot, Examination
from bot.language_model import LanguageModel
from bot.settings import Settings
from bot.stages.judgement.answerability import answer_names, answer_row, excerpt_names, excerpt_row, load_calibration
from bot.stages.logistic import LogisticModel
from eval.benchmarks.fit_extractive import auroc_or_nan, describe_model, fit_logistic
from eval.benchmarks.record_file import IdentifiedRecord, open_records
from eval.benchmarks.sets.public_set import BenchmarkSet, Query, index_corpus
from eval.benchmarks.sets.set_measures import is_right
from eval.benchmarks.sets.set_run import ShowProgress, open_for_queries
from eval.benchmarks.sets.stored_answer import fingerprint
from eval.measures.confidence import calibration_error
from eval.measures.correctness import what_is_wrong_with
from eval.suites.golden import SMALL_TALK
from eval.suites.suite import Suite
from index.embedding.embedder import Embedder
from prompts.replies import prompts_hash

_FOLDS = 5
# Features that speak against an answer; all others speak for it. A weight of the other sign would be an accident of a
# few hundred examples, so none is allowed.
_NEGATIVE = frozenset(("is_wide", "departs"))


class ModelExample(IdentifiedRecord):
    """One question, the features that a model's judgement gave, and what is true.

    Attributes:
        excerpt_features: Of the model's judgement of the excerpts; empty where it was not asked.
        answer_features: Of its judgement of the answer it wrote; None when nothing was written.
        right: Whether what the model wrote is right; where a set's answers cannot be compared, whether there is one.
        answerable: Whether the documents hold an answer.
    """

    group: str
    excerpt_features: tuple[float, ...]
    answer_features: tuple[float, ...] | None
    right: bool
    answerable: bool
    written: str


class ExampleCollector:
    """Makes examples of questions, with one language model running through all sets.

    Args:
        settings: Of the chatbot; its data folder is replaced by that of the set.
        embedder: The embedding model, loaded once.
        language_model: The model whose judgements are collected.
    """

    def __init__(self, settings: Settings, embedder: Embedder, language_model: LanguageModel) -> None:
        self._settings = settings
        self._embedder = embedder
        self._model = language_model

    def collect_set(self, chosen: BenchmarkSet, work: Path, progress: ShowProgress) -> list[ModelExample]:
        """Return the examples of a set, asking only what no file below `work` holds."""

        def ask(missing: Set[str]) -> Iterator[ModelExample]:
            for collection in chosen.collections:
                queries = [query for query in collection.queries if query.query_id in missing]
                for query, chatbot in open_for_queries(collection, queries, self, work):
                    yield _of_query(chosen, query, chatbot)

        ids = [query.query_id for query in chosen.queries]
        return self._collect(chosen.name.replace("/", "-"), ids, ask, work, progress)

    def collect_suite(self, suite: Suite, work: Path, progress: ShowProgress) -> list[ModelExample]:
        """Return the examples of a golden suite about the index that the settings name; kept likewise."""
        name = Path(suite.path).stem
        questions = {one.id: one for one in suite.questions if SMALL_TALK not in one.tags}
        with closing(build_chatbot(self._settings, self._embedder, self._model)) as chatbot:

            def ask(missing: Set[str]) -> Iterator[ModelExample]:
                for question in (one for one in questions.values() if one.id in missing):
                    found = chatbot.examine(question.question, question.history)
                    said = bool(written := _written(found)) and not what_is_wrong_with(question, written)
                    yield _example(name, question.id, found, said=said, answerable=question.answerable)

            index = chatbot.overview().fingerprint[:12]
            return self._collect(f"{name}-{index}", list(questions), ask, work, progress)

    def _collect(
        self,
        name: str,
        ids: Sequence[str],
        ask: Callable[[Set[str]], Iterable[ModelExample]],
        work: Path,
        progress: ShowProgress,
    ) -> list[ModelExample]:
        depends_on = {
            "prompts": prompts_hash(),
            "features": answer_names(),
            "language_model": self._model.name,
            "embedding_model": self._embedder.model_id,
            "sentence_model": repr(load_calibration().sentence),
        }
        path = work / "opinions" / f"{name}.{fingerprint(depends_on)}.jsonl"
        with open_records(path, ModelExample, depends_on) as kept:
            missing = frozenset(ids) - kept.records.keys()
            with progress(name, len(missing)) as advance:
                for example in ask(missing):
                    kept.add(example)
                    advance()
            return [kept.records[one] for one in ids if one in kept.records]

    @contextmanager
    def open(self, corpus: Path, data_dir: Path) -> Iterator[Chatbot]:
        """Index a corpus, unless it is there already, and yield a chatbot over it."""
        settings = index_corpus(corpus, data_dir, self._settings, self._embedder)
        with closing(build_chatbot(settings, self._embedder, self._model)) as chatbot:
            yield chatbot


def _of_query(chosen: BenchmarkSet, query: Query, chatbot: Chatbot) -> ModelExample:
    found = chatbot.examine(query.question, query.history)
    written = _written(found)
    checkable = chosen.protocol.compare != "none" and bool(query.answers)
    said = is_right(chosen.protocol, query.answers, written) if checkable else bool(written)
    return _example(chosen.name, query.query_id, found, said=said, answerable=query.answerable)


def _example(group: str, question_id: str, found: Examination, *, said: bool, answerable: bool) -> ModelExample:
    excerpts, answer = found.judgement.features, found.written and found.written.features
    return ModelExample(
        group=group,
        id=question_id,
        excerpt_features=excerpt_row(excerpts) if excerpts else (),
        answer_features=answer_row(excerpts, answer) if excerpts and answer else None,
        right=answerable and said,
        answerable=answerable,
        written=_written(found),
    )


def _written(found: Examination) -> str:
    return " ".join(one.shown() for one in found.written.sentences) if found.written else ""


@dataclass(frozen=True, slots=True)
class ModelFigures:
    """How well one judgement of a model does on one set, out of sample.

    Attributes:
        judge: `glance` for the judgement of the excerpts, `opinion` for that of the answer, as in `calibration.json`.
        auroc: Of the probability, for whether the question is answerable; not a number where all or none are.
        auroc_right: Of the probability, for whether the written answer is right.
        calibration_error: Expected calibration error against "right".
    """

    judge: str
    group: str
    questions: int
    answerable: int
    right: int
    auroc: float
    auroc_right: float
    calibration_error: float


def fit_model_judges(examples: Sequence[ModelExample]) -> tuple[dict[str, LogisticModel], list[ModelFigures]]:
    """Return the models `glance` and `opinion`, and their figures out of sample."""
    models: dict[str, LogisticModel] = {}
    figures: list[ModelFigures] = []
    for judge, names, pairs in (
        ("glance", excerpt_names(), [(one, one.excerpt_features) for one in examples]),
        ("opinion", answer_names(), [(one, one.answer_features) for one in examples]),
    ):
        usable = [one for one, features in pairs if features]
        rows = np.array([features for _, features in pairs if features], dtype=float)
        right = np.array([one.right for one in usable])
        answerable = np.array([one.answerable for one in usable])
        groups = np.array([one.group for one in usable])
        weights = np.array([1 / (groups == group).sum() for group in groups])
        scores = np.zeros(len(usable))
        for train, test in KFold(_FOLDS, shuffle=True, random_state=0).split(rows):
            model = fit_logistic(names, rows[train], right[train], weights[train], _NEGATIVE)
            scores[test] = [model.probability(row) for row in rows[test]]
        models[judge] = fit_logistic(names, rows, right, weights, _NEGATIVE)
        figures += [
            ModelFigures(
                judge=judge,
                group=str(group),
                questions=int(chosen.sum()),
                answerable=int(answerable[chosen].sum()),
                right=int(right[chosen].sum()),
                auroc=auroc_or_nan(answerable[chosen], scores[chosen]),
                auroc_right=auroc_or_nan(right[chosen], scores[chosen]),
                calibration_error=round(calibration_error(np.column_stack([scores[chosen], right[chosen]])), 4),
            )
            for group in sorted(set(groups))
            for chosen in [groups == group]
        ]
    return models, figures


def describe_model_judges(
    models: dict[str, LogisticModel], figures: Sequence[ModelFigures], model_name: str
) -> dict[str, object]:
    """Return what goes into `calibration.json`: parameters, and how they came about."""
    return {
        **{judge: describe_model(model) for judge, model in models.items()},
        "opinion_provenance": {
            "made_by": "footnote eval fit-opinion",
            "language_model": model_name,
            "out_of_sample": [asdict(one) for one in figures],
        },
    }
