"""Paired differences against cases that can be worked out by hand, and against the definitions of the measures."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy
import pytest
from scipy.stats import binom

from eval.compare.difference import (
    PairedSamples,
    difference_interval,
    mcnemar,
    paired_difference,
    permutation_p_value,
    weighted_calibration_error,
    weighted_mean,
    weighted_percentile,
)
from eval.measures.confidence import calibration_error
from eval.measures.interval import mean
from eval.measures.scoring import percentile


def paired(
    a: Sequence[float | None], b: Sequence[float | None], clusters: Sequence[object] | None = None
) -> PairedSamples:
    rows = [[None if value is None else (float(value),) for value in side] for side in (a, b)]
    return PairedSamples.of(*rows, clusters or range(len(a)))


# Lost 6, gained 1 of 20: 2 * (C(7,0) + C(7,1)) / 2^7 = 16 / 128.
LOST_SIX = ([1] * 6 + [0] + [1] * 8 + [0] * 5, [0] * 6 + [1] + [1] * 8 + [0] * 5)


def test_mcnemar_by_hand() -> None:
    assert mcnemar(paired(*LOST_SIX)) == pytest.approx(16 / 128)
    assert mcnemar(paired([1] * 6, [0] * 6)) == pytest.approx(2 / 64)
    assert mcnemar(paired([1, 0, 1], [1, 0, 1])) == 1
    assert mcnemar(paired([1, 0], [0, 1])) == 1


def test_zeros_and_ones_are_tested_by_mcnemar_and_other_numbers_by_permutation() -> None:
    exact = paired_difference("answer_correct", paired(*LOST_SIX), weighted_mean)
    assert (exact.a, exact.b, exact.n) == (14 / 20, 9 / 20, 20)
    assert exact.difference == pytest.approx(-0.25)
    assert (exact.p_value, exact.test) == (pytest.approx(0.125), "mcnemar")
    halves = paired_difference("citation_recall", paired([1, 1, 0.5], [0.5, 1, 0.5]), weighted_mean)
    assert halves.test == "permutation"


def test_permutation_of_zeros_and_ones_is_mcnemar() -> None:
    assert permutation_p_value(paired(*LOST_SIX), weighted_mean, 0.25) == pytest.approx(16 / 128)


def test_permutation_by_hand() -> None:
    # Differences 1, 2, 3: of the 8 sign changes of their sum, +6 and -6 are as far from 0 as +6.
    found = paired_difference("latency", paired([0, 0, 0], [1, 2, 3]), weighted_mean)
    assert (found.difference, found.p_value) == (2, pytest.approx(2 / 8))
    # Differences 1, 2, -3 sum to 0, and nothing is nearer than that.
    assert permutation_p_value(paired([0, 0, 3], [1, 2, 0]), weighted_mean, 0) == 1
    assert permutation_p_value(paired([5, 4], [5, 4]), weighted_mean, 0) == 1
    # One question that changed could as well have changed the other way.
    assert permutation_p_value(paired([1, 1, 0.5], [0, 1, 0.5]), weighted_mean, 1 / 3) == 1


def test_many_questions_are_swapped_at_random_and_never_give_zero() -> None:
    assert permutation_p_value(paired([0] * 40, [0.5] * 40), weighted_mean, 0.5) == 1 / 10_000
    half = paired([0] * 30 + [1] * 30, [0.7] * 30 + [0.3] * 30)
    assert permutation_p_value(half, weighted_mean, 0) == 1


def test_turns_of_a_dialogue_count_once() -> None:
    a, b = [1] * 6, [0] * 6
    alone = paired_difference("answer_correct", paired(a, b), weighted_mean)
    together = paired_difference("answer_correct", paired(a, b, ["x", "x", "x", "y", "y", "y"]), weighted_mean)
    assert (alone.p_value, alone.test) == (pytest.approx(2 / 64), "mcnemar")
    # Two dialogues have four sign changes, two of which are as extreme.
    assert (together.p_value, together.test) == (pytest.approx(2 / 4), "permutation")


def test_dialogues_widen_the_interval() -> None:
    generator = numpy.random.default_rng(1)
    b = numpy.repeat(generator.normal(size=10), 6)
    clusters = [place // 6 for place in range(60)]
    narrow = difference_interval(paired([0.0] * 60, b.tolist()), weighted_mean)
    wide = difference_interval(paired([0.0] * 60, b.tolist(), clusters), weighted_mean)
    assert wide[1] - wide[0] > 2 * (narrow[1] - narrow[0])


def test_the_interval_is_that_of_drawn_pairs() -> None:
    # With 0/1 differences the sum of 100 drawn pairs is binomial, so its quantiles are known.
    samples = paired([0] * 100, [1] * 30 + [0] * 70)
    low, high = difference_interval(samples, weighted_mean)
    assert low == pytest.approx(binom.ppf(0.025, 100, 0.3) / 100, abs=0.015)
    assert high == pytest.approx(binom.ppf(0.975, 100, 0.3) / 100, abs=0.015)
    assert difference_interval(samples, weighted_mean) == (low, high)
    assert difference_interval(paired([1, 0], [1, 0]), weighted_mean) == (0, 0)


def test_pairing_makes_the_interval_narrow() -> None:
    values = numpy.linspace(0, 1, 50)
    low, high = difference_interval(paired(values.tolist(), (values + 0.1).tolist()), weighted_mean)
    assert (low, high) == (pytest.approx(0.1), pytest.approx(0.1))


def test_questions_that_one_run_does_not_score() -> None:
    # Refusal precision: B refuses two answerable questions more, so nothing that both refused differs.
    found = paired_difference("refusal_precision", paired([1, 1, None, None], [1, 1, 0, 0]), weighted_mean)
    assert (found.a, found.b, found.n, found.n_a, found.n_b) == (1, 0.5, 2, 2, 4)
    assert found.difference == -0.5
    # Swapped: none .5; one of the two (1,1,0 against 1,1,0) 2/3 each, 0; both .5.
    assert (found.p_value, found.test) == (pytest.approx(2 / 4), "permutation")


def test_a_swap_that_leaves_a_side_empty_is_no_evidence() -> None:
    found = paired_difference("refusal_precision", paired([1, None], [None, 0]), weighted_mean)
    # Of four swaps two keep one question on each side, and two leave one side without any.
    assert (found.difference, found.p_value) == (-1, 1)


def test_nothing_scored_is_no_difference() -> None:
    for samples in (paired([None, None], [1, 1]), paired([1], [None]), paired([], [])):
        found = paired_difference("recall", samples, weighted_mean)
        assert (found.difference, found.p_value, found.low, found.test) == (None, None, None, None)


def test_p_values_are_fair_when_nothing_changed() -> None:
    generator = numpy.random.default_rng(7)
    below = 0
    for _ in range(200):
        a, b = generator.normal(size=(2, 10))
        samples = paired(a.tolist(), b.tolist())
        below += permutation_p_value(samples, weighted_mean, abs(b.mean() - a.mean())) <= 0.1
    assert binom.ppf(0.001, 200, 0.1) <= below <= binom.ppf(0.999, 200, 0.1)


@pytest.mark.parametrize("n", [1, 2, 19, 20, 60])
def test_weighted_statistics_are_those_of_the_measures(n: int) -> None:
    generator = numpy.random.default_rng(n)
    one, two = generator.random((n, 1)).round(1), generator.random((n, 2)).round(1)
    counts = generator.integers(0, 3, size=(50, n))
    counts[0] = 1
    for row in counts[counts.sum(axis=1) > 0]:
        weights = row[None].astype(float)
        drawn, pairs = numpy.repeat(one, row, axis=0), numpy.repeat(two, row, axis=0)
        assert weighted_mean(one, weights)[0] == pytest.approx(mean(drawn))
        assert weighted_calibration_error(two, weights)[0] == pytest.approx(calibration_error(pairs))
        for share in (0.05, 0.5, 0.95):
            assert weighted_percentile(one, weights, share)[0] == percentile(drawn[:, 0], share)


def test_weights_of_nothing_have_no_value() -> None:
    nothing = numpy.zeros((1, 3))
    for statistic in (weighted_mean, partial(weighted_percentile, share=0.5)):
        assert numpy.isnan(statistic(numpy.ones((3, 1)), nothing)[0])
    assert numpy.isnan(weighted_calibration_error(numpy.ones((3, 2)), nothing)[0])
