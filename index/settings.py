"""Settings of the document index: frozen, passed in, nothing global."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from index.search.fusion import Fusion

EmbeddingRuntime = Literal["openvino", "torch"]


class IndexSettings(BaseSettings):
    """The settings of the index.

    Attributes:
        data_dir: Folder of everything Footnote writes.
        database_url: SQLAlchemy URL of the catalogue, `postgresql://…` for a server that several machines share; SQLite
            inside `data_dir` when empty.
        chroma_url: Address of a Chroma server that searches the vectors, such as `http://chroma:8000`; on this machine
            when empty.
        chroma_token: Bearer token for a proxy before that server; best given as FOOTNOTE_CHROMA_TOKEN, never shown.
        ray_address: Address of a Ray cluster whose machines embed documents; this machine does when empty.
        embedding_model: `packaged` for the all-MiniLM-L6-v2 that is installed with Footnote, else a folder, or the
            name of a sentence-transformers model that is already in the local cache.
        embedding_runtime: `openvino`, or `torch`, which is slower and gives the same vectors to 1e-4.
        model_cache: Folder of downloaded and compiled models; the user's cache folder when not given.
        chunk_tokens: Most tokens of a chunk, counted by the embedding model's own tokenizer.
        overlap_tokens: Most tokens, in whole sentences, that a chunk repeats from the one before.
        maximum_file_bytes: A larger file is reported and left out.
        vector_weight: Weight of vector similarity, from 0 to 1; keywords have the rest. This and the next three as in
            `Fusion`.
        spelled_out_vector_weight: The same for questions in a script that the embedding model spells out.
        conversation_weight: Weight of the similarity to earlier turns, from 0 to 1.
        phrase_weight: Weight of words that are adjacent in question and chunk.
    """

    model_config = SettingsConfigDict(env_prefix="FOOTNOTE_", frozen=True, extra="forbid")

    data_dir: Path = Path("data")
    database_url: str = ""
    chroma_url: str = Field(default="", pattern=r"^(https?://\S+)?$")
    chroma_token: SecretStr = SecretStr("")
    ray_address: str = ""
    embedding_model: str = "packaged"
    embedding_runtime: EmbeddingRuntime = "openvino"
    model_cache: Path | None = None
    chunk_tokens: int = Field(default=200, ge=50, le=2_000)
    overlap_tokens: int = Field(default=40, ge=0, le=500)
    maximum_file_bytes: int = Field(default=200_000_000, ge=1)
    vector_weight: float = Field(default=Fusion().vector_weight, ge=0, le=1)
    spelled_out_vector_weight: float = Field(default=Fusion().spelled_out_vector_weight, ge=0, le=1)
    phrase_weight: float = Field(default=Fusion().phrase_weight, ge=0, le=10)
    conversation_weight: float = Field(default=Fusion().conversation_weight, ge=0, le=1)

    def fusion(self) -> Fusion:
        """Return the weights of vector and keyword search."""
        return Fusion(self.vector_weight, self.spelled_out_vector_weight, self.phrase_weight, self.conversation_weight)

    def catalogue_url(self) -> str:
        """Return the SQLAlchemy URL of the catalogue."""
        return self.database_url or f"sqlite:///{(self.data_dir / 'footnote.db').absolute()}"
