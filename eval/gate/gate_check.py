"""Checks a run against the rules of a gate."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence

import numpy

from eval.compare.comparison import Comparison, MeasureDifference
from eval.compare.difference import less_is_better
from eval.errors import GateError
from eval.gate.rules import AllowedRegression, Gate
from eval.measures.interval import Metric
from eval.report.json_file import Record
from eval.report.report import RunReport
from eval.report.table import number

# A difference of .1 between two shares is rarely exactly .1 in binary.
_ROUNDING = 1e-9
_NAMED = 5


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted so that all tests together keep the level that each is compared with, in the same order.

    The smallest is multiplied by their number, the next by one less, and none falls below the one before: S. Holm, "A
    simple sequentially rejective multiple test procedure" (1979). The tests may depend on each other in any way.
    """
    order = numpy.argsort(p_values, kind="stable")
    adjusted = numpy.empty(len(p_values))
    adjusted[order] = numpy.maximum.accumulate(
        numpy.minimum(1.0, numpy.asarray(p_values)[order] * numpy.arange(len(p_values), 0, -1))
    )
    return [float(one) for one in adjusted]


class GateCheck(Record):
    """One rule, and whether the run keeps it.

    Attributes:
        rule: Its key in the gate, such as `tags.fact.at_least.answer_correct`.
        message: What was found and what was wanted, in words.
    """

    rule: str
    passed: bool
    message: str

    def __str__(self) -> str:
        return f"{'passed' if self.passed else 'FAILED'}  {self.rule}: {self.message}"


def check_gate(gate: Gate, report: RunReport, comparison: Comparison | None = None) -> tuple[GateCheck, ...]:
    """Return one check for each rule of a gate.

    Args:
        gate: The rules.
        report: The run that is to pass.
        comparison: That run beside its baseline, with the tags that the gate compares.

    Raises:
        GateError: Rules look at a baseline and there is none.
    """
    crashed = [question.golden.id for question in report.questions if question.verdict == "crashed"]
    checks = [_at_most("max_crashes", crashed, "crashed", gate.max_crashes, "")]
    checks += _limits(gate.at_least, gate.at_most, report.metrics, "")
    checks += _tag_checks(gate, report)
    if comparison is not None:
        dropped = [key.id for key in comparison.only_in_a]
        checks.append(_at_most("max_dropped", dropped, "of the baseline not asked", gate.max_dropped, "be left out"))
    if gate.baseline_rules:
        if comparison is None:
            raise GateError(
                f"The gate has rules against an earlier run ({', '.join(gate.baseline_rules)}): name that run with "
                "--baseline, or leave those rules out with --without-baseline."
            )
        checks += _regressions(gate, comparison)
        if gate.max_newly_wrong is not None:
            wrong = [flip.key.id for flip in comparison.newly("wrong")]
            checks.append(_at_most("max_newly_wrong", wrong, "newly wrong", gate.max_newly_wrong, "be"))
    return tuple(checks)


def _at_most(rule: str, names: Sequence[str], what: str, most: int, may: str) -> GateCheck:
    shown = f" ({', '.join(names[:_NAMED])}{', …' if len(names) > _NAMED else ''})" if names else ""
    message = f"{len(names)} {what}{shown}, at most {most} may {may}".rstrip()
    return GateCheck(rule=rule, passed=len(names) <= most, message=message)


def _tag_checks(gate: Gate, report: RunReport) -> Iterator[GateCheck]:
    for tag, rules in gate.tags.items():
        if tag in report.by_tag:
            yield from _limits(rules.at_least, rules.at_most, report.by_tag[tag].metrics, f"tags.{tag}.")
            continue
        near = difflib.get_close_matches(tag, report.by_tag, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        yield GateCheck(rule=f"tags.{tag}", passed=False, message=f"no question of the run has this tag{hint}")


def _limits(
    floors: Mapping[str, float], ceilings: Mapping[str, float], metrics: Mapping[str, Metric], prefix: str
) -> Iterator[GateCheck]:
    for name, floor in floors.items():
        yield _limit(f"{prefix}at_least.{name}", metrics.get(name), name, floor, "at least")
    for name, ceiling in ceilings.items():
        yield _limit(f"{prefix}at_most.{name}", metrics.get(name), name, ceiling, "at most")


def _limit(rule: str, metric: Metric | None, name: str, limit: float, which: str) -> GateCheck:
    wanted = f"{which} {number(name, limit)} is wanted"
    if metric is None or metric.value is None or not metric.n:
        return GateCheck(rule=rule, passed=False, message=f"not measured, {wanted}")
    distance = metric.value - limit if which == "at least" else limit - metric.value
    message = f"{number(name, metric.value)} over {metric.n} questions, {wanted}"
    return GateCheck(rule=rule, passed=distance >= -_ROUNDING, message=message)


def _regressions(gate: Gate, comparison: Comparison) -> Iterator[GateCheck]:
    rules: dict[tuple[str | None, str], AllowedRegression] = {
        (None, name): rule for name, rule in gate.allowed_regression.items()
    }
    for compared in gate.compared_tags:
        rules |= {(compared, name): rule for name, rule in gate.tags[compared].allowed_regression.items()}
    found = {(tag, name): comparison.measure(name, tag) for tag, name in rules}
    tested = {place: _chance(found[place]) for place, rule in rules.items() if rule.significant is not None}
    # Several tests would together fail on noise more often than each alone.
    chances = dict(zip(tested, holm(list(tested.values())), strict=True))
    for place, rule in rules.items():
        tag, name = place
        key = f"{f'tags.{tag}.' if tag else ''}allowed_regression.{name}"
        yield _regression(key, name, rule, found[place], chances.get(place, 0.0))


def _regression(
    key: str, name: str, rule: AllowedRegression, found: MeasureDifference | None, chance: float
) -> GateCheck:
    if found is None or found.difference is None:
        return GateCheck(rule=key, passed=False, message="not measured in both runs, so nothing says it is no worse")
    worse = found.difference if less_is_better(name) else -found.difference
    message = f"{number(name, found.a)} before, {number(name, found.b)} now, {number(name, rule.by)} worse is allowed"
    if worse <= rule.by + _ROUNDING:
        return GateCheck(rule=key, passed=True, message=message)
    if rule.significant is None:
        return GateCheck(rule=key, passed=False, message=message)
    if found.p_value is None:
        return GateCheck(rule=key, passed=False, message=f"{message}; this measure has no test of significance")
    message = f"{message}; chance alone does this with probability {chance:.3f}, a failure is below {rule.significant}"
    return GateCheck(rule=key, passed=chance >= rule.significant, message=message)


def _chance(found: MeasureDifference | None) -> float:
    """Return how often chance alone makes a measure worse by as much; 1 where it is not worse.

    Half of the two-sided p-value: with A and B swapped a difference has the other sign, so both sides weigh the same.
    """
    if found is None or found.difference is None or found.p_value is None:
        return 1.0
    worse = found.difference if less_is_better(found.measure) else -found.difference
    return found.p_value / 2 if worse > 0 else 1.0
