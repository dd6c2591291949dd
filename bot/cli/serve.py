"""`footnote serve`, the web application, and `footnote mcp`, answers for programs of the Model Context Protocol."""

from __future__ import annotations

import secrets
from contextlib import closing
from importlib.metadata import version

import click

from bot.cli.options import answerer_option, gguf_option, with_settings
from bot.settings import Settings


@click.command()
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65_535), help="Port to listen on.")
@answerer_option
@gguf_option
@click.option("--evaluator", is_flag=True, help="Serve the evaluator's page too, behind a key that is printed here.")
@click.option("--watch", is_flag=True, help="Follow the folders of the setting `documents` and keep the index in line.")
@with_settings
def serve(*, evaluator: bool, watch: bool, settings: Settings) -> None:
    """Serve the chat page until interrupted.

    \b
    Example:
      footnote serve --port 7860
      FOOTNOTE_DOCUMENTS=reports footnote serve --watch
    """
    from bot.web.http_server import serve as serve_page  # Gradio takes seconds to import

    serve_page(settings, evaluator=evaluator, watch=watch)


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
    from bot.build import build_chatbot  # these take seconds to import
    from bot.programs.mcp import build_server
    from bot.storage.answers import AnswerRecords
    from bot.web.http_server import serve_with_keys

    with (
        closing(build_chatbot(settings, mend=True, secret=secrets.token_hex())) as chatbot,
        closing(AnswerRecords(settings.catalogue_url())) as records,
    ):
        server = build_server(chatbot, records, version("footnote-chat"))
        if http:
            app = server.streamable_http_app(streamable_http_path=_PATH, stateless_http=True, host=settings.host)
            serve_with_keys(app, "Footnote's MCP server", _PATH, settings)
        else:
            server.run("stdio")
