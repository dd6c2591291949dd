from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from index.embedding.model_files import PACKAGED, compiled_model, find_model
from index.embedding.openvino_encoder import OpenVinoEncoder
from index.embedding.sentence_transformer import SentenceTransformerEmbedder
from index.errors import ConversionError

SEED = next((Path(__file__).parent.parent.parent / "seeds").glob("*.txt")).read_text(encoding="utf-8")
TEXTS = [
    SEED[start : start + size]
    for start, size in zip(range(0, 24_000, 400), [30, 90, 300, 900, 2_000] * 12, strict=True)
]
TEXTS += ["", "?", "政府預留多少撥款予人工智能研究院？", "naïve café 😀", "x" * 5_000]


@pytest.fixture(scope="module")
def plain() -> SentenceTransformerEmbedder:
    return SentenceTransformerEmbedder(runtime="torch")


@pytest.fixture(scope="module")
def compiled(embedder: SentenceTransformerEmbedder) -> Path:
    embedder.embed(["made on first use"])
    return compiled_model(find_model(PACKAGED), embedder.model_id, embedder.cache)


def test_both_runtimes_give_the_same_vectors(
    embedder: SentenceTransformerEmbedder, plain: SentenceTransformerEmbedder
) -> None:
    expected = plain.embed(TEXTS)
    assert embedder.model_id == plain.model_id
    assert embedder.dimension == plain.dimension == 384
    assert np.abs(embedder.embed(TEXTS) - expected).max() <= 1e-4
    assert np.allclose(np.linalg.norm(expected, axis=1), 1, atol=1e-5)


def test_a_vector_does_not_depend_on_its_company(embedder: SentenceTransformerEmbedder) -> None:
    together = embedder.embed(TEXTS)
    alone = np.concatenate([embedder.embed([text]) for text in TEXTS])
    assert np.abs(together - alone).max() <= 1e-4


def test_half_precision_is_near_enough_to_compare_with(embedder: SentenceTransformerEmbedder) -> None:
    half = embedder.in_half_precision()
    assert half.in_half_precision() is half
    assert np.abs(half.embed(TEXTS) - embedder.embed(TEXTS)).max() <= 1e-2


def test_the_plain_path_has_one_precision(plain: SentenceTransformerEmbedder) -> None:
    assert plain.in_half_precision() is plain


def test_no_texts_give_an_empty_array(embedder: SentenceTransformerEmbedder) -> None:
    assert embedder.embed([]).shape == (0, 384)


def encode_under_threads(embedder: SentenceTransformerEmbedder, times: int) -> None:
    texts = [f"{text[:80]} {number}" for number, text in enumerate(TEXTS)]
    serial = np.concatenate([embedder.embed([text]) for text in texts])
    together = threading.Barrier(32)

    def work(thread: int) -> float:
        together.wait()
        numbers = [(thread + step * 7) % len(texts) for step in range(times // 32 + 1)]
        return max(float(np.abs(embedder.embed([texts[number]])[0] - serial[number]).max()) for number in numbers)

    with ThreadPoolExecutor(32) as threads:
        assert max(threads.map(work, range(32))) <= 1e-4


def test_thirty_two_threads_get_the_vectors_of_one(embedder: SentenceTransformerEmbedder) -> None:
    encode_under_threads(embedder, 640)


@pytest.mark.slow
def test_ten_thousand_encodes_by_thirty_two_threads(embedder: SentenceTransformerEmbedder) -> None:
    encode_under_threads(embedder, 10_000)


DROPPED_IN_A_THREAD = """
import faulthandler, gc, os, signal, threading
from pathlib import Path
from index.embedding.sentence_transformer import SentenceTransformerEmbedder

faulthandler.enable()
signal.signal(signal.SIGINT, signal.default_int_handler)  # a process in the background starts without
held = [SentenceTransformerEmbedder(cache=Path(os.environ["MODEL_CACHE"]))]
held[0].embed(["loaded"])
dropper = threading.Thread(target=lambda: (held.clear(), gc.collect()))
dropper.start()
dropper.join()
try:
    os.kill(os.getpid(), signal.SIGINT)
except KeyboardInterrupt:
    print("interrupted")
"""


def test_ctrl_c_after_a_model_was_dropped_by_a_thread_is_no_crash(
    compiled: Path, embedder: SentenceTransformerEmbedder
) -> None:
    assert compiled.is_dir()
    environment = os.environ | {"MODEL_CACHE": str(embedder.cache)}
    done = subprocess.run(
        [sys.executable, "-c", DROPPED_IN_A_THREAD],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env=environment,
    )
    assert (done.returncode, done.stdout) == (0, "interrupted\n"), done.stderr


def test_a_damaged_compiled_model_is_made_again(compiled: Path, tmp_path: Path) -> None:
    embedder = SentenceTransformerEmbedder(cache=tmp_path)
    copy = tmp_path / "embedding" / compiled.name
    shutil.copytree(compiled, copy)
    with (copy / "model.bin").open("r+b") as file:
        file.seek(1_000_000)
        file.write(b"\0" * 4_096)
    assert compiled_model(find_model(PACKAGED), embedder.model_id, tmp_path) == copy
    assert (copy / "model.bin").read_bytes() == (compiled / "model.bin").read_bytes()


def test_a_compiled_model_that_gives_other_vectors_is_not_used(compiled: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(compiled, tmp_path / "copy")
    probe = json.loads((copy / "probe.json").read_text())
    probe["vectors"][0][0] += 0.01
    (copy / "probe.json").write_text(json.dumps(probe))
    with pytest.raises(ConversionError, match=r"vectors that are 0\.01 off"):
        OpenVinoEncoder(copy, find_model(PACKAGED))


def test_a_cache_that_cannot_be_written_leaves_the_plain_path(
    tmp_path: Path, plain: SentenceTransformerEmbedder, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    with caplog.at_level(logging.WARNING):
        vectors = SentenceTransformerEmbedder(cache=tmp_path / "cache").embed(["Hello"])
    assert np.array_equal(vectors, plain.embed(["Hello"]))
    assert "run by PyTorch, slowly: the cache" in caplog.text


def test_a_model_that_cannot_be_converted_says_why(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    with pytest.raises(ConversionError, match="cannot be compiled"):
        compiled_model(tmp_path / "model", "broken@0", tmp_path / "cache")
    assert not list((tmp_path / "cache" / "embedding").glob("broken@0*/"))
