"""What others report: read from our file and from tables beside a set, and shown beside what we measured."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from eval.benchmarks.sets.public_set import BenchmarkSet, CorpusQueries, Query, SetProtocol, find_protocol
from eval.benchmarks.sets.published_figures import PublishedFigure, published_figures, warnings_about
from eval.benchmarks.sets.set_measures import ANSWER_MEASURES, RETRIEVAL_MEASURES
from eval.benchmarks.sets.set_report import BenchmarkReport, print_benchmark, report_pools, report_sets
from eval.benchmarks.sets.set_run import CorpusAnswers
from eval.benchmarks.sets.stored_answer import StoredAnswer, asked_hash
from eval.errors import EvaluationError, ReportError
from eval.run.origin import read_origin

MTRAG = "domain\tsplit\tn\tsystem\tquery_form\tR@1\tR@5\tR@10\tnDCG@5\tnDCG@10\n"
NOMIRACL = "lang\tmodel\tabstain_on_nonrel%\tabstain_on_rel%(error)\nen\tgpt-4\t65.1\t4.3\nzh\tgpt-4\t51.0\t4.9\n"
SETS = (
    "squad2",
    "drcd",
    "scifact",
    "xquad/zh_hant-en",
    "lihua_world",
    "nomiracl/en",
    "nomiracl/zh",
    "mtrag",
    "mtrag_un",
)


def values(figures: tuple[PublishedFigure, ...]) -> dict[tuple[str, str], float]:
    return {(figure.system, figure.measure): figure.value for figure in figures}


def result(name: str, folder: Path | None = None) -> tuple[BenchmarkSet, list[CorpusAnswers]]:
    """Return a set of two questions that were searched for, the second in vain."""
    protocol = find_protocol(Path(name))[1]
    queries = tuple(Query(query_id, "?", (), True, (), (), frozenset({"d"})) for query_id in ("a", "b"))
    answers = tuple(
        StoredAnswer(
            id=one.query_id, asked=asked_hash(one), kind="search", text="?", retrieved=found, answerer="search"
        )
        for one, found in zip(queries, (("d",), ()), strict=True)
    )
    chosen = BenchmarkSet(name, protocol, (CorpusQueries(name, Path("corpus"), queries),), folder, left_out=3)
    return chosen, [CorpusAnswers(answers, {}, Path("answers"))]


@pytest.mark.parametrize("name", SETS)
def test_figures_bear_our_names_of_measures_and_are_shares(name: str) -> None:
    protocol: SetProtocol = find_protocol(Path(name))[1]
    ours = {protocol.names.get(measure, measure) for measure in (*ANSWER_MEASURES, *RETRIEVAL_MEASURES)}
    figures = published_figures(name, None)
    assert figures
    assert {figure.measure for figure in figures} <= ours
    assert all(0 < figure.value < 1 and figure.source and figure.comparable for figure in figures)


def test_a_set_that_nobody_reported_on_has_no_figures() -> None:
    assert (published_figures("never_heard_of", None), warnings_about("never_heard_of", {"right"})) == ((), ())
    assert warnings_about("lihua_world", {"right"}) != warnings_about("lihua_world", {"recall_at_5"}) == ()


def test_tables_beside_a_set_are_read_for_its_own_rows(tmp_path: Path) -> None:
    for name in ("mtrag/fiqa", "nomiracl/en"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "mtrag" / "published_baselines.tsv").write_text(
        f"{MTRAG}fiqa\tdev\t69\telser\trewrite\t.173\t.416\t.562\t.388\t.452\ncloud\tdev\t85\telser\trewrite"
        + "\t.1" * 5,
        encoding="utf-8",
    )
    (tmp_path / "nomiracl" / "published_baselines.tsv").write_text(NOMIRACL, encoding="utf-8")
    assert values(published_figures("mtrag/fiqa", tmp_path / "mtrag" / "fiqa")) == {
        ("elser, rewrite", "recall_at_5"): 0.416,
        ("elser, rewrite", "recall_at_10"): 0.562,
        ("elser, rewrite", "ndcg_at_10"): 0.452,
    }
    found = values(published_figures("nomiracl/en", tmp_path / "nomiracl" / "en"))
    assert (found["gpt-4", "abstains_rightly"], found["gpt-4", "abstains_wrongly"]) == (0.651, 0.043)
    assert found["GPT-4, test", "abstains_rightly"] == 0.568


def test_a_table_in_another_shape_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "fiqa").mkdir()
    (tmp_path / "published_baselines.tsv").write_text(f"{MTRAG}fiqa\tdev\t69\telser\n", encoding="utf-8")
    with pytest.raises(EvaluationError, match=r"published_baselines\.tsv', line 2, cannot be read"):
        published_figures("mtrag/fiqa", tmp_path / "fiqa")


def test_the_report_shows_them_under_the_measures_that_were_scored(tmp_path: Path) -> None:
    results = [result("mtrag/govt"), result("mtrag/fiqa")]
    report = BenchmarkReport(
        answerer="extractive",
        retrieval_only=True,
        mini=True,
        limit=None,
        started_at="2026-01-02T03:04:05Z",
        origin=read_origin(),
        sets=tuple(report_sets([*results, result("scifact")])),
        pools=tuple(report_pools(results)),
    )
    govt, fiqa, scifact = report.sets
    assert any("much easier" in warning for warning in govt.warnings)
    assert not any("much easier" in warning for warning in fiqa.warnings)
    assert fiqa.warnings[-1] == "Questions left out: 3. Published figures are over whole sets."
    assert values(scifact.published)["all-MiniLM-L6-v2", "ndcg_at_10"] == 0.66
    # Nothing was answered, so what haiku.rag refused has nothing to stand beside.
    assert {figure.measure for figure in report.pools[0].published} == {"recall_at_5"}

    terminal = io.StringIO()
    print_benchmark(report, Console(file=terminal, width=80))
    lines = terminal.getvalue().splitlines()
    assert "note: The documents are pools out of the full corpora: gains under .03 are noise." in lines
    (bm25,) = (line for line in lines if "0.200 (BM25, last turn)" in line)
    assert bm25.startswith("published: recall_at_5: ")
    assert "Y. Katsis et al., 2025" in bm25

    report.write(tmp_path / "report.json")
    assert BenchmarkReport.load(tmp_path / "report.json") == report
    (tmp_path / "report.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ReportError, match="is no benchmark report"):
        BenchmarkReport.load(tmp_path / "report.json")
