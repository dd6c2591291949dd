"""`footnote mcp`: answers for programs of the Model Context Protocol."""

from __future__ import annotations

import secrets
from contextlib import closing
from importlib.metadata import version

import click

from bot.cli.options import answerer_option, gguf_option, with_settings
from bot.settings import Settings

_PATH = "/mcp"


@click.command()
@click.option("--http", is_flag=True, help="Serve by HTTP at /mcp, behind API keys, instead of stdin and stdout.")
@click.option("--host", help="Address to listen on, with --http.")
@click.option("--port", type=click.IntRange(0, 65_535), help="Port to listen on, with --http.")
@answerer_option
@gguf_option
@with_settings
def mcp(*, http: bool, settings: Settings) -> None:
    """Serve the tools `answer` and `search` by the Model Context Protocol.

    A program that speaks it starts this command itself and talks to it by stdin and stdout.

    \b
    Example:
      footnote mcp --data-dir data
      footnote mcp --http --port 7861
    """
    from bot.build import build_chatbot  # noqa: PLC0415  # these take seconds to import
    from bot.mcp.server import build_server  # noqa: PLC0415
    from bot.records.answers import AnswerRecords  # noqa: PLC0415
    from bot.web.api.guarded import serve_guarded  # noqa: PLC0415

    with (
        closing(build_chatbot(settings, mend=True, secret=secrets.token_hex())) as chatbot,
        closing(AnswerRecords(settings.catalogue_url())) as records,
    ):
        server = build_server(chatbot, records, version("footnote-chat"))
        if http:
            app = server.streamable_http_app(streamable_http_path=_PATH, stateless_http=True, host=settings.host)
            serve_guarded(app, "Footnote's MCP server", _PATH, settings)
        else:
            server.run("stdio")
