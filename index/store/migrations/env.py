"""Run by Alembic: applies revisions in the transaction that `index.store.migration` has opened."""

from __future__ import annotations

from alembic import context

context.configure(**context.config.attributes, transactional_ddl=True, render_as_batch=True)
context.run_migrations()
