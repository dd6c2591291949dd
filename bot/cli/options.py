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


@contextmanager
def interruptible() -> Iterator[Callable[[], None]]:
    """Remember Ctrl-C while a long command runs, which calls what is yielded now and then.

    An exception that arises while a compiled module is imported, or in a callback of one, may be swallowed there; the
    call then raises KeyboardInterrupt again.
    """
    came = False

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal came
        came = True
        signal.default_int_handler(number, frame)

    def check() -> None:
        if came:
            raise KeyboardInterrupt

    previous = signal.signal(signal.SIGINT, note)
    try:
        yield check
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
