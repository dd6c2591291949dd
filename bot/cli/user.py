"""`footnote user`: who may log in to the staff's pages. A password is never part of a command."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from typing import IO, TYPE_CHECKING, cast

import click

from bot.answer.errors import AccountError
from bot.cli.options import json_option, print_json, with_settings
from bot.settings import Settings

if TYPE_CHECKING:
    from bot.staff.accounts import Account, Accounts, Role
    from bot.staff.sessions import Sessions

_TERMINAL = "(terminal)"  # who did it, in the audit
_ROLES = ("staff", "evaluator", "admin")

_role_option = click.option("--role", type=click.Choice(_ROLES), required=True, help="What the account may do.")
_password_option = click.option(
    "--password-file",
    type=click.File(encoding="utf-8"),
    help="Read the password from the first line of this file (`-` is stdin) instead of asking for it.",
)


@click.group()
def user() -> None:
    """Accounts for the staff's pages: staff check answers, evaluators measure, admins do both and keep accounts.

    \b
    Example:
      footnote user add anna --role admin
    """


@user.command()
@click.argument("name")
@_role_option
@_password_option
@click.option("--openid-only", is_flag=True, help="Make it without a password, for OpenID Connect.")
@with_settings
def add(name: str, settings: Settings, *, role: str, password_file: IO[str] | None, openid_only: bool) -> None:
    """Add an account; its password is asked for here."""
    with _opened(settings) as (accounts, _):
        password = None if openid_only else _ask_password(password_file)
        accounts.add(_TERMINAL, name, cast("Role", role), password)
    click.echo(f"Added {name!r} ({role}). `footnote serve` offers the staff's pages from its next start on.")


@user.command("list")
@json_option
@with_settings
def list_accounts(settings: Settings, *, as_json: bool) -> None:
    """List the accounts, with how many sessions each has open."""
    with _opened(settings) as (accounts, sessions):
        listed, counts = accounts.all(), sessions.counts()
    if as_json:
        print_json([_to_json(account, counts.get(account.name, 0)) for account in listed])
        return
    for account in listed:
        opened = f"{counts.get(account.name, 0)} sessions"
        click.echo(f"{account.name:<24} {account.role:<10} since {account.created_at.date()}, {opened}")
    if not listed:
        click.echo("There are no accounts: `footnote user add NAME --role admin` makes the first.", err=True)


@user.command()
@click.argument("name")
@_password_option
@with_settings
def password(name: str, settings: Settings, *, password_file: IO[str] | None) -> None:
    """Change a password; all sessions of the account end."""
    with _opened(settings) as (accounts, _):
        accounts.set_password(_TERMINAL, name, _ask_password(password_file))
    click.echo(f"The password of {name!r} is changed, and its sessions have ended.")


@user.command()
@click.argument("name")
@_role_option
@with_settings
def role(name: str, settings: Settings, *, role: str) -> None:
    """Change what an account may do, from its next click on."""
    with _opened(settings) as (accounts, _):
        accounts.set_role(_TERMINAL, name, cast("Role", role))
    click.echo(f"{name!r} is now {role}.")


@user.command()
@click.argument("name")
@with_settings
def remove(name: str, settings: Settings) -> None:
    """Remove an account and its sessions; what it did stays in the audit."""
    with _opened(settings) as (accounts, _):
        accounts.remove(_TERMINAL, name)
    click.echo(f"Removed {name!r}.")


@user.group()
def sessions() -> None:
    """Sessions of those who are logged in."""


@sessions.command()
@click.argument("name", required=False)
@with_settings
def end(name: str | None, settings: Settings) -> None:
    """End the sessions of NAME, or of everybody."""
    with _opened(settings) as (_, opened):
        count = opened.end_all(_TERMINAL, name)
    click.echo(f"Ended {count} {'session' if count == 1 else 'sessions'}.")


def _to_json(account: Account, sessions: int) -> dict[str, object]:
    return {**asdict(account), "created_at": account.created_at.isoformat(timespec="seconds"), "sessions": sessions}


@contextmanager
def _opened(settings: Settings) -> Iterator[tuple[Accounts, Sessions]]:
    from bot.staff.accounts import Accounts  # the command line starts without a database
    from bot.staff.sessions import Sessions, session_limits
    from bot.storage.answers import AnswerRecords

    with closing(AnswerRecords(settings.catalogue_url())) as records:
        yield Accounts(records.engine), Sessions(records.engine, *session_limits(settings))


def _ask_password(file: IO[str] | None) -> str:
    if file is not None:
        return file.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise AccountError(
            "There is no terminal to ask for the password: name a file with --password-file (- is stdin)."
        )
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password
