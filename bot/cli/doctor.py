"""`footnote doctor`: is everything in order, and what to do when not."""

from __future__ import annotations

import click

from bot.cli.options import json_option, print_json, with_settings
from bot.settings import Settings


@click.command()
@click.option("--deep", is_flag=True, help="Hash the weights of the local language model too (seconds).")
@json_option
@with_settings
def doctor(settings: Settings, *, deep: bool, as_json: bool) -> int:
    """Check versions, models, disk, permissions, database, index, files and port; exits 1 when something has failed.

    \b
    Example:
      footnote doctor
    """
    from bot.doctor import examine  # noqa: PLC0415  # Chroma takes a second to import

    checks = list(examine(settings, deep=deep))
    if as_json:
        print_json([check.model_dump() for check in checks])
    else:
        for check in checks:
            click.echo(f"{check.state:<8} {check.name}: {check.message}")
    return 1 if any(check.state == "failed" for check in checks) else 0
