"""What became of each file, and the embedding model as a property of its own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_PROPERTIES = sa.table("properties", sa.column("name", sa.String), sa.column("value", sa.String))


def upgrade() -> None:
    """Add the columns, and the property to an index that has one."""
    with op.batch_alter_table("sources") as sources:
        sources.alter_column(
            "file_hash", existing_type=sa.String, existing_nullable=False, server_default=sa.text("''")
        )
        sources.add_column(sa.Column("state", sa.String(16), nullable=False, server_default="indexed"))
        sources.add_column(sa.Column("reason", sa.Text, nullable=False, server_default=sa.text("''")))
        sources.add_column(sa.Column("excluded", sa.Boolean, nullable=False, server_default=sa.false()))
        sources.add_column(sa.Column("seen_at", sa.DateTime(timezone=True)))
    connection = op.get_bind()
    pipeline = connection.scalar(sa.select(_PROPERTIES.c.value).where(_PROPERTIES.c.name == "pipeline"))
    if pipeline:
        model = pipeline.split(":", 3)[-1]  # the version of the splitter, two sizes, and the model
        op.bulk_insert(_PROPERTIES, [{"name": "embedding_model", "value": model}])
