"""Indexing that is cut off: at each step (R2), and at random moments one after another (R1)."""

from __future__ import annotations

import os
import random
import signal
from pathlib import Path

import pytest

from index.store.failpoints import EXIT_CODE, FAILPOINTS
from tests.index.archive import Archive

_IN_A_BUILD = [(name, False) for name in FAILPOINTS]
_IN_A_COPY = [(name, True) for name in ("vectors", "keywords", "exact", "check", "committed")]


@pytest.mark.parametrize(("failpoint", "copying"), _IN_A_BUILD + _IN_A_COPY)
def test_a_run_cut_off_at_any_step_leaves_the_old_state_or_the_new_one(
    tmp_path: Path, failpoint: str, *, copying: bool
) -> None:
    archive = Archive(tmp_path)
    for name in ("ferry", "library", "tram"):
        archive.write(name, 1)
    archive.run()
    before = dict(archive.texts)
    archive.write("ferry", 2)
    archive.write("market", 1)
    archive.delete("tram")
    process = archive.start(failpoint, copying=copying)
    process.join()
    assert process.exitcode == EXIT_CODE
    held = archive.held()
    assert held == (archive.texts if failpoint in FAILPOINTS[FAILPOINTS.index("committed") :] else before)
    archive.assert_answers(held)
    archive.run()
    assert archive.held() == archive.texts
    archive.assert_answers(archive.texts)
    everything = b"".join(path.read_bytes() for path in archive.data.rglob("*") if path.is_file())
    assert b"tramv1x3" not in everything  # what was deleted is gone from every file
    assert b"ferryv1x3" not in everything


def kill_chain(archive: Archive, kills: int, seed: int) -> None:
    """Change the folder, index it, kill that at a random moment, compare; so many times one after another."""
    chance = random.Random(seed)  # no secret
    for number in range(8):
        archive.write(f"paper{number}", 0)
    archive.run()
    longest = 1.0
    killed, before, held = 0, archive.held(), archive.held()
    for step in range(10 * kills):
        for _ in range(chance.randint(1, 3)):
            name = f"paper{chance.randint(0, 15)}"
            if f"{name}.txt" in archive.texts and chance.random() < 0.3:
                archive.delete(name)
            else:
                archive.write(name, step + 1)
        process = archive.start(copying=step % 2 == 0)
        process.join(timeout=chance.uniform(0, longest))
        if process.exitcode is None:
            os.kill(process.pid or 0, signal.SIGKILL)
            process.join()
            killed += 1
        else:
            assert process.exitcode == 0
            longest *= 0.9  # most runs are to be cut off
        held = archive.held()
        assert held in (before, archive.texts), f"after kill {killed}"
        archive.assert_answers(dict(list(held.items())[:3]))
        before = held
        if killed == kills:
            break
    archive.run()
    assert archive.held() == archive.texts
    archive.assert_answers(archive.texts)
    assert killed == kills


def test_a_chain_of_30_kills_loses_and_doubles_nothing(tmp_path: Path) -> None:
    kill_chain(Archive(tmp_path), 30, seed=1)


@pytest.mark.slow
def test_a_chain_of_300_kills_loses_and_doubles_nothing(tmp_path: Path) -> None:
    kill_chain(Archive(tmp_path), 300, seed=2)
