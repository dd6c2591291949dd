"""What a language model makes of questions whose answer is known: the examples that `footnote eval fit-opinion` fits.

Each is written to a file as soon as it is there, because a model on two cores takes seconds for each; a run that was
stopped goes on.

Fits how far a language model is trusted: its look at the excerpts, and its look at the answer it wrote.

Every set weighs the same, whatever its size. Figures are out of sample, in five folds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import KFold

from bot.build import build_chatbot
from bot.chatbot import Chatbot, Examination
from bot.language_model import LanguageModel
from bot.settings import Settings
from bot.stages.judgement.answerability import answer_names, answer_row, excerpt_names, excerpt_row, load_calibration
from bot.stages.logistic import LogisticModel
from eval.benchmarks.dataset import Query, index_corpus
from eval.benchmarks.fit import describe_model
from eval.benchmarks.sets.outcome import is_right
from eval.benchmarks.sets.run import Progress, open_passages, read_passages
from eval.benchmarks.sets.sets import BenchmarkSet, Collection
from eval.measures.confidence import calibration_error
from eval.measures.correctness import what_is_wrong_with
from eval.suites.golden import SMALL_TALK
from eval.suites.suite import Suite
from index.embedding.embedder import Embedder
from prompts.replies import prompts_hash


class OpinionExample(BaseModel):
    """One question, what the judge sees of it, and what is true.

    Attributes:
        glance: Features of `judge_glance`.
        opinion: Features of `judge_opinion`; None when nothing was written.
        right: Whether what the model wrote is right; where a set's answers are no yardstick, whether there is one.
        answerable: Whether the documents hold an answer.
    """

    model_config = ConfigDict(frozen=True)

    group: str
    id: str
    glance: tuple[float, ...]
    opinion: tuple[float, ...] | None
    right: bool
    answerable: bool
    written: str


class Examiner:
    """Asks a chatbot what it knows of each question before it answers.

    Args:
        settings: Of the chatbot; its data folder is replaced by that of the set.
        embedder: The embedding model, loaded once.
        language_model: The model whose opinions are collected, running through all sets.
    """

    def __init__(self, settings: Settings, embedder: Embedder, language_model: LanguageModel) -> None:
        self._settings = settings
        self._embedder = embedder
        self._model = language_model

    def examine_set(self, chosen: BenchmarkSet, work: Path, progress: Progress) -> list[OpinionExample]:
        """Return the examples of a set, asking only what no file below `work` holds."""

        def ask(missing: Set[str]) -> Iterator[OpinionExample]:
            for collection in chosen.collections:
                queries = [query for query in collection.queries if query.query_id in missing]
                for query, chatbot in self._chatbots(collection, queries, work):
                    yield _examine(chosen, query, chatbot)

        ids = [query.query_id for query in chosen.queries]
        return self._kept(chosen.name.replace("/", "-"), ids, ask, work, progress)

    def examine_suite(self, suite: Suite, work: Path, progress: Progress) -> list[OpinionExample]:
        """Return the examples of a golden suite about the index that the settings name; kept likewise."""
        name = Path(suite.path).stem
        questions = {one.id: one for one in suite.questions if SMALL_TALK not in one.tags}
        with closing(build_chatbot(self._settings, self._embedder, self._model)) as chatbot:

            def ask(missing: Set[str]) -> Iterator[OpinionExample]:
                for question in (one for one in questions.values() if one.id in missing):
                    found = chatbot.examine(question.question, question.history)
                    said = bool(written := _shown(found)) and not what_is_wrong_with(question, written)
                    yield _example(name, question.id, found, said=said, answerable=question.answerable)

            index = chatbot.overview().fingerprint[:12]
            return self._kept(f"{name}-{index}", list(questions), ask, work, progress)

    def _kept(
        self,
        name: str,
        ids: Sequence[str],
        ask: Callable[[Set[str]], Iterator[OpinionExample]],
        work: Path,
        progress: Progress,
    ) -> list[OpinionExample]:
        path = work / "opinions" / f"{name}.{self._fingerprint()}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        known = {example.id: example for example in _read(path)}
        missing = frozenset(ids) - known.keys()
        with path.open("a", encoding="utf-8") as file, progress(name, len(missing)) as advance:
            for example in ask(missing):
                known[example.id] = example
                file.write(example.model_dump_json() + "\n")
                file.flush()
                advance()
        return [known[one] for one in ids if one in known]

    def _chatbots(self, collection: Collection, queries: list[Query], work: Path) -> Iterator[tuple[Query, Chatbot]]:
        if not queries:
            return
        if collection.own_passages:
            passages = read_passages(collection.corpus)
            for query in queries:
                with open_passages(query, passages, self) as chatbot:
                    yield query, chatbot
            return
        with ExitStack() as stack:
            chatbot = stack.enter_context(self.open(collection.corpus, work / collection.name))
            yield from ((query, chatbot) for query in queries)

    @contextmanager
    def open(self, corpus: Path, data_dir: Path) -> Iterator[Chatbot]:
        """Index a corpus, unless it is there already, and yield a chatbot over it."""
        settings = index_corpus(corpus, data_dir, self._settings, self._embedder)
        with closing(build_chatbot(settings, self._embedder, self._model)) as chatbot:
            yield chatbot

    def _fingerprint(self) -> str:
        made_of = (
            prompts_hash(),
            answer_names(),
            self._model.name,
            self._embedder.model_id,
            repr(load_calibration().sentence),
        )
        return hashlib.sha256(json.dumps(made_of).encode()).hexdigest()[:12]


def _examine(chosen: BenchmarkSet, query: Query, chatbot: Chatbot) -> OpinionExample:
    found = chatbot.examine(query.question, query.history)
    written = _shown(found)
    checkable = chosen.protocol.compare != "none" and bool(query.answers)
    said = is_right(chosen.protocol, query.answers, written) if checkable else bool(written)
    return _example(chosen.name, query.query_id, found, said=said, answerable=query.answerable)


def _example(group: str, question_id: str, found: Examination, *, said: bool, answerable: bool) -> OpinionExample:
    read, written = found.judgement.features, found.written and found.written.features
    return OpinionExample(
        group=group,
        id=question_id,
        glance=excerpt_row(read) if read else (),
        opinion=answer_row(read, written) if read and written else None,
        right=answerable and said,
        answerable=answerable,
        written=_shown(found),
    )


def _shown(found: Examination) -> str:
    return " ".join(one.shown() for one in found.written.sentences) if found.written else ""


def _read(path: Path) -> Iterator[OpinionExample]:
    """Yield the examples of a file; a line that was cut off is asked again."""
    if not path.exists():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        with suppress(ValidationError):
            yield OpinionExample.model_validate_json(line)


_FOLDS = 5
_REGULARISATION = 1.0
# What speaks against an answer; everything else speaks for it. A weight of the other sign would be an accident of a few
# hundred examples, so none is allowed.
_AGAINST = frozenset(("is_wide", "departs"))


@dataclass(frozen=True, slots=True)
class OpinionFigures:
    """How a judge does on one set, out of sample.

    Attributes:
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


