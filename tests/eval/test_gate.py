"""The gate: fails on each kind of regression, passes on noise, and its file says what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

import numpy
import pytest

from eval.compare.compare import compare_runs
from eval.errors import GateError
from eval.gate.gate_check import GateCheck, check_gate, holm
from eval.gate.junit import render_junit
from eval.gate.rules import AllowedRegression, Gate, load_gate
from eval.report.report import QuestionReport, RunReport, Verdict
from tests.support.made_reports import make_answer, make_question, make_report

ROOT = Path(__file__).parent.parent.parent
SHIPPED = ROOT / "eval" / "suites" / "gate.toml"
DOCUMENTATION = ROOT / "docs" / "gating.md"


def gate_of(text: str, tmp_path: Path) -> Gate:
    (tmp_path / "gate.toml").write_text(text, encoding="utf-8")
    return load_gate(tmp_path / "gate.toml")


def failed(gate: Gate, report: RunReport, baseline: RunReport | None = None) -> list[str]:
    comparison = None if baseline is None else compare_runs(baseline, report, tags=gate.compared_tags)
    return [check.rule for check in check_gate(gate, report, comparison) if not check.passed]


def good_run() -> list[QuestionReport]:
    """Return twelve answerable questions, one of them refused, and eight that are rightly refused."""
    right = [make_question(f"fact-{place}", "right") for place in range(11)]
    refused = [make_question(f"none-{place}", "rightly_refused", tags=("off_topic",)) for place in range(8)]
    return [*right, make_question("fact-11", "wrongly_refused"), *refused]


def with_changes(changes: Iterable[QuestionReport]) -> list[QuestionReport]:
    """Return the good run with some questions replaced, and new ones at its end."""
    return list(({one.golden.id: one for one in good_run()} | {one.golden.id: one for one in changes}).values())


def facts(verdict: Verdict, count: int = 6, **scores: float) -> list[QuestionReport]:
    return [make_question(f"fact-{place}", verdict, **scores) for place in range(count)]


def slow(milliseconds: float) -> list[QuestionReport]:
    return [make_question(f"fact-{place}", answer=make_answer(milliseconds=milliseconds)) for place in range(6)]


@dataclass(frozen=True)
class Regression:
    """A rule that the good run keeps, and what makes it fail."""

    gate: str
    changes: Sequence[QuestionReport] = ()
    rules: Sequence[str] = ()
    without: Sequence[str] = field(default=())


REGRESSIONS = {
    "answer_correct below its floor": Regression(
        "[at_least]\nanswer_correct = 0.8", facts("wrong"), ["at_least.answer_correct"]
    ),
    "answer_correct falls against the baseline": Regression(
        "[allowed_regression]\nanswer_correct = 0.05",
        facts("wrong", 1),
        ["allowed_regression.answer_correct"],
    ),
    "answer_correct falls significantly": Regression(
        "[allowed_regression]\nanswer_correct = { significant = 0.05 }",
        facts("wrong", 8),
        ["allowed_regression.answer_correct"],
    ),
    "refusal_recall drops": Regression(
        "[at_least]\nrefusal_recall = 0.9",
        [make_question("none-0", "wrongly_answered")],
        ["at_least.refusal_recall"],
    ),
    "refusal_precision drops": Regression(
        "[allowed_regression]\nrefusal_precision = 0.1",
        facts("wrongly_refused"),
        ["allowed_regression.refusal_precision"],
    ),
    "false_refusal_rate rises": Regression(
        "[at_most]\nfalse_refusal_rate = 0.2", facts("wrongly_refused"), ["at_most.false_refusal_rate"]
    ),
    "false_refusal_rate rises against the baseline": Regression(
        "[allowed_regression]\nfalse_refusal_rate = 0.1",
        facts("wrongly_refused"),
        ["allowed_regression.false_refusal_rate"],
    ),
    "citation_precision drops": Regression(
        "[allowed_regression]\ncitation_precision = 0.02",
        facts("right", citation_precision=0.5),
        ["allowed_regression.citation_precision"],
    ),
    "citation_recall drops": Regression(
        "[at_least]\ncitation_recall = 0.9", facts("right", citation_recall=0.5), ["at_least.citation_recall"]
    ),
    "quote_fidelity below 1": Regression(
        "[at_least]\nquote_fidelity = 1", facts("right", 1, quote_fidelity=0), ["at_least.quote_fidelity"]
    ),
    "latency above its ceiling": Regression(
        "[at_most]\nlatency_p95_ms = 5000", slow(9_000), ["at_most.latency_p95_ms"]
    ),
    "latency above the baseline": Regression(
        "[allowed_regression]\nlatency_p95_ms = 500", slow(9_000), ["allowed_regression.latency_p95_ms"]
    ),
    "calibration above its ceiling": Regression(
        "[at_most]\ncalibration_error = 0.15", facts("wrong"), ["at_most.calibration_error"]
    ),
    "a crash": Regression("max_crashes = 0", [make_question("fact-0", "crashed")], ["max_crashes"]),
    "a crash where the gate does not speak of any": Regression(
        "[at_least]\nanswer_correct = 0.5", [make_question("fact-0", "crashed")], ["max_crashes"]
    ),
    "a measure that is missing": Regression(
        "[at_least]\nquote_fidelity = 1", (), ["at_least.quote_fidelity"], without=["quote_fidelity"]
    ),
    "a measure of the baseline that is missing": Regression(
        # Where everything is refused nothing is cited, so there is no precision of citations.
        "[allowed_regression]\ncitation_precision = { significant = 0.05 }",
        facts("wrongly_refused", 12),
        ["allowed_regression.citation_precision"],
    ),
    "a newly wrong question": Regression("max_newly_wrong = 0", facts("wrong", 1), ["max_newly_wrong"]),
    "a tag below its floor": Regression(
        "[tags.fact.at_least]\nanswer_correct = 0.9", facts("wrong", 1), ["tags.fact.at_least.answer_correct"]
    ),
    "a tag above its ceiling": Regression(
        "[tags.fact.at_most]\nfalse_refusal_rate = 0.1",
        facts("wrongly_refused", 1),
        ["tags.fact.at_most.false_refusal_rate"],
    ),
    "a tag falls against the baseline": Regression(
        "[tags.fact.allowed_regression]\nanswer_correct = 0.05\n"
        "[tags.off_topic.allowed_regression]\nrefusal_recall = 0",
        facts("wrong", 1),
        ["tags.fact.allowed_regression.answer_correct"],
    ),
    "a tag falls significantly": Regression(
        "[tags.fact.allowed_regression]\nanswer_correct = { significant = 0.05 }",
        facts("wrong", 8),
        ["tags.fact.allowed_regression.answer_correct"],
    ),
    "a tag whose measure is missing": Regression(
        "[tags.off_topic.allowed_regression]\nrefusal_recall = 0.5",
        [make_question(f"none-{place}", "crashed", tags=("off_topic",)) for place in range(8)],
        ["max_crashes", "tags.off_topic.allowed_regression.refusal_recall"],
    ),
    "nothing was refused, so nothing says how rightly": Regression(
        "[at_least]\nrefusal_precision = 0.1",
        [
            *facts("right", 12),
            *(make_question(f"none-{place}", "wrongly_answered", tags=("off_topic",)) for place in range(8)),
        ],
        ["at_least.refusal_precision"],
    ),
}


@pytest.mark.parametrize("kind", REGRESSIONS)
def test_the_gate_fails_on(kind: str, tmp_path: Path) -> None:
    one = REGRESSIONS[kind]
    gate, baseline = gate_of(one.gate, tmp_path), make_report(good_run())
    broken = make_report(with_changes(one.changes))
    kept = {name: metric for name, metric in broken.metrics.items() if name not in one.without}
    assert failed(gate, baseline, baseline) == []
    assert failed(gate, broken.model_copy(update={"metrics": kept}), baseline) == list(one.rules)


def simulated(generator: numpy.random.Generator, share: float, questions: int = 60) -> RunReport:
    """Return a run in which each question goes well with a probability of its own, `share` on average."""
    asked = []
    for place in range(questions):
        well = generator.random() < share * (1 - 0.4 * (place % 3 - 1))
        answerable = place % 3 != 0
        if answerable:
            verdict: Verdict = "right" if well else "wrong" if generator.random() < 0.5 else "wrongly_refused"
        else:
            verdict = "rightly_refused" if well else "wrongly_answered"
        asked.append(make_question(f"q{place}", verdict))
    return make_report(asked, measures=("answer_correct", "refusal_recall", "false_refusal_rate"))


NOISE_GATE = """
[allowed_regression]
answer_correct = { significant = 0.05 }
refusal_recall = { significant = 0.05 }
false_refusal_rate = { significant = 0.05 }
"""


def test_the_gate_passes_on_noise(tmp_path: Path) -> None:
    gate, generator = gate_of(NOISE_GATE, tmp_path), numpy.random.default_rng(20_250_416)
    runs = [simulated(generator, 0.6) for _ in range(100)]
    pairs = list(zip(runs[::2], runs[1::2], strict=True))
    shares = [(failed(gate, b, a), failed(gate, a, b)) for a, b in pairs]
    fails = sum(bool(rules) for both in shares for rules in both)
    assert any(run.metrics["answer_correct"].value != pairs[0][0].metrics["answer_correct"].value for run in runs)
    # Three rules at .05 together fail on at most .05 of the reruns, not on .05 each.
    assert fails / (2 * len(pairs)) <= 0.05


def test_the_same_gate_sees_what_is_no_noise(tmp_path: Path) -> None:
    gate, generator = gate_of(NOISE_GATE, tmp_path), numpy.random.default_rng(1)
    falls = [failed(gate, simulated(generator, 0.2), simulated(generator, 0.7)) for _ in range(10)]
    assert all(falls)
    assert not any(failed(gate, simulated(generator, 0.7), simulated(generator, 0.2)) for _ in range(5))


def test_a_tag_is_compared_over_its_own_questions(tmp_path: Path) -> None:
    rare = [make_question(f"rare-{place}", tags=("rare",)) for place in range(4)]
    before = make_report([*good_run(), *rare])
    now = make_report([*good_run(), make_question("rare-0", "wrong", tags=("rare",)), *rare[1:]])
    gate = gate_of(
        "[allowed_regression]\nanswer_correct = 0.1\n"
        "[tags.fact.allowed_regression]\nanswer_correct = 0\n"
        "[tags.rare.allowed_regression]\nanswer_correct = 0.1",
        tmp_path,
    )
    checks = check_gate(gate, now, compare_runs(before, now, tags=gate.compared_tags))
    assert [str(check) for check in checks if not check.passed] == [
        "FAILED  tags.rare.allowed_regression.answer_correct: 1.000 before, 0.750 now, 0.100 worse is allowed"
    ]


def test_rules_by_tag_are_tested_together_with_the_others(tmp_path: Path) -> None:
    # Five that became wrong are significant where one rule stands alone, and not where two are tested together.
    before, now = make_report(good_run()), make_report(with_changes(facts("wrong", 5)))
    rule = "allowed_regression]\nanswer_correct = { significant = 0.05 }\n"
    alone, together = f"[tags.fact.{rule}", f"[{rule}[tags.fact.{rule}"
    assert failed(gate_of(alone, tmp_path), now, before) == ["tags.fact.allowed_regression.answer_correct"]
    assert failed(gate_of(together, tmp_path), now, before) == []


def test_a_fall_within_what_is_allowed_passes_however_sure_it_is(tmp_path: Path) -> None:
    broken = make_report(with_changes(facts("wrong", 8)))
    gate = gate_of("[allowed_regression]\nanswer_correct = { by = 0.7, significant = 0.05 }", tmp_path)
    assert failed(gate, broken, make_report(good_run())) == []


def test_a_limit_is_kept_when_it_is_just_reached(tmp_path: Path) -> None:
    # 8 of 10 right before, 7 of 10 now: 0.8 - 0.7 is a little more than 0.1 in binary.
    before, now = (
        make_report([make_question(f"q{place}", "right" if place < right else "wrong") for place in range(10)])
        for right in (8, 7)
    )
    gate = gate_of("[at_least]\nanswer_correct = 0.7\n[allowed_regression]\nanswer_correct = 0.1", tmp_path)
    assert failed(gate, now, before) == []


def test_a_measure_without_a_test_of_significance_fails(tmp_path: Path) -> None:
    before, now = make_report(good_run()), make_report(with_changes(facts("wrong")))
    comparison = compare_runs(before, now)
    untested = tuple(row.model_copy(update={"p_value": None}) for row in comparison.measures)
    gate = gate_of("[allowed_regression]\nanswer_correct = { significant = 0.01 }", tmp_path)
    (*_, check) = check_gate(gate, now, comparison.model_copy(update={"measures": untested}))
    assert not check.passed
    assert "no test of significance" in check.message


def test_checks_say_what_was_found_and_what_was_wanted(tmp_path: Path) -> None:
    text = """
