"""Run by Alembic: applies revisions in the transaction that `index.store.migration` has opened."""

from __future__ import annotations

from alembic import context

from index.store.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,
    render_as_batch=True,
)
context.run_migrations()
