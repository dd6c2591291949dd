"""`footnote doctor`: is everything in order, and what to do when not."""

from __future__ import annotations

import click

from bot.cli.options import json_option, print_json, with_settings
from bot.settings import Settings


@click.command()
@json_option
@with_settings
def doctor(settings: Settings, *, as_json: bool) -> int:
    """Check versions, models, disk, database, index and port; exits 1 when something has failed.

    \b
    Example:
      footnote doctor
    """
    from bot.doctor import examine  # noqa: PLC0415  # Chroma takes a second to import

    checks = list(examine(settings))
    if as_json:
        print_json([check.model_dump() for check in checks])
    else:
        for check in checks:
            click.echo(f"{check.state:<8} {check.name}: {check.message}")
    return 1 if any(check.state == "failed" for check in checks) else 0
