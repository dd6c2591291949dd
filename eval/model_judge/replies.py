"""What a model replied, kept on disk as it comes: judging that was stopped goes on, and asks nothing twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from bot.language_model import LanguageModel, Prompt
from eval.errors import ReportError
from eval.whole_file import write_whole

# One word, in any tokenizer, and enough more to see that it was not one word.
_LONGEST_REPLY = 8


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    request: str
    reply: str


class KeptReplies:
    """A language model that is asked each prompt once. A reply is found by the model and the prompt, nothing else.

    Args:
        model: Who is asked.
        path: File of the replies, one line each.

    Raises:
        ReportError: The file cannot be read or written.
    """

    def __init__(self, model: LanguageModel, path: Path) -> None:
        self.name = model.name
        self._model = model
        self._path = path
        self._replies = {kept.request: kept for kept in _read(path)}
        # Without the half line that a kill may have left.
        write_whole(path, "".join(f"{kept.model_dump_json()}\n" for kept in self._replies.values()))

    def __len__(self) -> int:
        return len(self._replies)

    def reply(self, prompt: Prompt) -> str:
        """Return what the model replies, on disk before this returns.

        Raises:
            ModelUnavailableError: It cannot be used now.
            ReportError: The reply cannot be written.
        """
        request = hashlib.sha256(json.dumps([self.name, prompt.system, prompt.user]).encode()).hexdigest()
        if request not in self._replies:
            kept = _Kept(request=request, reply="".join(self._model.complete(prompt, _LONGEST_REPLY)))
            self._append(kept)
            self._replies[request] = kept
        return self._replies[request].reply

    def _append(self, kept: _Kept) -> None:
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(kept.model_dump_json() + "\n")
        except OSError as error:
            raise ReportError(f"{str(self._path)!r} cannot be written ({error.strerror}): free some space.") from error


def _read(path: Path) -> Iterator[_Kept]:
    if not path.exists():
        return
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise ReportError(f"{str(path)!r} cannot be read ({error.strerror}): name another file with --out.") from error
    for line in lines:
        with suppress(ValidationError):
            yield _Kept.model_validate_json(line)
