"""Whether the 95% intervals hold what they promise: simulated runs whose truth is known, fixed seeds.

With 2,000 runs the share of intervals that hold the truth has a standard error of half a point.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy
import pytest
from numpy.random import Generator
from numpy.typing import NDArray

from eval.measures.interval import bootstrap_interval, mean, summarise
from eval.measures.scoring import percentile

RUNS = 2_000
# The rest of the grid: half a minute.
SLOW_SIZE = pytest.param(100, marks=pytest.mark.slow)
Draw = Callable[[Generator, int], NDArray[numpy.float64]]


def holds(truth: float, interval: tuple[float | None, float | None]) -> bool:
    low, high = interval
    assert low is not None
    assert high is not None
    return low <= truth <= high


def coverage_of_mean(draw: Draw, truth: float, n: int, clusters: list[int] | None = None) -> float:
    """Return the share of runs whose interval holds the truth."""
    generator = numpy.random.default_rng(2_025)
    held = 0
    for _ in range(RUNS):
        metric = summarise(draw(generator, n).tolist(), mean, clusters)
        held += holds(truth, (metric.low, metric.high))
    return held / RUNS


@pytest.mark.parametrize("n", [60, SLOW_SIZE, 200])
@pytest.mark.parametrize("share", [0.5, 0.7, 0.85, 0.93])
def test_a_proportion(share: float, n: int) -> None:
    held = coverage_of_mean(lambda generator, size: generator.binomial(1, share, size).astype(float), share, n)
    assert 0.93 <= held <= 0.97


def _ranks(generator: Generator, n: int) -> NDArray[numpy.float64]:
    return generator.choice([1, 1 / 2, 1 / 3, 1 / 4, 0], p=[0.8, 0.08, 0.04, 0.03, 0.05], size=n)


SKEWED: dict[str, tuple[Draw, float]] = {
    "mostly near 0": (lambda generator, n: generator.beta(0.5, 3, n), 0.5 / 3.5),
    "mostly near 1": (lambda generator, n: generator.beta(3, 0.3, n), 3 / 3.3),
    "recall of two items": (lambda generator, n: generator.choice([0, 0.5, 1], p=[0.03, 0.12, 0.85], size=n), 0.91),
    "reciprocal rank": (_ranks, 0.8 + 0.04 + 0.04 / 3 + 0.03 / 4),
    "seldom less than 1": (lambda generator, n: generator.choice([0.5, 1], p=[0.1, 0.9], size=n), 0.95),
}


@pytest.mark.parametrize("n", [60, SLOW_SIZE, 200])
@pytest.mark.parametrize("name", SKEWED)
def test_the_mean_of_a_bounded_skewed_measure(name: str, n: int) -> None:
    assert 0.93 <= coverage_of_mean(*SKEWED[name], n) <= 0.97


@pytest.mark.parametrize(("dialogues", "turns"), [(30, 3), pytest.param(60, 3, marks=pytest.mark.slow), (40, 5)])
@pytest.mark.parametrize("share", [0.5, 0.8, 0.9])
def test_the_mean_of_dependent_samples(share: float, dialogues: int, turns: int) -> None:
    """Each dialogue has its own difficulty, so that its turns go right or wrong together (correlation 1/3)."""

    def draw(generator: Generator, n: int) -> NDArray[numpy.float64]:
        ease = numpy.repeat(generator.beta(2 * share, 2 * (1 - share), n // turns), turns)
        return generator.binomial(1, ease).astype(float)

    n = dialogues * turns
    clusters = [place // turns for place in range(n)]
    assert 0.93 <= coverage_of_mean(draw, share, n, clusters) <= 0.97
    assert coverage_of_mean(draw, share, n) < 0.93  # taken for independent they promise too much


@pytest.mark.slow
def test_the_median_of_waiting_times_that_are_slow_together() -> None:
    """The four answers of a dialogue are slow or fast together."""
    generator = numpy.random.default_rng(7)
    dialogues, turns, runs = 60, 4, 500
    labels = numpy.repeat(numpy.arange(dialogues), turns)
    median = partial(percentile, share=0.5)
    held = {True: 0, False: 0}
    for _ in range(runs):
        slowness = numpy.repeat(generator.normal(size=dialogues), turns)
        times = numpy.exp(slowness + generator.normal(size=len(labels)) * 0.3)
        for together in held:
            interval = bootstrap_interval(times, median, labels if together else None, resamples=500)
            held[together] += holds(1.0, interval)
    assert 0.92 <= held[True] / runs <= 0.97
    assert held[False] / runs < 0.8


@pytest.mark.parametrize("turns", [1, 3])
def test_the_mean_difference_of_two_systems(turns: int) -> None:
    """Differences of scores lie in [-1, 1], so their mean is bootstrapped; turns of a dialogue share theirs."""
    generator = numpy.random.default_rng(7)
    runs, dialogues = 250, 80
    labels = numpy.repeat(numpy.arange(dialogues), turns)
    held = 0
    for _ in range(runs):
        shared = generator.choice([-1.0, -0.5, 0, 0.5, 1], p=[0.1, 0.1, 0.5, 0.1, 0.2], size=dialogues)
        own = generator.choice([-0.2, 0, 0.2], size=len(labels))
        differences = numpy.repeat(shared, turns) + own
        held += holds(0.1, bootstrap_interval(differences, mean, labels if turns > 1 else None, resamples=200))
    assert 0.91 <= held / runs <= 0.98


def test_clusters_of_one_change_nothing_and_none_samples_keep_their_place() -> None:
    samples = [1, 0, None, 1, 0.5]
    assert summarise(samples, mean, ["a", "b", "c", "d", "e"]) == summarise(samples, mean)
    dependent = summarise([1, 1, None, 0, 0], mean, ["a", "a", "b", "c", "c"])
    alone = summarise([1, None, 0], mean, ["a", "b", "c"])
    assert (dependent.value, dependent.n, dependent.unscored) == (0.5, 4, 1)
    assert alone.low is not None
    assert dependent.low is not None
    assert dependent.low < alone.low  # two dialogues are no more than two samples, and their spread is a guess


def test_where_no_spread_is_seen_the_interval_still_has_a_width() -> None:
    metric = summarise([1.0] * 30, mean, [place // 3 for place in range(30)])
    assert metric.high == 1
    assert metric.low is not None
    assert 0.6 < metric.low < 0.75  # ten clusters count as ten samples, which Wilson gives .722 and t .66
    single = summarise([0.5], mean)
    assert single.low is not None
    assert single.high is not None
    assert 0 <= single.low < 0.1 < 0.9 < single.high <= 1
