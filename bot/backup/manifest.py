"""What a backup says of itself."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from index.copying import CopiedIndex

MANIFEST = "manifest.json"
DATABASE = "database"  # the copy of the database
SETTINGS = "settings.toml"
DATA = "data/"  # what else the data folder holds


class Member(BaseModel):
    """A file in a backup."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: int = Field(ge=0)
    sha256: str


class Manifest(BaseModel):
    """The first file of a backup.

    Attributes:
        format: How the backup is laid out.
        created_at: When the database was copied.
        versions: Of Footnote, Python and Chroma.
        index: What the database holds.
        members: Every other file by its name in the backup.
    """

    model_config = ConfigDict(frozen=True)

    format: Literal[1] = 1
    created_at: datetime
    versions: dict[str, str]
    index: CopiedIndex
    members: dict[str, Member]
