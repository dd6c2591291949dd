from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli import footnote

FOOTNOTE = Path(sys.executable).parent / "footnote"
ROOT = Path(__file__).parent.parent.parent


def run(*arguments: object, expect: int = 0, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FOOTNOTE_")}
    environment["FOOTNOTE_ANSWERER"] = "extractive"  # the command is meant here; answering has tests of its own
    done = subprocess.run(
        [str(FOOTNOTE), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
        cwd=cwd,
        env=environment,
    )
    assert "Traceback" not in done.stderr
    assert done.returncode == expect, done.stderr
    return done


def help_of(command: str) -> str:
    """Return what a command says of itself. Asked for in this process: another takes seconds to start."""
    shown = CliRunner().invoke(footnote, [*command.split(), "--help"], prog_name="footnote")
    assert shown.exit_code == 0, shown.output
    return shown.stdout


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder made by the command itself."""
    folder = tmp_path_factory.mktemp("cli")
    docs = folder / "docs"
    docs.mkdir()
    (docs / "ferry.txt").write_text("Ferry timetable\n\nThe first ferry leaves Mui Wo at 5:55 am.\n")
    (docs / "damaged.pdf").write_bytes(b"%PDF-1.7 this is no document")
    done = run("index", docs, "--data-dir", folder / "data", expect=1)
    assert "1 added" in done.stdout
    assert "1 failed" in done.stdout
    assert "damaged.pdf is damaged" in done.stderr
    return folder / "data"


def test_ask_prints_the_answer_and_its_footnote(data: Path) -> None:
    done = run("ask", "When does the first ferry leave Mui Wo?", "--data-dir", data)
    assert "5:55 am. [1]" in done.stdout
    assert "[1] Ferry timetable (ferry.txt" in done.stdout


def test_ask_json_is_one_object_and_nothing_else(data: Path) -> None:
    answer = json.loads(run("ask", "When does the first ferry leave?", "--json", "--data-dir", data).stdout)
    assert answer["kind"] == "answer"
    assert answer["provenance"]["answerer"] == "extractive"


def test_a_batch_is_answered_in_order_and_resumed(data: Path, tmp_path: Path) -> None:
    questions, output = tmp_path / "questions.jsonl", tmp_path / "answers.jsonl"
    rows = [{"id": f"q{number}", "question": "When does the first ferry leave Mui Wo?"} for number in range(4)]
    questions.write_text("".join(json.dumps(row) + "\n" for row in rows))
    run("ask", "--batch", questions, "--output", output, "--data-dir", data)
    whole = output.read_text().splitlines()
    assert [json.loads(line)["id"] for line in whole] == ["q0", "q1", "q2", "q3"]
    output.write_text("\n".join(whole[:2]) + "\n" + whole[2][:40])  # killed while writing the third
    done = run("ask", "--batch", questions, "--output", output, "--data-dir", data)
    assert "2 answered, 2 were there already" in done.stderr
    resumed = output.read_text().splitlines()
    assert [json.loads(line)["id"] for line in resumed] == ["q0", "q1", "q2", "q3"]
    assert resumed[:2] == whole[:2]


def test_search_batch_has_the_promised_keys(data: Path, tmp_path: Path) -> None:
    questions, output = tmp_path / "questions.jsonl", tmp_path / "found.jsonl"
    questions.write_text('{"id": "t", "question": "first ferry", "history": []}\n')
    run("search", "--batch", questions, "--output", output, "--top-k", 2, "--data-dir", data)
    row = json.loads(output.read_text())
    assert set(row) == {"id", "standalone_question", "retrieved", "timings_ms"}
    assert row["retrieved"][0]["document_id"] == "ferry.txt"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("index", "nowhere"), 1, ["nowhere", "check the path"]),
        (("index", "--no-such-flag"), 2, ["no-such-flag"]),
        (("ask",), 2, ["--batch"]),
        (("ask", "why?", "--batch", "x.jsonl", "--output", "y"), 2, ["one question"]),
        (("ask", "--batch", "nowhere.jsonl", "--output", "y"), 1, ["nowhere.jsonl"]),
        (("ask", "why?", "--config", "nowhere.toml"), 1, ["nowhere.toml"]),
        (("ask", "--batch", "README.md", "--output", "nowhere/out.jsonl"), 1, ["README.md"]),
        (("search", "why?", "--top-k", "0"), 2, ["top-k"]),
        (("search", "why?"), 1, ["footnote index FOLDER"]),
        (("eval", "check", "nowhere.yaml"), 1, ["nowhere.yaml"]),
        (("no-such-command",), 2, ["no-such-command"]),
    ],
)
def test_bad_usage_is_one_clear_line(tmp_path: Path, arguments: tuple[str, ...], code: int, words: list[str]) -> None:
    done = run(
        *arguments, *(["--data-dir", tmp_path / "data"] if "no-such-command" not in arguments else []), expect=code
    )
    assert all(word in done.stderr + done.stdout for word in words)
    if code == 1:
        assert len((done.stderr + done.stdout).strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("not json", ["line 1"]),
        ('{"id": "a"}', ["line 1", "question"]),
        ('{"id": "a", "question": "?", "history": [{"role": "king", "content": ""}]}', ["history.0.role"]),
    ],
)
def test_a_bad_line_of_a_batch_is_named(tmp_path: Path, line: str, words: list[str]) -> None:
    (tmp_path / "q.jsonl").write_text(line + "\n")
    done = run(
        "ask", "--batch", tmp_path / "q.jsonl", "--output", tmp_path / "a.jsonl", "--data-dir", tmp_path / "d", expect=1
    )
    assert all(word in done.stderr for word in words)
    assert not (tmp_path / "a.jsonl").exists()


def test_doctor_finds_what_is_missing_and_what_is_there(data: Path, tmp_path: Path) -> None:
    fresh = json.loads(run("doctor", "--json", "--data-dir", tmp_path / "new").stdout)
    assert {check["name"]: check["state"] for check in fresh}["index"] == "warning"
    assert not (tmp_path / "new").exists()
    states = {check["name"]: check["state"] for check in json.loads(run("doctor", "--json", "--data-dir", data).stdout)}
    assert states["index"] == states["database"] == states["embedding model"] == "ok"
    manifest = next((data / "generations").glob("*/manifest.json"))
    kept = manifest.read_text()
    manifest.unlink()
    try:
        assert "footnote index" in run("doctor", "--data-dir", data, expect=1).stdout
    finally:
        manifest.write_text(kept)


def test_a_port_in_use_is_said_in_one_line(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("serve", "--port", port, "--data-dir", data, expect=1)
    assert str(port) in done.stderr
    assert "--port" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_an_interrupted_run_exits_with_130(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    for number in range(400):
        (docs / f"{number}.txt").write_text(f"Report {number}\n\n" + f"Sentence about subject {number}. " * 60)
    process = subprocess.Popen(
        [str(FOOTNOTE), "index", str(docs), "--data-dir", str(tmp_path / "data")], stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + 120
    while not (tmp_path / "data" / "owner.lock").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in errors


SWALLOWED = """
import os, signal
from contextlib import suppress
from bot.cli.options import interruptible

signal.signal(signal.SIGINT, signal.default_int_handler)  # a process in the background starts without
with interruptible() as check:
    check()
    with suppress(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
    try:
        check()
    except KeyboardInterrupt:
        print("not lost")
print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)
"""


def test_an_interrupt_that_a_library_swallows_is_not_lost() -> None:
    # In a process of its own: the one that runs the tests also holds a browser's driver and its signal stack.
    done = subprocess.run([sys.executable, "-c", SWALLOWED], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split("\n") == ["not lost", "True", ""]


def test_every_command_has_help_with_an_example() -> None:
    for command in (
        "index",
        "ask",
        "search",
        "serve",
        "model fetch",
        "model status",
        "backup",
        "restore",
        "doctor",
        "eval check",
        "eval run",
        "eval fit",
        "eval latency",
        "eval scale",
        "eval benchmark",
    ):
        shown = help_of(command)
        assert "Example" in shown
        assert f"footnote {command}" in shown


def test_the_commands_of_the_readme_exist() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^make ([a-z-]+)", readme, re.MULTILINE)) | set(re.findall(r"`make ([a-z-]+)", readme))
    assert {"chat", "test"} <= targets
    assert targets <= set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    commands = set(re.findall(r"(?:\.venv/bin/|`)footnote ((?:eval )?[a-z]+)", readme))
    assert {"index", "ask", "serve"} <= commands
    for command in commands:
        help_of(command)
    for picture in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", readme):
        assert (ROOT / picture).is_file()
