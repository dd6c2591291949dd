"""The estimate of quality from the random sample: its interval holds, whatever is checked first."""

from __future__ import annotations

import random
from contextlib import closing

import pytest

from bot.staff.review.quality import Stratum, estimate, estimate_quality
from bot.staff.review.verdicts import Assessment, record_verdict
from bot.storage.answers import AnswerRecords
from tests.support.review_items import given, record

SIMULATIONS = 2_000


@pytest.mark.parametrize(("flagged", "good", "bad"), [(0.2, 0.95, 0.4), (0.1, 0.85, 0.6), (0.4, 0.9, 0.8)])
@pytest.mark.parametrize(("size", "checked"), [(100, 1.0), (200, 0.5), (400, 0.3)])
def test_the_interval_covers_the_truth(flagged: float, good: float, bad: float, size: int, checked: float) -> None:
    """Flagged answers are worse and are all checked; of the others a share is."""
    chance = random.Random(f"{flagged} {size}")
    truth = flagged * bad + (1 - flagged) * good
    covered = naive = 0
    for _ in range(SIMULATIONS):
        first = sum(chance.random() < flagged for _ in range(size))
        rest = size - first
        judged = max(1, round(rest * checked))
        right_first = sum(chance.random() < bad for _ in range(first))
        right_rest = sum(chance.random() < good for _ in range(judged))
        found = estimate([Stratum(first, first, right_first), Stratum(rest, judged, right_rest)])
        assert found is not None
        covered += found.low <= truth <= found.high
        naive += abs((right_first + right_rest) / (first + judged) - truth) < abs(found.share - truth)
    assert covered / SIMULATIONS > 0.93
    if checked < 1:
        assert naive < SIMULATIONS / 2


def test_too_little_is_no_estimate() -> None:
    assert estimate([]) is None
    assert estimate([Stratum(3, 3, 3), Stratum(9, 0, 0)]) is None
    certain = estimate([Stratum(40, 40, 40)])
    assert certain is not None
    assert (certain.share, certain.high) == (1.0, 1.0)
    assert 0.8 < certain.low < 0.95


def test_the_estimate_reads_the_latest_verdicts_on_the_sample(database_url: str) -> None:
    with closing(AnswerRecords(database_url, sample=1.0)) as records:
        for number in range(4):
            record(records, given(number, confidence=0.5 if number == 3 else 0.9))
        assert estimate_quality(records.engine) is None
        for number, verdict in ((0, "wrong"), (0, "right"), (1, "wrong"), (3, "right")):
            record_verdict(records.engine, given(number), Assessment(verdict), "anna", "f")
        found = estimate_quality(records.engine)
        assert found is not None
        assert (found.sampled, found.judged) == (4, 3)
        assert found.share == pytest.approx(0.25 * 1 + 0.75 * 0.5)
