"""All contenders in turn, several rounds, each in a process and a folder of its own."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from eval.benchmarks.dataset import Dataset
from eval.benchmarks.speed.report import SpeedReport, Timed
from eval.benchmarks.speed.serving import Served, time_serving
from eval.errors import EvaluationError
from eval.run.origin import read_origin

CONTENDERS = ("starter", "plain", "default")
_LONGEST_SECONDS = 3600


def measure_speed(
    datasets: Sequence[Dataset],
    documents: int,
    questions: int,
    rounds: int,
    work: Path,
    advance: Callable[[], None],
    contenders: Sequence[str] = CONTENDERS,
) -> SpeedReport:
    """Time every contender on the first documents of some sets, one set after another, and questions of the first.

    Args:
        datasets: Where they are from.
        documents: Most documents.
        questions: Most questions.
        rounds: How often each contender is timed, all of them once before any is timed again.
        work: A folder for indexes, emptied before and after each.
        advance: Called after each contender.
        contenders: Who.

    Raises:
        EvaluationError: One of them failed.
    """
    work.mkdir(parents=True, exist_ok=True)
    corpus, asked = work / "corpus.jsonl", work / "questions.json"
    lines = list(islice((line for dataset in datasets for line in _documents(dataset)), documents))
    corpus.write_text("".join(lines), encoding="utf-8")
    texts = [query.question for query in islice(datasets[0].queries, questions)]
    asked.write_text(json.dumps(texts), encoding="utf-8")
    runs: dict[str, list[Timed]] = {name: [] for name in contenders}
    served: list[Served] = []
    for _ in range(rounds):
        for name in contenders:
            folder = work / name
            shutil.rmtree(folder, ignore_errors=True)
            runs[name].append(_time(name, corpus, asked, folder))
            if name == "default":
                served.append(time_serving(folder, texts))
            shutil.rmtree(folder, ignore_errors=True)
            advance()
    return SpeedReport(
        dataset=", ".join(dataset.name for dataset in datasets),
        documents=len(lines),
        questions=len(texts),
        runs={name: tuple(some) for name, some in runs.items()},
        page_seconds=tuple(one.page_seconds for one in served),
        first_evidence_seconds=tuple(one.first_evidence_seconds for one in served),
        origin=read_origin(),
    )


def _documents(dataset: Dataset) -> Iterator[str]:
    """Yield the lines of a corpus, its name before each id: two sets may count their documents alike."""
    with dataset.corpus.open(encoding="utf-8") as corpus:
        for line in corpus:
            if line.strip():
                row = json.loads(line)
                yield json.dumps({**row, "_id": f"{dataset.name}/{row['_id']}"}, ensure_ascii=False) + "\n"


def _time(name: str, corpus: Path, asked: Path, folder: Path) -> Timed:
    command = [sys.executable, "-m", "eval.benchmarks.speed.child", name, str(corpus), str(asked), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_LONGEST_SECONDS)  # noqa: S603
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise EvaluationError(f"The contender {name!r} failed: {reason}")
    return Timed.model_validate_json(done.stdout.splitlines()[-1])
