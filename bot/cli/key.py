"""`footnote key`: who may use the API."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from bot.cli.options import json_option, print_json, print_progress, with_settings
from bot.settings import Settings

if TYPE_CHECKING:
    from bot.storage.api_keys import ApiKey, ApiKeys, Scope


@click.group()
def key() -> None:
    """Make, list and revoke the keys that programs show to use the API.

    \b
    Example:
      footnote key add "library website" --scope answer --scope search --per-minute 30 --per-day 2000
      footnote key list
      footnote key revoke "library website"
    """


@key.command()
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(["answer", "search", "documents"]),
    multiple=True,
    required=True,
    help="What the key is for; may be given again.",
)
@click.option("--per-minute", type=click.IntRange(1), help="Most requests in a minute; no limit when left out.")
@click.option("--per-day", type=click.IntRange(1), help="Most requests in a day of UTC; no limit when left out.")
@click.option(
    "--expires", type=click.DateTime(["%Y-%m-%d"]), help="First day (UTC) on which the key opens nothing any more."
)
@with_settings
def add(
    name: str,
    scopes: tuple[Scope, ...],
    per_minute: int | None,
    per_day: int | None,
    expires: datetime | None,
    settings: Settings,
) -> None:
    """Make a key named NAME and print it, this once.

    \b
    Example:
      footnote key add "library website" --scope answer --per-minute 30 --expires 2027-01-01
    """
    expires_at = expires.replace(tzinfo=UTC) if expires else None
    if expires_at is not None and expires_at <= datetime.now(UTC):
        raise click.UsageError("--expires names a day that has begun already: name a later one.")
    with _opened(settings) as keys:
        made = keys.add(name, scopes, per_minute=per_minute, per_day=per_day, expires_at=expires_at)
    click.echo(made)
    print_progress("Keep it now: only its hash is stored, and it is not shown again.")


@key.command("list")
@json_option
@with_settings
def list_keys(settings: Settings, *, as_json: bool) -> None:
    """List the keys: name, state, scopes and limits. The keys themselves are not known.

    \b
    Example:
      footnote key list --json
    """
    now = datetime.now(UTC)
    with _opened(settings) as keys:
        found = keys.all()
    if as_json:
        print_json([{**_as_json(one), "state": one.state(now)} for one in found])
        return
    for one in found:
        click.echo(f"{one.state(now):<8} {one.name}: {', '.join(one.scopes)}{_limits(one)}")
    if not found:
        print_progress("There are no keys: `footnote key add` makes one.")


@key.command()
@click.argument("name")
@with_settings
def revoke(name: str, settings: Settings) -> None:
    """Close the key named NAME for good; a running server refuses it from its next request on.

    \b
    Example:
      footnote key revoke "library website"
    """
    with _opened(settings) as keys:
        keys.revoke(name)
    click.echo(f"Revoked {name!r}.")


@contextmanager
def _opened(settings: Settings) -> Iterator[ApiKeys]:
    from bot.storage.api_keys import ApiKeys  # SQLAlchemy takes half a second to import

    with closing(ApiKeys(settings.catalogue_url())) as keys:
        yield keys


def _as_json(one: ApiKey) -> dict[str, object]:
    return {
        name: value.isoformat(timespec="seconds") if isinstance(value, datetime) else value
        for name, value in asdict(one).items()
    }


def _limits(one: ApiKey) -> str:
    parts = [f"{one.per_minute} a minute"] if one.per_minute else []
    if one.per_day:
        parts.append(f"{one.used_today} of {one.per_day} used today")
    if one.expires_at:
        parts.append(f"until {one.expires_at:%Y-%m-%d}")
    return f" ({'; '.join(parts)})" if parts else ""
