"""`footnote serve`: the web application."""

from __future__ import annotations

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
    from bot.web.serve import serve as serve_page  # noqa: PLC0415  # Gradio takes seconds to import

    serve_page(settings, evaluator=evaluator, watch=watch)
