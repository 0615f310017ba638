"""The schema on both databases."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, select
from sqlalchemy.orm import Session

from core.clock import Clock
from storage.database import migrate
from storage.tables import Base, HomeRow


def test_migrations_make_every_table_go_down_and_up_again(database: Engine) -> None:
    tables = set(Base.metadata.tables)
    assert tables <= set(inspect(database).get_table_names())
    migrate(database, "base")
    assert not tables & set(inspect(database).get_table_names())
    migrate(database)
    assert tables <= set(inspect(database).get_table_names())


def test_an_instant_comes_back_exactly(database: Engine) -> None:
    now = Clock.real().now()
    with Session(database) as session, session.begin():
        session.add(HomeRow(name="h", created_at=now))
    with Session(database) as session:
        assert session.scalars(select(HomeRow.created_at)).one() == now


def test_the_migrations_make_what_the_tables_say(database: Engine) -> None:
    with database.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
