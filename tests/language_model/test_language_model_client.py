from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator

import pytest

from bot.language_model import CancelledError, Limits, ModelUnavailableError, Prompt
from bot.language_model.circuit_breaker import CircuitBreaker
from bot.language_model.remote import RemoteModel
from bot.language_model.yes_no import PLAIN_LOG_ODDS
from tests.support.model_server import ModelServer, model_server, unused_url

PROMPT = Prompt(system="Answer Yes or No.", user="Is it so?")
LIMITS = Limits(connect=0.5, first_token=0.8, between_tokens=0.5, total=2.0)
FAULTS = ["hang", "error", "html", "garbage", "shape", "empty"]
SECRET = "sk-do-not-show"


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with model_server() as running:
        yield running


@pytest.fixture
def client(server: ModelServer) -> Iterator[RemoteModel]:
    made = RemoteModel(server.url, "m", SECRET, limits=LIMITS, breaker=CircuitBreaker(pause=0.5))
    yield made
    made.close()


def wait_until_idle(server: ModelServer, seconds: float) -> None:
    end = time.monotonic() + seconds
    while server.open_requests and time.monotonic() < end:
        time.sleep(0.01)
    assert server.open_requests == 0


def test_log_odds_add_the_probabilities_of_each_side(client: RemoteModel, server: ModelServer) -> None:
    assert client.log_odds(PROMPT) == pytest.approx(math.log(0.95 / 0.01))
    (request,) = server.requests
    assert (request["max_tokens"], request["temperature"], request["top_logprobs"]) == (1, 0.0, 20)
    assert [message["role"] for message in request["messages"]] == ["system", "user"]


def test_a_reply_comes_in_pieces(client: RemoteModel, server: ModelServer) -> None:
    assert list(client.complete(PROMPT, 20, stop=["\n"])) == ["Yes", " it", " is", " so."]
    assert server.requests[0]["stop"] == ["\n"]
    assert server.requests[0]["max_tokens"] == 20


def test_a_server_that_lists_five_tokens_is_asked_for_five_from_then_on(
    client: RemoteModel, server: ModelServer
) -> None:
    server.behaviour = "few logprobs"
    for _ in range(2):
        assert client.log_odds(PROMPT) == pytest.approx(math.log(95))
    assert [request["top_logprobs"] for request in server.requests] == [20, 5, 5]


@pytest.mark.parametrize("behaviour", ["refuse logprobs", "no logprobs"])
def test_without_log_probabilities_the_word_counts_and_they_are_not_asked_for_again(
    client: RemoteModel, server: ModelServer, behaviour: str
) -> None:
    server.behaviour = behaviour
    assert client.log_odds(PROMPT) == PLAIN_LOG_ODDS
    asked = len(server.requests)
    server.reply = "No."
    assert client.log_odds(PROMPT) == -PLAIN_LOG_ODDS
    assert len(server.requests) == asked + 1
    assert "logprobs" not in server.requests[-1]


def test_a_reply_that_is_neither_yes_nor_no_is_a_failure(client: RemoteModel, server: ModelServer) -> None:
    server.behaviour, server.reply = "no logprobs", "Perhaps, who knows."
    with pytest.raises(ModelUnavailableError, match="neither Yes nor No"):
        client.log_odds(PROMPT)


@pytest.mark.parametrize("fault", [*FAULTS, "hang midway", "cut", "unfinished"])
def test_a_broken_reply_fails_within_its_limit(client: RemoteModel, server: ModelServer, fault: str) -> None:
    server.behaviour = fault
    started = time.monotonic()
    with pytest.raises(ModelUnavailableError, match="choose --answerer extractive") as error:
        list(client.complete(PROMPT, 20))
    assert time.monotonic() - started < 6
    assert "\n" not in str(error.value)
    wait_until_idle(server, 1)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_judgement_fails_within_its_limit(client: RemoteModel, server: ModelServer, fault: str) -> None:
    server.behaviour = fault
    started = time.monotonic()
    with pytest.raises(ModelUnavailableError):
        client.log_odds(PROMPT)
    assert time.monotonic() - started < 6
    wait_until_idle(server, 1)


def test_a_slow_reply_ends_at_the_limit_for_the_whole(client: RemoteModel, server: ModelServer) -> None:
    server.behaviour, server.pause, server.reply = "slow", 0.3, "word " * 50
    started = time.monotonic()
    with pytest.raises(ModelUnavailableError, match="too slow"):
        list(client.complete(PROMPT, 200))
    assert 1.5 < time.monotonic() - started < 8
    wait_until_idle(server, 1)


def test_nobody_listening_is_said_at_once() -> None:
    client = RemoteModel(unused_url(), "m", limits=LIMITS)
    started = time.monotonic()
    with pytest.raises(ModelUnavailableError, match="cannot be reached"):
        client.log_odds(PROMPT)
    assert time.monotonic() - started < 6
    client.close()


