"""What a check says."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

State = Literal["ok", "warning", "failed"]


class Check(BaseModel):
    """One finding. The message of a warning or a failure ends with what to do."""

    model_config = ConfigDict(frozen=True)

    name: str
    state: State
    message: str
