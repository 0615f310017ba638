"""Alembic's entry: migrate over the connection that ``storage.database.migrate`` hands in."""

from typing import Any, Literal

from alembic import context

from storage.tables import Base, UtcDateTime


def render_item(kind: str, item: Any, _: object) -> str | Literal[False]:
    """Write an instant as the BIGINT that it is, so that a migration never imports the tables of a later day."""
    return "sa.BigInteger()" if kind == "type" and isinstance(item, UtcDateTime) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_item=render_item,
    render_as_batch=True,  # SQLite cannot alter a column in place
)
with context.begin_transaction():
    context.run_migrations()
