from __future__ import annotations

import pytest

from bot.language_model.circuit_breaker import CircuitBreaker


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> CircuitBreaker:
    return CircuitBreaker(failures=3, pause=20, clock=clock)


def fail(breaker: CircuitBreaker, times: int) -> None:
    for _ in range(times):
        assert breaker.start()
        breaker.failed()


def test_it_opens_after_three_failures_in_a_row(breaker: CircuitBreaker) -> None:
    fail(breaker, 2)
    assert breaker.allows()
    fail(breaker, 1)
    assert not breaker.allows()
    assert not breaker.start()


def test_a_success_forgets_the_failures_before(breaker: CircuitBreaker) -> None:
    fail(breaker, 2)
    assert breaker.start()
    breaker.succeeded()
    fail(breaker, 2)
    assert breaker.allows()


def test_one_probe_after_the_pause_and_its_success_closes(breaker: CircuitBreaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 19.9
    assert not breaker.allows()
    clock.now += 0.1
    assert breaker.allows()
    assert breaker.start()
    assert not breaker.start()
    breaker.succeeded()
    assert breaker.start()
    assert breaker.start()


def test_a_failed_probe_rests_again(breaker: CircuitBreaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 20
    fail(breaker, 1)
    clock.now += 19
    assert not breaker.allows()
    clock.now += 1
    assert breaker.allows()


def test_a_probe_whose_reader_left_lets_the_next_one_probe(breaker: CircuitBreaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 20
    assert breaker.start()
    breaker.abandoned()
    assert breaker.start()
