"""Run by Alembic: applies revisions in the transaction that `bot.storage.migration` has opened."""

from __future__ import annotations

from alembic import context

from bot.storage.migration import VERSION_TABLE
from bot.storage.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table=VERSION_TABLE,
    transactional_ddl=True,
    render_as_batch=True,
)
context.run_migrations()
