"""The command line: `footnote COMMAND`.

Commands of other packages join through the entry-point group `footnote.commands`.
"""

from __future__ import annotations

import os
import sys
from importlib.metadata import entry_points, version
from typing import Any

import click

from bot.cli.ask import ask, search
from bot.cli.index import index
from bot.cli.key import key
from bot.cli.maintenance import backup, doctor, restore
from bot.cli.model import model
from bot.cli.review import review
from bot.cli.serve import mcp, serve
from bot.cli.user import user
from index.errors import FootnoteError

_INTERRUPTED = 130


class _Commands(click.Group):
    """A group that includes the commands of installed packages; a command is loaded when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *(point.name for point in _plugins())})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        known = super().get_command(ctx, cmd_name)
        if known is not None:
            return known
        for point in _plugins():
            if point.name == cmd_name:
                loaded: Any = point.load()
                assert isinstance(loaded, click.Command), f"entry point {point.name!r} is not a command"
                return loaded
        return None


def _plugins() -> list[Any]:
    return list(entry_points(group="footnote.commands"))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(version("footnote-chat"), prog_name="footnote")
def footnote() -> None:
    """Answers questions from your documents, with a footnote on every sentence that opens its exact place.

    \b
    Example:
      footnote index seeds
      footnote ask "How much is reserved for the AI research institute?"
    """


for _command in (index, ask, search, serve, model, backup, restore, doctor, user, review, key, mcp):
    footnote.add_command(_command)


def main() -> None:
    """Run the command line; an expected failure is one line on stderr and exit code 1."""
    # Nothing is downloaded unless a command says so; libraries must not try either.
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        os.environ.setdefault(name, "1")
    try:
        code = footnote(standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("Interrupted.", err=True)
        sys.exit(_INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except FootnoteError as error:
        click.echo(f"footnote: {error}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        click.echo("Interrupted.", err=True)
        sys.exit(_INTERRUPTED)
    sys.exit(code if isinstance(code, int) else 0)
