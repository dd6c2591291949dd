"""Flags that several commands share, how results reach the terminal, and Ctrl-C during long commands."""

from __future__ import annotations

import functools
import json
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import click

from bot.settings import load_settings


class Interruption:
    """Whether Ctrl-C was pressed."""

    def __init__(self) -> None:
        self._came = False

    def note(self, number: int, frame: FrameType | None) -> None:
        """Handle the signal as Python does, and remember it."""
        self._came = True
        signal.default_int_handler(number, frame)

    def check(self) -> None:
        """Raise KeyboardInterrupt where Ctrl-C was pressed and the exception was swallowed on its way."""
        if self._came:
            raise KeyboardInterrupt


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Remember Ctrl-C while a long command runs, which is to call `check` now and then.

    An exception that arises while a compiled module is imported, or in a callback of one, does not always get out.
    """
    interruption = Interruption()
    previous = signal.signal(signal.SIGINT, interruption.note)
    try:
        yield interruption
    finally:
        signal.signal(signal.SIGINT, previous)


Command = Callable[..., Any]

# Flags that are settings: their values go into `Settings`, not to the command.
_SETTING_FLAGS = ("data_dir", "answerer", "gguf", "top_k", "host", "port")


def with_settings(command: Command) -> Command:
    """Add `--data-dir` and `--config`, and call the command with `settings` in their place."""

    @click.option(
        "--data-dir", type=click.Path(path_type=Path, file_okay=False), help="Folder of the index and all it needs."
    )
    @click.option(
        "--config",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Settings file (TOML); footnote.toml if there is one.",
    )
    @functools.wraps(command)
    def wrapper(*args: Any, config: Path | None, **kwargs: Any) -> Any:
        flags = {name: kwargs.pop(name) for name in _SETTING_FLAGS if name in kwargs}
        return command(*args, settings=load_settings(flags, config), **kwargs)

    return wrapper


answerer_option = click.option(
    "--answerer", type=click.Choice(["extractive", "local", "remote"]), help="Who writes the answer."
)
gguf_option = click.option(
    "--gguf", type=click.Path(path_type=Path, dir_okay=False), help="Weights of the local model (GGUF)."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print data as JSON on stdout.")


def print_json(value: Any, *, indent: int | None = 2) -> None:
    """Write one JSON value to stdout."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=indent) + "\n")


def print_progress(message: str) -> None:
    """Write one line of progress to stderr, which never mixes with data."""
    click.echo(message, err=True)
