"""`footnote eval speed`: a small real run of all contenders, and what is made of its figures."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pytest
from lxml import etree
from rich.console import Console

from eval.benchmarks.sets.public_set import load_dataset
from eval.benchmarks.speed import (
    CONTENDERS,
    ContenderTimes,
    SpeedReport,
    measure_speed,
    plot_speed,
    print_speed,
)
from eval.errors import EvaluationError
from eval.run.origin import RunOrigin, read_origin

TOWNS = "Aldbury Brenton Carham Dunsop Elsdon Frome Garvald Haddon Ilam Jevington Kelso Lairg".split()


@pytest.fixture
def towns(tmp_path: Path) -> Path:
    """A set of a dozen documents, in BEIR's shape; nothing stands beside the first question."""
    folder = tmp_path / "towns"
    folder.mkdir()
    documents = [
        {
            "_id": town,
            "title": town,
            "text": f"The library of {town} opened in {1900 + number}. It has two reading rooms.",
        }
        for number, town in enumerate(TOWNS)
    ]
    questions = [
        {"_id": "hello", "text": "Hello!"},
        {"_id": "frome", "text": "When did the library of Frome open?"},
    ]
    for name, rows in (("corpus", documents), ("queries", questions)):
        lines = (json.dumps(row) for row in rows)
        (folder / f"{name}.jsonl").write_text("".join(f"{line}\n" for line in lines))
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nfrome\tFrome\t1\n")
    return folder


def timed(factor: float, **different: float) -> ContenderTimes:
    values = {"load_seconds": 4, "index_seconds": 8, "index_again_seconds": 6, "peak_mib": 1_000}
    values = {name: factor * value for name, value in values.items()} | different
    return ContenderTimes(**values, retrieve_ms=tuple(factor * value for value in range(1, 101)))


def report(*, processor: str | None = "Zen") -> SpeedReport:
    origin = RunOrigin(
        commit=None, dirty=None, versions={}, platform="Linux", processors=2, processor=processor, memory_mib=24_576
    )
    runs = {
        "starter": (timed(1), timed(2), timed(3)),
        "plain": (timed(0.5), timed(1), timed(1.5)),
        "default": (timed(0.25), timed(0.5), timed(0.75, index_seconds=24)),
    }
    return SpeedReport(
        dataset="towns",
        documents=12,
        questions=100,
        runs=runs,
        page_seconds=(2.0, 2.5, 4.0),
        first_evidence_seconds=(7.0, 6.0, 9.0),
        origin=origin,
    )


def test_contenders_are_timed_for_real(towns: Path, tmp_path: Path) -> None:
    advanced: list[None] = []
    some = ("starter", "default")  # the third is the second with another runtime, and takes a quarter of a minute
    found = measure_speed([load_dataset(towns)], 10, 2, 1, tmp_path / "work", lambda: advanced.append(None), some)
    assert (found.dataset, found.documents, found.questions) == ("towns", 10, 2)
    assert tuple(found.runs) == some
    assert len(advanced) == len(some)
    for (one,) in found.runs.values():
        assert one.load_seconds > 0
        assert one.index_seconds > 0
        assert len(one.retrieve_ms) == 2
        assert one.peak_mib > 100
    again = {name: one.index_again_seconds / one.index_seconds for name, (one,) in found.runs.items()}
    assert again["default"] < again["starter"]
    assert 0 < found.page_seconds[0] < found.first_evidence_seconds[0]
    assert SpeedReport.model_validate_json(found.model_dump_json()) == found
    assert [path.name for path in (tmp_path / "work").iterdir() if path.is_dir()] == []


def test_contender_without_its_packages_says_what_to_install(
    towns: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "chromadb.py").write_text("raise ImportError('not installed')")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "broken"), os.environ.get("PYTHONPATH", "")]))
    with pytest.raises(
        EvaluationError, match=r"^The contender 'starter' failed: The starter needs .*: install them\.$"
    ):
        measure_speed([load_dataset(towns)], 1, 1, 1, tmp_path / "work", lambda: None)


def test_table_compares_each_round_with_the_starter_of_that_round() -> None:
    file = io.StringIO()
    print_speed(report(), Console(file=file, width=120))
    lines = {line.split("  ")[0]: line for line in file.getvalue().splitlines()}
    assert " ".join(lines["load, s"].split()) == "load, s 8.0 (4.0-12.0) 4.0 (2.0-6.0) ×0.5 2.0 (1.0-3.0) ×0.25"
    # Rounds of 2, 4 and 24 s beside 8, 16 and 24 s: a quarter, a quarter, the same.
    assert lines["index, s"].endswith("4.0 (2.0-24.0) ×0.25")
    assert lines["retrieve p50, ms"].split()[3:5] == ["101.0", "(50.5-151.5)"]
    assert "footnote serve to its page: 2.5 (2.0-4.0) s" in lines
    assert "footnote serve to its first evidence: 7.0 (6.0-9.0) s" in lines
    assert "machine: 2 × Zen, 24 GiB memory, Linux" in lines


def test_plot_shows_every_measure_of_every_contender() -> None:
    svg = plot_speed(report())
    texts = [element.text for element in etree.fromstring(svg.encode()).iter("{*}text")]
    assert "12 documents of towns, 100 questions, median and range of 3 rounds" in texts
    for title in ("load", "index", "index again", "retrieve p50", "retrieve p95", "peak memory", "footnote serve"):
        assert texts.count(title) == 1
    assert {"s", "ms", "MiB"} <= set(texts)
    assert all(texts.count(name) == 6 for name in CONTENDERS)
    assert svg == plot_speed(report())


def test_machine_is_named_as_far_as_it_is_known() -> None:
    assert report(processor=None).origin.machine() == "2 × processor, 24 GiB memory, Linux"
    here = read_origin()
    assert here.memory_mib is None or here.memory_mib > 256
    assert str(here.processors) in here.machine()
