from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

from bot.settings import Settings
from bot.stages.judgement.answerability import answer_names, excerpt_names
from eval.benchmarks.fit_model import ExampleCollector, ModelExample, describe_model_judges, fit_model_judges
from eval.benchmarks.sets.public_set import load_set
from eval.run.progress import show_progress
from index.embedding.sentence_transformer import SentenceTransformerEmbedder
from tests.support.scripted_model import ScriptedModel


def _examples(count: int) -> Iterator[ModelExample]:
    chance = random.Random(7)
    for number in range(count):
        right = chance.random() < 0.5
        states = chance.gauss(1.0 if right else -1.0, 0.5)
        excerpts = (states, *(chance.random() for _ in excerpt_names()[1:]))
        answer = (*excerpts, *(chance.random() for _ in range(len(answer_names()) - len(excerpts))))
        yield ModelExample(
            group="one" if number % 2 else "two",
            id=str(number),
            excerpt_features=excerpts,
            answer_features=answer if number % 5 else None,
            right=right,
            answerable=right,
            written="",
        )


def test_the_feature_that_tells_gets_the_weight_and_the_figures_are_per_set() -> None:
    models, figures = fit_model_judges(list(_examples(400)))
    weights = dict(zip(models["glance"].features, models["glance"].weights, strict=True))
    assert weights["states"] > 3 * max(abs(weight) for name, weight in weights.items() if name != "states")
    assert {(one.judge, one.group) for one in figures} == {
        (j, g) for j in ("glance", "opinion") for g in ("one", "two")
    }
    assert all(one.auroc > 0.9 and one.calibration_error < 0.15 for one in figures)
    described = describe_model_judges(models, figures, "a model")
    assert json.loads(json.dumps(described))["opinion"]["weights"].keys() == set(answer_names())


def test_examples_are_kept_and_not_asked_again(tmp_path: Path, embedder: SentenceTransformerEmbedder) -> None:
    folder = tmp_path / "ferries"
    folder.mkdir()
    rows = [{"_id": "d1", "title": "Ferry", "text": "The first ferry leaves Mui Wo at 5:55 am."}]
    queries = [
        {"_id": "q1", "text": "When does the first ferry leave?", "answerable": True, "answers": ["5:55 am"]},
        {"_id": "q2", "text": "Who steers the first ferry?", "answerable": False, "answers": []},
    ]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (folder / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in queries), encoding="utf-8")
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t1\n", encoding="utf-8")
    model = ScriptedModel(write="Yes [1] The first ferry is at 5:55 am.")
    collector = ExampleCollector(Settings(answerer="local"), embedder, model)
    found = collector.collect_set(load_set(folder), tmp_path / "work", show_progress)
    assert [(one.id, one.answerable, one.right) for one in found] == [("q1", True, True), ("q2", False, False)]
    assert all(len(one.answer_features or ()) == len(answer_names()) for one in found)
    asked = len(model.asked)
    (kept,) = (tmp_path / "work" / "opinions").iterdir()
    first = kept.read_text(encoding="utf-8").splitlines(keepends=True)[:2]
    kept.write_text("".join(first) + '{"group": "cut', encoding="utf-8")
    assert collector.collect_set(load_set(folder), tmp_path / "work", show_progress) == found
    assert len(model.asked) < 2 * asked
