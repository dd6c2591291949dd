"""Embedding on a Ray cluster: two workers on two nodes of loopback give the vectors and ids of one process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from bot.settings import Settings
from index.embedding.build import bulk_embedder
from index.embedding.sentence_transformer import SentenceTransformerEmbedder
from index.errors import IndexingError
from index.settings import IndexSettings
from index.store.catalogue import Catalogue
from index.sync import synchronise

ray = pytest.importorskip("ray")

TEXTS = [f"Ferry {number} leaves at {number % 12}:55. " + "It is seldom late. " * (number % 7) for number in range(90)]


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of a cluster of two nodes with a core each."""
    from ray.cluster_utils import Cluster

    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    node = {"num_cpus": 1, "object_store_memory": 80_000_000, "include_dashboard": False}
    made = Cluster(initialize_head=True, head_node_args=node)
    made.add_node(**{name: value for name, value in node.items() if name != "include_dashboard"})
    yield made.address
    made.shutdown()


def index(folder: Path, settings: Settings, embedder: SentenceTransformerEmbedder) -> dict[str, bytes]:
    """Index a folder and return the stored vectors by chunk id."""
    with closing(Catalogue(settings.catalogue_url())) as catalogue:
        with bulk_embedder(settings, embedder) as bulk:
            assert synchronise([folder], settings, catalogue, bulk).embedded > 0
        return {chunk.chunk_id: vector for page in catalogue.chunk_sets.live().pages() for chunk, vector in page}


@pytest.mark.slow
def test_two_workers_give_the_vectors_and_ids_of_one_process(
    cluster: str, tmp_path: Path, embedder: SentenceTransformerEmbedder
) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    for number in range(6):
        text = "\n".join(TEXTS[number * 15 : number * 15 + 15])
        (folder / f"{number}.txt").write_text(text, encoding="utf-8")
    alone = index(folder, Settings(data_dir=tmp_path / "alone"), embedder)
    together = index(folder, Settings(data_dir=tmp_path / "together", ray_address=cluster), embedder)
    assert together.keys() == alone.keys()
    assert max(float(np.abs(together[key] - alone[key]).max()) for key in alone) <= 1e-4


@pytest.mark.slow
def test_order_survives_and_both_workers_work(cluster: str, embedder: SentenceTransformerEmbedder) -> None:
    settings = IndexSettings(ray_address=cluster)
    with bulk_embedder(settings, embedder) as bulk:
        vectors = bulk.embed(TEXTS)
        assert len(bulk._workers) == 2
        assert len({ray.get(worker.__ray_call__.remote(lambda _: os.getpid())) for worker in bulk._workers}) == 2
        assert bulk.embed([]).shape == (0, bulk.dimension)
    assert vectors.dtype == np.float32
    assert np.abs(vectors - embedder.embed(TEXTS)).max() <= 1e-4


@pytest.mark.slow
def test_a_worker_that_dies_is_replaced(cluster: str, embedder: SentenceTransformerEmbedder) -> None:
    with bulk_embedder(IndexSettings(ray_address=cluster), embedder) as bulk:
        bulk.embed(TEXTS[:2])
        ray.kill(bulk._workers[0], no_restart=False)
        assert np.abs(bulk.embed(TEXTS[:40]) - embedder.embed(TEXTS[:40])).max() <= 1e-4


def test_a_cluster_that_is_not_there_is_one_line(embedder: SentenceTransformerEmbedder) -> None:
    with (
        bulk_embedder(IndexSettings(ray_address="127.0.0.1:9"), embedder) as bulk,
        pytest.raises(IndexingError, match=r"Ray cluster at '127.0.0.1:9'") as raised,
    ):
        bulk.embed(["text"])
    assert "\n" not in str(raised.value)