max_newly_wrong = 1
[at_least]
answer_correct = 0.9
[tags.fcat.at_least]
answer_correct = 0.5
[allowed_regression]
latency_p95_ms = 100
answer_correct = { significant = 0.05 }
"""
    before, now = make_report(good_run()), make_report(with_changes(facts("wrong", 2)))
    checks = check_gate(gate_of(text, tmp_path), now, compare_runs(before, now))
    assert list(map(str, checks)) == [
        "passed  max_crashes: 0 crashed, at most 0 may",
        "FAILED  at_least.answer_correct: 0.750 over 12 questions, at least 0.900 is wanted",
        "FAILED  tags.fcat: no question of the run has this tag; did you mean 'fact'?",
        "passed  max_dropped: 0 of the baseline not asked, at most 0 may be left out",
        "passed  allowed_regression.latency_p95_ms: 100 before, 100 now, 100 worse is allowed",
        "passed  allowed_regression.answer_correct: 0.917 before, 0.750 now, 0.000 worse is allowed; "
        "chance alone does this with probability 0.250, a failure is below 0.05",
        "FAILED  max_newly_wrong: 2 newly wrong (fact-0, fact-1), at most 1 may be",
    ]


def test_rules_against_a_baseline_need_one(tmp_path: Path) -> None:
    gate = gate_of("max_newly_wrong = 0\n[at_least]\nanswer_correct = 0.5", tmp_path)
    with pytest.raises(GateError, match="name that run with --baseline"):
        check_gate(gate, make_report(good_run()))
    assert not gate.without_baseline().baseline_rules
    assert failed(gate.without_baseline(), make_report(good_run())) == []
    by_tag = gate_of(
        "[tags.fact]\nat_least = {answer_correct = 1}\nallowed_regression = {answer_correct = 0}", tmp_path
    )
    assert by_tag.baseline_rules
    assert not by_tag.without_baseline().baseline_rules
    assert failed(by_tag.without_baseline(), make_report(good_run())) == ["tags.fact.at_least.answer_correct"]


def test_a_suite_without_its_hard_questions_does_not_pass(tmp_path: Path) -> None:
    before, now = make_report(good_run()), make_report([one for one in good_run() if one.golden.id != "fact-11"])
    gate = gate_of("[at_least]\nanswer_correct = 0.5", tmp_path)
    assert failed(gate, now) == []
    assert failed(gate, now, before) == ["max_dropped"]
    assert failed(gate_of("max_dropped = 1", tmp_path), now, before) == []


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.6]) == [1, 1]
    assert holm([]) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[at_least]\nanswer_corect = 0.4", "at_least.answer_corect: unknown measure; did you mean 'answer_correct'?"),
        ("max_crash = 0", "max_crash: unknown key; did you mean 'max_crashes'?"),
        ("[zzz]\na = 1", "zzz: unknown key; there are max_crashes, max_dropped, max_newly_wrong, at_least, at_most"),
        ("[tags.fact]\nat_last = {}", "tags.fact.at_last: unknown key; did you mean 'at_least'?"),
        ("[tags.fact.at_least]\nrefusal_recal = 1", "unknown measure by tag; did you mean 'refusal_recall'?"),
        ("[tags.fact.at_least]\nndcg_at_5 = 1", "tags.fact.at_least.ndcg_at_5: unknown measure by tag; there are"),
        ("[allowed_regression]\nlatency = 1", "allowed_regression.latency: unknown measure; did you mean 'latency_p"),
        (
            "[allowed_regression]\nanswer_correct = { significantly = 0.05 }",
            "allowed_regression.answer_correct.significantly: unknown key; did you mean 'significant'?",
        ),
        (
            "[tags.fact.allowed_regression]\nanswer_correct = { significantly = 0.05 }",
            "tags.fact.allowed_regression.answer_correct.significantly: unknown key; did you mean 'significant'?",
        ),
        (
            "[tags.fact.allowed_regression]\nndcg_at_5 = 0",
            "allowed_regression.ndcg_at_5: unknown measure by tag; there",
        ),
        ("[allowed_regression]\nanswer_correct = -0.1", "allowed_regression.answer_correct.by: -0.1 cannot be used"),
        (
            "[allowed_regression]\nanswer_correct = { significant = 5 }",
            "answer_correct.significant: 5 cannot be used here: it should be less than 1",
        ),
        (
            "[at_least]\nanswer_correct = 40",
            "answer_correct is a share: write a number from 0 to 1, such as 0.4",
        ),
        (
            "[at_least]\nanswer_correct = '0.4'",
            "at_least.answer_correct: '0.4' cannot be used here: it should be",
        ),
        ("[at_least]\nanswer_correct = true", "at_least.answer_correct: True cannot be used here"),
        ("[at_least]\nanswer_correct = nan", "at_least.answer_correct: nan cannot be used here"),
        ("[at_least]\nfalse_refusal_rate = 0.4", "the better the lower it is: write its limit under at_most"),
        ("[at_most]\nanswer_correct = 0.4", "the better the higher it is: write its limit under at_least"),
        ("[at_most]\nlatency_p95_ms = -1", "latency_p95_ms is a time in milliseconds: write 0 or more, not -1"),
        ("max_crashes = 1.5", "max_crashes: 1.5 cannot be used here: it should be a valid integer"),
        ("max_newly_wrong = -1", "max_newly_wrong: -1 cannot be used here: it should be greater than or equal to 0"),
        ("at_least = 0.4", "at_least: 0.4 stands where lines of name = number belong: write [at_least] above them"),
        ("tags.fact = 1", "tags.fact: 1 stands where lines of name = number belong: write [tags.fact] above them"),
        ("max_crashes 0", "this is not TOML (Expected '=' after a key"),
        ("# nothing\n", "the gate holds no rules"),
    ],
)
def test_every_mistake_of_a_gate_is_named(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(GateError) as caught:
        gate_of(text, tmp_path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / "gate.toml"))


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(GateError, match=r"unknown measure; .*max_crash: unknown key"):
        gate_of("max_crash = 0\n[at_least]\nanswer_corect = 1", tmp_path)
    with pytest.raises(GateError, match=r"cannot be read \(No such file"):
        load_gate(tmp_path / "gone.toml")


def test_the_shipped_gate_can_be_read_and_has_a_floor_for_what_must_be_whole() -> None:
    gate = load_gate(SHIPPED)
    assert gate.at_least["quote_fidelity"] == 1
    assert gate.max_crashes == 0
    assert gate.baseline_rules


def test_the_gate_in_the_documentation_can_be_read(tmp_path: Path) -> None:
    (written,) = re.findall(r"```toml\n(.*?)```", DOCUMENTATION.read_text(encoding="utf-8"), re.DOTALL)
    gate = gate_of(written, tmp_path)
    assert gate.max_newly_wrong == 2
    assert gate.tags["numeric"].at_least == {"answer_correct": 0.5}
    assert gate.tags["numeric"].allowed_regression == {"answer_correct": AllowedRegression(by=0.1)}
    assert gate.allowed_regression["recall_at_5"] == AllowedRegression(by=0.03)
    assert gate.allowed_regression["citation_recall"].significant == 0.05


def test_junit_has_a_testcase_for_each_check_and_question() -> None:
    report = make_report(
        [
            make_question("q", "right", answer=make_answer(milliseconds=1_500)),
            make_question("w", "wrong", answer=make_answer("A bell \x07 & <b>")),
            make_question("c", "crashed"),
            make_question("o", "wrongly_answered", suite="other.yaml"),
        ]
    )
    checks = (
        GateCheck(rule="max_crashes", passed=False, message="1 crashed"),
        GateCheck(rule="at_least.quote_fidelity", passed=True, message=""),
    )
    root = ElementTree.fromstring(render_junit(checks, report))
    assert root.tag == "testsuites"
    assert {name: root.get(name) for name in ("tests", "failures", "errors")} == {
        "tests": "6",
        "failures": "3",
        "errors": "1",
    }
    assert [(suite.get("name"), suite.get("tests"), suite.get("failures"), suite.get("errors")) for suite in root] == [
        ("gate", "2", "1", "0"),
        ("suites/seed.yaml", "3", "1", "1"),
        ("other.yaml", "1", "1", "0"),
    ]
    cases = {case.get("name"): case for case in root.iter("testcase")}
    assert cases["q"].get("time") == "1.500"
    assert [child.tag for child in cases["q"]] == []
    (failure,) = cases["w"]
    assert (failure.tag, failure.get("message"), failure.get("type")) == ("failure", "lacks '5:55'", "wrong")
    assert failure.text == "When does the first ferry leave?\nA bell \ufffd & <b> [1]"
    (error,) = cases["c"]
    assert (error.tag, error.get("message")) == ("error", "ZeroDivisionError: planted")
    assert cases["max_crashes"][0].get("message") == "1 crashed"


def test_junit_tells_repeats_apart() -> None:
    report = make_report([make_question("q", repeat=1), make_question("q", "wrong", repeat=2)])
    root = ElementTree.fromstring(render_junit((), report))
    assert [case.get("name") for case in root.iter("testcase")] == ["q (1)", "q (2)"]