def test_one_failure_before_the_first_piece_is_tried_again(client: RemoteModel, server: ModelServer) -> None:
    server.script = ["error"]
    assert "".join(client.complete(PROMPT, 20)) == "Yes it is so."
    server.script = ["error"]
    assert client.log_odds(PROMPT) > 0
    assert len(server.requests) == 4


@pytest.mark.parametrize("fault", ["cut", "hang midway", "unfinished"])
def test_nothing_is_tried_again_once_text_was_handed_over(client: RemoteModel, server: ModelServer, fault: str) -> None:
    server.script = [fault]
    pieces = client.complete(PROMPT, 20)
    assert next(pieces) == "Yes"
    with pytest.raises(ModelUnavailableError):
        list(pieces)
    assert len(server.requests) == 1


def test_the_breaker_opens_after_three_failures_and_recovers(client: RemoteModel, server: ModelServer) -> None:
    server.behaviour = "error"
    for _ in range(3):
        assert client.ready()
        with pytest.raises(ModelUnavailableError, match="500"):
            client.log_odds(PROMPT)
    asked, started = len(server.requests), time.monotonic()
    assert not client.ready()
    with pytest.raises(ModelUnavailableError, match="rests"):
        client.log_odds(PROMPT)
    assert time.monotonic() - started < 1
    assert len(server.requests) == asked
    server.behaviour = "answer"
    time.sleep(0.6)
    assert client.log_odds(PROMPT) > 0
    assert client.ready()


def test_a_request_that_is_turned_down_for_its_own_fault_does_not_open_the_breaker(
    client: RemoteModel, server: ModelServer
) -> None:
    server.behaviour = "too long"
    for _ in range(4):
        with pytest.raises(ModelUnavailableError, match="400"):
            client.log_odds(PROMPT)
    assert client.ready()
    server.behaviour = "answer"
    assert client.log_odds(PROMPT) > PLAIN_LOG_ODDS


def test_a_server_that_ignores_the_limit_is_cut_off(client: RemoteModel, server: ModelServer) -> None:
    server.behaviour = "endless"
    assert len("".join(client.complete(PROMPT, 4))) <= 4 * 16 + 10
    wait_until_idle(server, 1)


@pytest.mark.parametrize("behaviour", ["hang", "hang midway", "slow"])
def test_a_reader_who_leaves_closes_the_connection(client: RemoteModel, server: ModelServer, behaviour: str) -> None:
    server.behaviour = behaviour
    cancel = threading.Event()
    threading.Timer(0.2, cancel.set).start()
    started = time.monotonic()
    with pytest.raises(CancelledError):
        list(client.complete(PROMPT, 20, cancel=cancel))
    assert time.monotonic() - started < 3
    wait_until_idle(server, 1)
    assert client.ready()


def test_a_judgement_that_nobody_waits_for_closes_the_connection(client: RemoteModel, server: ModelServer) -> None:
    server.behaviour = "hang"
    cancel = threading.Event()
    threading.Timer(0.2, cancel.set).start()
    with pytest.raises(CancelledError):
        client.log_odds(PROMPT, cancel)
    wait_until_idle(server, 1)


def test_a_dropped_iterator_closes_the_connection(client: RemoteModel, server: ModelServer) -> None:
    server.behaviour = "hang midway"
    pieces = client.complete(PROMPT, 20)
    assert next(pieces) == "Yes"
    pieces.close()  # type: ignore[attr-defined]
    wait_until_idle(server, 1)


@pytest.mark.parametrize("behaviour", ["hang", "hang midway"])
def test_a_hundred_readers_who_leave_keep_nothing_open(server: ModelServer, behaviour: str) -> None:
    client = RemoteModel(server.url, "m", limits=Limits(connect=120, first_token=120, between_tokens=120, total=120))
    server.behaviour = behaviour
    leave = threading.Event()
    left: list[CancelledError] = []

    def read() -> None:
        try:
            list(client.complete(PROMPT, 20, cancel=leave))
        except CancelledError as error:
            left.append(error)

    readers = [threading.Thread(target=read) for _ in range(100)]
    for reader in readers:
        reader.start()
    end = time.monotonic() + 100
    while server.open_requests < 100 and time.monotonic() < end:
        time.sleep(0.05)
    leave.set()
    for reader in readers:
        reader.join(5)
    assert len(left) == 100
    wait_until_idle(server, 5)
    server.behaviour = "answer"
    assert client.log_odds(PROMPT) > 0
    client.close()


def test_the_key_is_sent_and_never_shown(client: RemoteModel, server: ModelServer) -> None:
    server.behaviour = "unauthorized"
    with pytest.raises(ModelUnavailableError, match="401") as error:
        client.log_odds(PROMPT)
    assert SECRET not in str(error.value)
    assert SECRET not in repr(client)


def test_a_closed_client_ends_its_calls(server: ModelServer) -> None:
    client = RemoteModel(server.url, "m", limits=Limits())
    server.behaviour = "hang"
    threading.Timer(0.3, client.close).start()
    with pytest.raises(CancelledError):
        client.log_odds(PROMPT)
    with pytest.raises(CancelledError):
        client.log_odds(PROMPT)
