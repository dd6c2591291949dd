"""An order for a run: what the evaluator's page asks the command line to do."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from pydantic import SecretStr

from bot.settings import AnswererName, Settings

MOST_REPEATS = 100
ANSWERERS: tuple[AnswererName, ...] = get_args(AnswererName)
# A name becomes a folder: letters, figures, and marks that neither hide it nor lead out of its folder.
_NAME = re.compile(r"[^\W_][\w.-]{0,63}")


@dataclass(frozen=True, slots=True)
class RunOrder:
    """One run as it is asked for.

    Attributes:
        name: Of its folder.
        suites: Files of the suites, in order.
        repeats: How often each question is asked.
        total: How many answers that makes.
    """

    name: str
    suites: tuple[Path, ...]
    answerer: AnswererName
    repeats: int
    total: int

    def command(self, folder: Path, data_dir: Path) -> list[str]:
        """Return the command line that carries out the order; given again, it goes on with what was interrupted."""
        flags = {"--out": folder, "--answerer": self.answerer, "--repeat": self.repeats, "--data-dir": data_dir}
        # -P: a folder of the reader's own that is called `eval` or `bot` must not be taken for ours.
        program = [sys.executable, "-P", "-m", "eval.desk.child", "eval", "run"]
        return [*program, *(f"{flag}={value}" for flag, value in flags.items()), "--", *map(str, self.suites)]


def answerer_named(name: object) -> AnswererName | None:
    """Return the answerer of a name, or None."""
    return next((one for one in ANSWERERS if one == name), None)


def is_run_name(name: str) -> bool:
    """Return whether a run may have this name."""
    return bool(_NAME.fullmatch(name))


def settings_environment(settings: Settings) -> dict[str, str]:
    """Return the settings as environment variables, so that a run is made with those of the server.

    What was left open there is left open, for an admin may choose it later.
    """
    values = {name: getattr(settings, name) for name in settings.model_fields_set}
    return {f"FOOTNOTE_{name.upper()}": _written(value) for name, value in values.items() if value is not None}


def _written(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return os.pathsep.join(map(str, value)) if isinstance(value, tuple) else str(value)