def fit_opinion(examples: Sequence[OpinionExample]) -> tuple[dict[str, LogisticModel], list[OpinionFigures]]:
    """Return the models `glance` and `opinion`, and their figures out of sample."""
    models: dict[str, LogisticModel] = {}
    figures: list[OpinionFigures] = []
    for judge, names, usable in (
        ("glance", excerpt_names(), [one for one in examples if one.glance]),
        ("opinion", answer_names(), [one for one in examples if one.opinion]),
    ):
        rows = np.array([one.glance if judge == "glance" else one.opinion for one in usable], dtype=float)
        labels = np.array([one.right for one in usable])
        groups = [one.group for one in usable]
        weights = np.array([1 / groups.count(group) for group in groups])
        scores = np.zeros(len(usable))
        for train, test in KFold(_FOLDS, shuffle=True, random_state=0).split(rows):
            model = _fit(names, rows[train], labels[train], weights[train])
            scores[test] = [model.probability(row) for row in rows[test]]
        models[judge] = _fit(names, rows, labels, weights)
        scored = list(zip(usable, scores, strict=True))
        figures += [
            _figures(judge, group, [pair for pair in scored if pair[0].group == group]) for group in sorted(set(groups))
        ]
    return models, figures


def _fit(
    names: tuple[str, ...], rows: NDArray[np.float64], labels: NDArray[np.bool_], weights: NDArray[np.float64]
) -> LogisticModel:
    """Return a logistic regression, weakly regularised on scaled values, no weight of which has the wrong sign."""
    scale = rows.std(axis=0) + 1e-9
    scaled = np.column_stack([rows / scale, np.ones(len(rows))])
    shares = weights / weights.mean()
    signs = np.where(labels, 1.0, -1.0)

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        margins = signs * (scaled @ parameters)
        penalty = np.append(parameters[:-1], 0.0)
        gradient = -(scaled * (shares * signs * expit(-margins))[:, None]).sum(axis=0) + _REGULARISATION * penalty
        return float((shares * np.logaddexp(0, -margins)).sum() + _REGULARISATION * (penalty**2).sum() / 2), gradient

    bounds = [(None, 0.0) if name in _AGAINST else (0.0, None) for name in names]
    found = minimize(loss, np.zeros(len(names) + 1), jac=True, method="L-BFGS-B", bounds=[*bounds, (None, None)])
    coefficients = [round(float(weight), 4) for weight in found.x[:-1] / scale]
    return LogisticModel(names, tuple(coefficients), round(float(found.x[-1]), 4))


def describe_fit(
    models: dict[str, LogisticModel], figures: Sequence[OpinionFigures], model_name: str
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


def _figures(judge: str, group: str, scored: Sequence[tuple[OpinionExample, float]]) -> OpinionFigures:
    scores = np.array([score for _, score in scored])
    answerable = np.array([one.answerable for one, _ in scored])
    right = np.array([one.right for one, _ in scored])
    return OpinionFigures(
        judge=judge,
        group=group,
        questions=len(scored),
        answerable=int(answerable.sum()),
        right=int(right.sum()),
        auroc=_auroc(answerable, scores),
        auroc_right=_auroc(right, scores),
        calibration_error=round(calibration_error(np.column_stack([scores, right])), 4),
    )


def _auroc(labels: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    both = 0 < labels.sum() < len(labels)
    return round(float(roc_auc_score(labels, scores)), 4) if both else float("nan")
