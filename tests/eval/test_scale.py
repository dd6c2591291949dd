from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from bot.cli import footnote
from eval.benchmarks.scale import ScaleReport
from eval.benchmarks.varied_passages import Passages, vary
from tests.conftest import SEEDS

FOOTNOTE = [sys.executable, "-c", "from bot.cli import main; main()"]


def passages() -> Passages:
    vectors = np.random.default_rng(1).normal(size=(40, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    sentences = [
        (f"In {1900 + n} they met Ferdinand in the hall.", f"It cost {n} dollars, said Isabella.") for n in range(40)
    ]
    return Passages([f"Title {n}" for n in range(40)], sentences, vectors, ["Ferdinand", "Isabella", "Margaret"])


def test_a_varied_document_is_the_same_each_time_and_like_no_other() -> None:
    real = passages()
    one, same, other = vary(real, 7, 10), vary(real, 7, 10), vary(real, 8, 10)
    assert one.document == same.document
    assert one.chunks == same.chunks
    assert np.array_equal(one.vectors, same.vectors)
    assert one.document.text != other.document.text
    assert len({chunk.text for number in range(50) for chunk in vary(real, number, 10).chunks}) > 450


def test_chunks_stand_where_they_say_and_vectors_have_length_one() -> None:
    made = vary(passages(), 3, 5)
    for chunk in made.chunks:
        assert chunk.span.of(made.document.text) == chunk.text
        assert chunk.sentences
        assert all(span.of(made.document.text) == chunk.sentence_text(span) for span in chunk.sentences)
    assert np.linalg.norm(made.vectors, axis=1) == pytest.approx(np.ones(5), abs=1e-5)


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    folder = tmp_path / "set"
    folder.mkdir()
    text = next(path for path in sorted(SEEDS.rglob("*.txt"))).read_text(encoding="utf-8")
    rows = [{"_id": f"d{n}", "title": f"Part {n}", "text": text[n * 600 : n * 600 + 600]} for n in range(10)]
    asked = [
        {"_id": f"q{n}", "text": text} for n, text in enumerate(("What is reserved?", "Who leads the department?"))
    ]
    for name, some in (("corpus.jsonl", rows), ("queries.jsonl", asked)):
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in some), encoding="utf-8")
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\n", encoding="utf-8")
    return folder


def staged(database: Path) -> dict[str, str]:
    with suppress(sqlite3.Error), closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        return dict(connection.execute("SELECT document_id, indexed_at FROM documents"))
    return {}


def test_sizes_are_built_and_measured_and_a_killed_run_goes_on(dataset: Path, tmp_path: Path) -> None:
    work, out = tmp_path / "work", tmp_path / "scale.json"
    command = [*FOOTNOTE, "eval", "scale", str(dataset), "--work", str(work), "--out", str(out)]
    command += ["--chunks", "300", "--chunks", "605"]
    killed = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while len(staged(work / "300" / "footnote.db")) < 5 and killed.poll() is None:
        time.sleep(0.005)
    killed.kill()
    assert killed.wait() == -signal.SIGKILL
    kept = staged(work / "300" / "footnote.db")
    assert kept

    done = CliRunner().invoke(footnote, command[len(FOOTNOTE) :])
    assert done.exit_code == 0, done.output
    assert kept.items() <= staged(work / "300" / "footnote.db").items()
    report = ScaleReport.model_validate_json(out.read_text(encoding="utf-8"))
    assert [size.chunks for size in report.sizes] == [300, 605]
    for size in report.sizes:
        assert set(size.seconds) == {"stage", "vectors", "keywords", "exact", "check"}
        assert set(size.disk_bytes) >= {"database", "chroma", "exact", "keywords"}
        assert len(size.vectors_ms) == len(size.keywords_ms) == 2
        assert size.after_mib > size.before_mib > 0
    assert "605 chunks" in done.output
    assert out.with_suffix(".svg").read_text(encoding="utf-8").startswith("<?xml")
