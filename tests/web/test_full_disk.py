"""A disk that fills up while the page is served: readers go on getting answers, and a command says what is wrong."""

from __future__ import annotations

from pathlib import Path

from tests.index.test_full_disk import may_mount, run_apart

pytestmark = may_mount

SCRIPT = """
import sqlite3, subprocess, sys
from contextlib import closing, suppress
from pathlib import Path
from tests.support.web_machine import WebMachine

QUESTION = "How much is reserved for the AI research institute?"

def ask(data):
    command = [sys.executable, "-c", "from bot.cli import main; main()", "ask", QUESTION, "--data-dir", data]
    return subprocess.run([*command, "--answerer", "extractive"], capture_output=True, text=True, check=False)

def fill(data):
    with (data / "ballast").open("ab", buffering=0) as ballast, suppress(OSError):
        while True:
            ballast.write(bytes(4096))

def main(data):
    with closing(sqlite3.connect(data / "footnote.db")) as database:
        database.execute("PRAGMA journal_mode=DELETE")  # nothing is left beside it
    fill(data)
    alone = ask(data)
    print(alone.returncode, alone.stderr, end="")
    (data / "ballast").unlink()
    machine = WebMachine(data, {})
    machine.start()
    try:
        machine.wait()
        assert machine.ask(QUESTION)["kind"] == "answer"
        fill(data)
        for _ in range(3):
            assert "HK$1 billion" in machine.ask(QUESTION)["text"]
        assert "could not be put on record" in machine.said()
        assert "Traceback" not in machine.said()
        beside = ask(data)
        assert beside.returncode == 0 and "HK$1 billion" in beside.stdout, beside.stderr
    finally:
        machine.terminate()
    assert machine.ended() == 0

if __name__ == "__main__":
    main(Path(sys.argv[1]))
"""


def test_a_full_disk_stops_no_answer_of_the_page_and_is_one_line_for_a_command(tmp_path: Path, seed_data: Path) -> None:
    root = tmp_path / "data"
    root.mkdir()
    said = run_apart(SCRIPT, root, f"mount -t tmpfs -o size=24m none {root} && cp -R {seed_data}/. {root}")
    assert said.startswith("1 footnote: The database ")
    assert "see that there is room" in said
    assert said.count("\n") == 1
