"""Figures of reports in a Markdown file: only between markers, the same each time, and nothing in the wrong place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bot.cli import footnote
from eval.benchmarks.sets.published_figures import published_figures
from eval.benchmarks.sets.set_report import BenchmarkReport, SetReport
from eval.errors import ReportError
from eval.measures.interval import Metric
from eval.report.report import RunReport, SuiteRecord
from eval.run.origin import RunOrigin

ORIGIN = RunOrigin(commit="0123456789abcdef", dirty=False, versions={}, platform="Linux", processors=2)
METRICS = {
    "right": Metric(value=0.6, n=40, unscored=0, low=0.4456, high=0.7368),
    "exact_match": Metric(value=0.5, n=40, unscored=0, low=0.35, high=0.65),
    "quote_fidelity": Metric(value=1.0, n=39, unscored=1, low=0.91, high=1.0),
    "recall_at_5": Metric(value=None, n=0, unscored=40, low=None, high=None),
    "latency_p50_ms": Metric(value=168.4, n=40, unscored=0, low=160.0, high=170.0),
}


def one_set(name: str = "squad2", **fields: Any) -> SetReport:
    described: dict[str, Any] = {
        "name": name,
        "questions": 40,
        "crashes": 0,
        "answered_by": {"extractive": 40},
        "metrics": METRICS,
        "published": tuple(one for one in published_figures(name, None) if one.measure in METRICS),
        "warnings": ("Keep this in mind.",),
        "thresholds": (),
        "answers": (),
    }
    return SetReport(**described | fields)


def write_benchmark(path: Path, *sets: SetReport, **fields: Any) -> Path:
    described: dict[str, Any] = {
        "answerer": "extractive",
        "mini": True,
        "limit": None,
        "started_at": "2026-11-23T01:02:03Z",
        "origin": ORIGIN,
        "sets": sets,
        "pools": (),
    }
    BenchmarkReport(**described | fields).write(path)
    return path


def write_run(folder: Path, answerer: str) -> Path:
    folder.mkdir()
    report = RunReport(
        suites=(SuiteRecord(path="eval/suites/seed.yaml", hash="", questions=2),),
        origin=ORIGIN.model_copy(update={"dirty": True}),
        settings={"answerer": answerer},
        index_fingerprint="",
        documents=1,
        started_at="2026-11-23T01:02:03Z",
        seconds=1.0,
        crashes=0,
        metrics={"answer_correct": METRICS["right"]},
        by_tag={},
        questions=(),
    )
    report.write(folder / "report.json")
    return folder


def publish(document: Path, *reports: Path) -> Result:
    return CliRunner().invoke(footnote, ["eval", "publish", *map(str, reports), "--into", str(document)])


def page(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_table_replaces_what_stands_between_the_markers_and_nothing_else(tmp_path: Path) -> None:
    before = "# Quality\n\nProse | with | bars.\n<!-- begin: squad2 -->\nold\n<!-- end: squad2 -->\nMore prose.\n"
    document = page(tmp_path / "quality.md", before)
    report = write_benchmark(tmp_path / "report.json", one_set())
    done = publish(document, report)
    assert done.exit_code == 0, done.exception
    text = document.read_text(encoding="utf-8")
    assert text.splitlines()[:4] == before.splitlines()[:4]
    assert text.endswith("\n<!-- end: squad2 -->\nMore prose.\n")
    assert text.splitlines()[5:13] == [
        "`footnote eval benchmark DATASETS/squad2 --mini --answerer extractive`: 40 questions (40 by extractive), "
        "0 crashed; 2026-11-23, commit 0123456.",
        "",
        "| measure | value | n | 95% interval | published |",
        "| --- | --- | --- | --- | --- |",
        "| `right` | .600 | 40 | .446 to .737 |  |",
        "| `exact_match` | .500 | 40 | .350 to .650 | BERT .800; BiDAF-No-Answer .592 |",
        "| `quote_fidelity` | 1.000 | 39 | .910 to 1.000 |  |",
        "",
    ]
    assert "- BERT: J. Devlin et al., 2019, NAACL. Measured on SQuAD 2.0's hidden test set" in text
    assert "- Keep this in mind." in text
    assert "old" not in text
    assert publish(document, report).exit_code == 0
    assert document.read_text(encoding="utf-8") == text


def test_a_suite_and_a_set_go_where_they_are_named_most_exactly(tmp_path: Path) -> None:
    names = ("seed", "seed local", "squad2 search last", "squad2")
    document = page(tmp_path / "q.md", "".join(f"<!-- begin: {name} -->\n<!-- end: {name} -->\n" for name in names))
    done = publish(
        document,
        write_run(tmp_path / "local", "local"),
        write_run(tmp_path / "extractive", "extractive"),
        write_benchmark(tmp_path / "a.json", one_set(), one_set(query="last"), retrieval_only=True, mini=False),
    )
    assert done.exit_code == 0, done.exception
    inside = {
        name: document.read_text(encoding="utf-8").split(f"<!-- begin: {name} -->")[1].split("<!-- end")[0]
        for name in names
    }
    assert "--answerer extractive`: 0 questions about 1 documents" in inside["seed"]
    assert "`footnote eval run eval/suites/seed.yaml --answerer local`" in inside["seed local"]
    assert "commit 0123456 with changes." in inside["seed local"]
    assert "`footnote eval benchmark DATASETS/squad2 --retrieval-only --query last`" in inside["squad2 search last"]
    assert "`footnote eval benchmark DATASETS/squad2 --retrieval-only`" in inside["squad2"]


def test_tables_for_one_place_stand_there_in_the_order_of_the_reports(tmp_path: Path) -> None:
    document = page(tmp_path / "q.md", "<!-- begin: squad2 -->\n<!-- end: squad2 -->\n")
    reports = [write_benchmark(tmp_path / f"{who}.json", one_set(), answerer=who) for who in ("local", "extractive")]
    done = publish(document, *reports)
    assert "squad2: 2 tables" in done.stderr
    text = document.read_text(encoding="utf-8")
    assert 0 < text.index("--answerer local") < text.index("--answerer extractive")


def test_a_pool_is_published_only_where_there_is_a_place_for_it(tmp_path: Path) -> None:
    fields = {"pools": (one_set("mtrag, 2 sets"),)}
    report = write_benchmark(tmp_path / "r.json", one_set("mtrag/govt"), one_set("mtrag/fiqa"), **fields)
    sets = "".join(f"<!-- begin: {name} -->\n<!-- end: {name} -->\n" for name in ("mtrag/govt", "mtrag/fiqa"))
    document = page(tmp_path / "q.md", sets)
    assert publish(document, report).exit_code == 0
    page(document, f"{sets}<!-- begin: mtrag -->\n<!-- end: mtrag -->\n")
    assert publish(document, report).exit_code == 0
    assert "DATASETS/mtrag/govt DATASETS/mtrag/fiqa --mini" in document.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("markers", "message"),
    [
        (
            "<!-- begin: drcd -->\n<!-- end: drcd -->\n",
            "has no place for 'squad2' (extractive, history, mini): add the",
        ),
        (
            "Prose.\n<!-- begin: squad2 lokal -->\n<!-- end: squad2 lokal -->\n",
            "line 2: the marker '<!-- begin: squad2 l",
        ),
        ("<!-- begin: squad2 -->\n<!-- end: drcd -->\n", "has no partner: add it, or remove this one."),
        ("<!-- begin: squad2 -->\n", "has no partner: add it, or remove this one."),
        ("<!-- end: squad2 -->\n", "has no partner: add it, or remove this one."),
        ("<!-- begin: -->\n<!-- end: -->\n", "is unknown: write the name of a set or suite"),
        (
            "<!-- begin: squad2 -->\n<!-- end: squad2 -->\n" * 2,
            "line 3: the marker '<!-- begin: squad2 -->' stands there tw",
        ),
    ],
)
def test_markers_that_cannot_be_meant_are_named_and_nothing_is_written(
    markers: str, message: str, tmp_path: Path
) -> None:
    document = page(tmp_path / "q.md", markers)
    done = publish(document, write_benchmark(tmp_path / "r.json", one_set()))
    assert isinstance(done.exception, ReportError)
    assert message in str(done.exception)
    assert "\n" not in str(done.exception)
    assert document.read_text(encoding="utf-8") == markers


def test_a_file_that_is_no_report_is_named(tmp_path: Path) -> None:
    document = page(tmp_path / "q.md", "")
    for content in ("{}", "no JSON", '{"sets": 1}'):
        done = publish(document, page(tmp_path / "r.json", content))
        assert isinstance(done.exception, ReportError)
        assert "r.json' is no" in str(done.exception)
