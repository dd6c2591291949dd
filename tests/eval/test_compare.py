"""Two runs side by side: pairing, flips, refusals, warnings, and what a change of the documents did."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from eval.compare.command import print_comparison
from eval.compare.compare import compare_runs
from eval.compare.comparison import Affected, Cause, Comparison, DocumentChanges, Impact
from eval.compare.difference import MEASURE_NAMES, less_is_better
from eval.compare.pair import pair_questions
from eval.errors import ComparisonError, ReportError
from eval.report.report import RunReport, Verdict
from tests.support.made_reports import make_answer, make_question, make_report


def one(verdict: Verdict, **others: object) -> RunReport:
    return make_report([make_question("q", verdict)], **others)


def names(keys: object) -> list[str]:
    return [key.id for key in keys]


def test_every_measure_is_compared_over_the_pairs() -> None:
    a = make_report([make_question(name, "right") for name in "abcd"] + [make_question("gone", "wrong")])
    b = make_report([make_question("a", "wrong"), *(make_question(name, "right") for name in "bcd")])
    comparison = compare_runs(a, b)
    assert tuple(row.measure for row in comparison.measures) == MEASURE_NAMES
    row = comparison.measure("answer_correct")
    assert row is not None
    # The question that only A asked is no part of it.
    assert (row.a, row.b, row.difference, row.n) == (1, 0.75, -0.25, 4)
    assert (row.p_value, row.test) == (1, "mcnemar")
    assert (comparison.pairs, names(comparison.only_in_a), names(comparison.only_in_b)) == (4, ["gone"], [])
    assert comparison.measure("no_such_measure") is None


def test_waiting_and_calibration_are_compared_from_the_answers() -> None:
    def run(milliseconds: float, confidence: float) -> RunReport:
        answers = [make_answer(milliseconds=milliseconds + place, confidence=confidence) for place in range(20)]
        return make_report([make_question(f"q{place}", answer=answer) for place, answer in enumerate(answers)])

    a, b = run(100, 1.0), run(400, 0.6)
    comparison = compare_runs(a, b)
    for name, expected in (("latency_p50_ms", 300), ("latency_p95_ms", 300), ("calibration_error", 0.4)):
        row = comparison.measure(name)
        assert row is not None
        assert row.difference == pytest.approx(expected)
        assert (row.a, row.b) == (pytest.approx(a.metrics[name].value), pytest.approx(b.metrics[name].value))
        assert row.p_value == pytest.approx(0.0001)


def test_the_same_id_in_another_suite_is_another_question() -> None:
    a = make_report([make_question("q", suite="one.yaml"), make_question("r", suite="one.yaml")])
    b = make_report([make_question("q", suite="two.yaml"), make_question("r", suite="./suites/one.yaml")])
    pairing = pair_questions(a, b)
    assert [pair.key.id for pair in pairing.pairs] == ["r"]
    assert [(key.suite, key.id) for key in pairing.only_in_a] == [("one", "q")]
    assert [(key.suite, key.id) for key in pairing.only_in_b] == [("two", "q")]


def test_repeats_are_averaged_before_questions_are() -> None:
    times: tuple[Verdict, ...] = ("right", "wrong", "right", "right")
    a = make_report([make_question("q", verdict, repeat=time) for time, verdict in enumerate(times, 1)])
    b = make_report([make_question("q", "wrong", repeat=1), make_question("q", "crashed", repeat=2)])
    comparison = compare_runs(a, b)
    row = comparison.measure("answer_correct")
    assert row is not None
    assert (row.a, row.b, row.n, row.test) == (0.75, 0, 1, "permutation")
    # Most of its answers were right, and the one that came was wrong; a crash is neither.
    assert [(flip.a.verdict, flip.b.verdict, flip.newly) for flip in comparison.flips] == [("right", "wrong", "wrong")]
    assert comparison.crashed_in_b == ()
    assert comparison.b.crashes == 1


def test_half_of_the_answers_right_is_not_right() -> None:
    times: tuple[Verdict, ...] = ("right", "wrong")
    a = make_report([make_question("q", verdict, repeat=time) for time, verdict in enumerate(times, 1)])
    assert compare_runs(a, one("right")).flips[0].newly == "right"


def test_flips_show_both_answers_and_newly_wrong_ones_come_first() -> None:
    verdicts: dict[str, tuple[Verdict, Verdict]] = {
        "same": ("right", "right"),
        "other": ("wrong", "wrongly_refused"),
        "better": ("wrongly_answered", "rightly_refused"),
        "worse": ("right", "wrong"),
    }
    a, b = (make_report([make_question(name, both[side]) for name, both in verdicts.items()]) for side in (0, 1))
    comparison = compare_runs(a, b)
    assert [(flip.key.id, flip.newly) for flip in comparison.flips] == [
        ("worse", "wrong"),
        ("better", "right"),
        ("other", None),
    ]
    worst = comparison.flips[0]
    assert (worst.a.text, worst.b.text, worst.b.why) == ("right [1]", "wrong [1]", ("lacks '5:55'",))
    assert names(flip.key for flip in comparison.newly("wrong")) == ["worse"]


def test_a_crash_is_no_wrong_answer() -> None:
    a = make_report([make_question("q", "right"), make_question("r", "right"), make_question("s", "crashed")])
    b = make_report([make_question("q", "right"), make_question("r", "crashed"), make_question("s", "right")])
    comparison = compare_runs(a, b)
    assert (comparison.pairs, comparison.flips) == (1, ())
    assert (names(comparison.crashed_in_a), names(comparison.crashed_in_b)) == (["s"], ["r"])
    row = comparison.measure("answer_correct")
    assert row is not None
    assert (row.a, row.b, row.n) == (1, 1, 1)


def test_all_crashed_leaves_nothing_to_measure() -> None:
    comparison = compare_runs(one("right"), one("crashed"))
    assert comparison.pairs == 0
    assert {row.difference for row in comparison.measures} == {None}


def test_dialogues_are_clusters() -> None:
    turns = [f"turn-{number}" for number in range(6)]
    a = make_report([make_question(name, "right", dialogue="d") for name in turns])
    b = make_report([make_question(name, "wrong", dialogue="d") for name in turns])
    row = compare_runs(a, b).measure("answer_correct")
    assert row is not None
    assert (row.test, row.p_value, row.low, row.high) == ("permutation", 1, -1, -1)


def test_runs_over_other_documents_are_refused() -> None:
    a = one("right", documents={"ferry.txt": "1", "law.txt": "2", "old.txt": "3"})
    b = one("right", documents={"ferry.txt": "1", "law.txt": "4", "new.txt": "5"})
    with pytest.raises(
        ComparisonError,
        match=r"'A' and 'B' are runs over different documents: 1 changed \(law.txt\), 1 added \(new.txt\), "
        r"1 removed \(old.txt\)\. Run both over the same ones, or add --allow-changed-documents\.",
    ):
        compare_runs(a, b)
    assert compare_runs(a, a).impact is None


def test_without_hashes_the_index_speaks_for_the_documents() -> None:
    a, same, other = (one("right", documents={}, fingerprint=fingerprint) for fingerprint in ("f", "f", "g"))
    assert compare_runs(a, same).impact is None
    with pytest.raises(ComparisonError, match="the fingerprints of their indexes differ"):
        compare_runs(a, other)
    impact = compare_runs(a, other, allow_changed_documents=True).impact
    assert impact == Impact(documents=None, questions=(), unaffected=1)
    # An index that was cut otherwise holds the same documents.
    assert compare_runs(one("right", fingerprint="f"), one("right", fingerprint="g")).impact is None


def test_runs_without_a_common_question_are_refused() -> None:
    with pytest.raises(ComparisonError, match="have no question in common"):
        compare_runs(make_report([make_question("q")]), make_report([make_question("r")]))


def test_a_sheet_that_was_saved_in_another_form_is_the_same_suite() -> None:
    a = make_report([make_question("q", suite="mine.csv")])
    b = make_report([make_question("q", suite="later\\mine.xlsx")])
    assert [pair.key.id for pair in pair_questions(a, b).pairs] == ["q"]


def affected(a: RunReport, b: RunReport) -> dict[str, Affected]:
    impact = compare_runs(a, b, allow_changed_documents=True).impact
    assert impact is not None
    return {question.key.id: question for question in impact.questions}


def test_the_impact_names_the_document_that_did_it() -> None:
    before = {"ferry.txt": "1", "law.txt": "1", "old.txt": "1", "far.txt": "1"}
    after = {"ferry.txt": "1", "law.txt": "2", "new.txt": "1", "far.txt": "2"}
    a = make_report(
        [
            make_question("changed", answer=make_answer("Five.", cited="law.txt", retrieved=["ferry.txt", "law.txt"])),
            make_question("removed", answer=make_answer("Six.", retrieved=["old.txt"])),
            make_question("added", "wrongly_refused"),
            make_question("evidence", "right", evidence="law.txt"),
            make_question("unexplained", "right"),
            make_question("as-before", answer=make_answer("Same.", cited="law.txt")),
        ],
        documents=before,
    )
    b = make_report(
        [
            make_question("changed", answer=make_answer("Seven.", cited="law.txt")),
            make_question("removed", "wrongly_refused"),
            make_question("added", answer=make_answer("Nine.", cited="new.txt")),
            make_question("evidence", "wrong", evidence="law.txt"),
            make_question("unexplained", "wrong"),
            make_question("as-before", answer=make_answer("Same.", cited="law.txt")),
        ],
        documents=after,
    )
    impact = compare_runs(a, b, allow_changed_documents=True).impact
    assert impact is not None
    assert impact.documents == DocumentChanges(added=("new.txt",), removed=("old.txt",), changed=("far.txt", "law.txt"))
    assert impact.unaffected == 1
    found = affected(a, b)
    assert list(found) == ["changed", "removed", "added", "evidence", "unexplained"]
    assert found["changed"].causes == (Cause(document_id="law.txt", change="changed", near=("cited", "retrieved")),)
    assert (found["changed"].a.verdict, found["changed"].b.text) == ("right", "Seven. [1]")
    assert found["removed"].why == "old.txt was removed (retrieved)"
    assert found["added"].why == "new.txt was added (cited by an answer)"
    assert found["evidence"].why == "law.txt was changed (named in the evidence)"
    assert found["unexplained"].why == "no changed document is near"


def test_the_nearest_document_is_named_first() -> None:
    def run(text: str, content: str) -> RunReport:
        answer = make_answer(text, cited="cited.txt", retrieved=["a.txt", "cited.txt"])
        documents = dict.fromkeys(("a.txt", "cited.txt", "e.txt"), content)
        return make_report([make_question("q", evidence="e.txt", answer=answer)], documents=documents)

    causes = affected(run("Five.", "1"), run("Six.", "2"))["q"].causes
    assert [cause.document_id for cause in causes] == ["cited.txt", "e.txt", "a.txt"]


def test_an_answer_that_was_given_before_is_no_change() -> None:
    def run(texts: tuple[str, str], content: str) -> RunReport:
        asked = [make_question("q", repeat=time, answer=make_answer(text)) for time, text in enumerate(texts, 1)]
        return make_report(asked, documents={"ferry.txt": content})

    assert affected(run(("Five.", "At five."), "1"), run(("At five.", "5."), "2")) == {}
    assert set(affected(run(("Five.", "Five."), "1"), run(("At five.", "5."), "2"))) == {"q"}


def test_a_question_that_was_reworded_is_named() -> None:
    a = make_report([make_question("q", question="When?"), make_question("r", tags=("old",))], documents={"a": "1"})
    b = make_report([make_question("q", "wrong", question="Why?"), make_question("r")], documents={"a": "2"})
    comparison = compare_runs(a, b, allow_changed_documents=True)
    assert names(comparison.reworded) == ["q"]
    assert "the suite asks or marks these otherwise in B: q" in comparison.warnings()
    assert affected(a, b)["q"].why == "no changed document is near; the suite asks or marks it otherwise now"


def test_every_other_difference_is_a_warning() -> None:
    b = make_report(
        [make_question("q", answer=make_answer(prompts_hash="p2"))],
        settings={"top_k": 3, "new": True},
        suite_hash="s2",
        commit="beef",
    )
    assert compare_runs(one("right"), one("right")).warnings() == []
    assert compare_runs(one("right"), b).warnings() == [
        "suite seed: s in A, s2 in B",
        "settings.new: nothing in A, True in B",
        "settings.top_k: 8 in A, 3 in B",
        "prompts_hash: p in A, p2 in B",
        "code.commit: c0ffee in A, beef in B",
    ]


def test_which_way_a_measure_is_better() -> None:
    falling = {"false_refusal_rate", "calibration_error", "latency_p50_ms", "latency_p95_ms"}
    assert falling <= {name for name in MEASURE_NAMES if less_is_better(name)}
    assert not less_is_better("answer_correct")
    assert not less_is_better("reciprocal_rank")


def test_a_report_is_a_file_or_lies_in_a_folder(tmp_path: Path) -> None:
    report = one("right")
    (tmp_path / "run").mkdir()
    report.write(tmp_path / "run" / "report.json")
    assert RunReport.load(tmp_path / "run") == RunReport.load(tmp_path / "run" / "report.json") == report
    with pytest.raises(ReportError, match=r"report\.json' cannot be read"):
        RunReport.load(tmp_path)


def test_a_comparison_survives_its_file(tmp_path: Path) -> None:
    a, b = one("right", documents={"ferry.txt": "1"}), one("wrong", documents={"ferry.txt": "2"})
    comparison = compare_runs(a, b, allow_changed_documents=True)
    comparison.write(tmp_path / "comparison.json")
    text = (tmp_path / "comparison.json").read_text(encoding="utf-8")
    assert Comparison.model_validate_json(text) == comparison
    with pytest.raises(ReportError, match="cannot be written"):
        comparison.write(tmp_path / "no" / "folder.json")


def test_the_tables_show_measures_flips_and_impact() -> None:
    a = make_report([make_question("q"), make_question("r"), make_question("s")], documents={"ferry.txt": "1"})
    b = make_report([make_question("q", "wrong"), make_question("r", "crashed")], documents={"ferry.txt": "2"})
    shown = io.StringIO()
    print_comparison(compare_runs(a, b, allow_changed_documents=True), Console(file=shown, width=120))
    lines = [" ".join(line.split()) for line in shown.getvalue().splitlines()]
    assert "answer_correct 1.000 0.000 -1.000 -1.000 to -1.000 1.000 1" in lines
    assert "│ newly wrong: q │ right │ wrong (lacks '5:55') │" in lines
    assert "crashed in B: r (seed)" in lines
    assert "only in A: s (seed)" in lines
    assert "documents: 1 changed (ferry.txt)" in lines
    assert "q: right -> wrong: ferry.txt was changed (cited by an answer, named in the evidence)" in lines
    assert lines[-1] == "1 questions in both, 1 newly wrong, 0 newly right; 0 crashed in A, 1 in B"
