"""The real weights in a real child process; fails where `make setup` has not fetched them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.language_model import CancelledError, ModelUnavailableError, Prompt
from bot.language_model.local import LocalModel
from bot.language_model.weights import cache_folder

pytestmark = pytest.mark.timeout(900)  # loading a gigabyte on a machine that others use

SYSTEM = "Does the text state the answer to the question? Reply with one word, Yes or No."
TEXT = "Text: The first ferry leaves Mui Wo at 5:55 am.\n"
ANSWERED = Prompt(SYSTEM, f"{TEXT}Question: When does the first ferry leave Mui Wo?")
UNANSWERED = Prompt(SYSTEM, f"{TEXT}Question: Who painted the ceiling of the chapel?")
LOADING = 240.0

PARENT = """
import sys, time
from pathlib import Path
from bot.language_model.local import LocalModel
model = LocalModel(Path(sys.argv[1]))
model.warm_up()
while model.process_id is None:
    time.sleep(0.05)
print(model.process_id, flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="module")
def model() -> Iterator[LocalModel]:
    made = LocalModel(cache_folder(None), patience=LOADING)
    assert made.ready(), "the weights are missing: run `footnote model fetch`"
    yield made
    made.close()


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    assert condition()


def processor_seconds(pid: int) -> float:
    ticks = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def test_what_is_stated_gets_yes_and_what_is_not_no(model: LocalModel) -> None:
    assert model.log_odds(ANSWERED) > 1
    assert model.log_odds(UNANSWERED) < -1
    assert model.name == "qwen2.5-coder-1.5b-instruct-q4_k_m"


def test_a_reply_is_short_and_the_same_every_time(model: LocalModel) -> None:
    prompt = Prompt("Answer with one word.", "What is the capital of France?")
    replies = {"".join(model.complete(prompt, 4)) for _ in range(2)}
    assert len(replies) == 1
    assert "Paris" in replies.pop()


def test_many_callers_share_one_child(model: LocalModel) -> None:
    model.log_odds(ANSWERED)
    pid = model.process_id
    values: list[float] = []
    callers = [threading.Thread(target=lambda: values.append(model.log_odds(ANSWERED))) for _ in range(6)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(120)
    assert len(values) == 6
    assert model.process_id == pid


def test_a_reader_who_leaves_frees_the_model(model: LocalModel) -> None:
    """Waiting times depend on who else uses the processor, so the child's own processor time is counted."""
    model.log_odds(ANSWERED)
    pid = model.process_id
    assert pid is not None
    long = Prompt("Read this.", "The ferry to Mui Wo leaves at five, or at six on Sundays. " * 200)
    cancel = threading.Event()
    threading.Timer(1.5, cancel.set).start()
    started = time.monotonic()
    with pytest.raises(CancelledError):
        model.log_odds(long, cancel)
    assert time.monotonic() - started < 6
    spent = processor_seconds(pid)
    assert model.log_odds(ANSWERED) > 1
    time.sleep(1)
    # The whole prompt has 3,200 tokens, more than half a minute of one processor.
    assert processor_seconds(pid) - spent < 12


def test_a_killed_child_is_replaced_by_the_next_call(model: LocalModel) -> None:
    model.log_odds(ANSWERED)
    pid = model.process_id
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert model.log_odds(ANSWERED) > 1
    assert model.process_id not in (None, pid)


def test_the_key_is_not_among_the_arguments(model: LocalModel) -> None:
    model.log_odds(ANSWERED)
    arguments = Path(f"/proc/{model.process_id}/cmdline").read_bytes().split(b"\0")
    assert arguments[1:] == [b"-P", b"-m", b"bot.language_model.server", b""]


def test_the_child_ends_when_its_parent_is_killed() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(cache_folder(None))], stdout=subprocess.PIPE, text=True
    )
    try:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert is_alive(child)
    finally:
        parent.kill()
        parent.wait()
    wait_until(lambda: not is_alive(child), 5)
    parent.stdout.close()


def test_closing_ends_the_child_even_while_it_loads() -> None:
    model = LocalModel(cache_folder(None), patience=LOADING)
    model.warm_up()
    started = time.monotonic()
    model.close()
    model.close()
    assert time.monotonic() - started < 30
    assert model.process_id is None
    with pytest.raises(CancelledError):
        model.log_odds(ANSWERED)


def test_missing_weights_say_what_to_do_and_are_used_once_they_are_there(tmp_path: Path) -> None:
    model = LocalModel(tmp_path / "cache", patience=LOADING)
    assert not model.ready()
    model.warm_up()
    with pytest.raises(ModelUnavailableError, match="run `footnote model fetch`"):
        model.log_odds(ANSWERED)
    (tmp_path / "cache").symlink_to(cache_folder(None))
    assert model.ready()
    assert model.log_odds(ANSWERED) > 1
    model.close()


def test_weights_that_cannot_be_used_are_named_and_not_tried_for_ever(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.gguf"
    damaged.write_bytes(b"GGUF" + b"\x00" * 1_000)
    model = LocalModel(tmp_path, damaged, patience=LOADING)
    for _ in range(3):
        with pytest.raises(ModelUnavailableError, match=r"damaged\.gguf.*cannot be used"):
            model.log_odds(ANSWERED)
    started = time.monotonic()
    assert not model.ready()
    with pytest.raises(ModelUnavailableError, match="rests"):
        model.log_odds(ANSWERED)
    assert time.monotonic() - started < 5
    model.close()
