"""The schema on both databases."""

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, select, text
from sqlalchemy.orm import Session

import storage
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


def test_a_database_with_data_keeps_them_on_the_way_down_and_up(database: Engine) -> None:
    with database.begin() as connection:
        for insert in (
            "INSERT INTO home (id, name, created_at, time_zone, currency, settings)"
            " VALUES (1, 'h', 0, 'UTC', 'EUR', '{}')",
            "INSERT INTO room (id, home_id, name, control, objective) VALUES (1, 1, 'r', 'ab', 'green')",
            "INSERT INTO decision (id, room_id, decided_at, controller, control, saw, outlook, proposed, action, guard,"
            " reason) VALUES (1, 1, 0, 'policy', 'ab', '{}', '{}', '{}', '{}', '[]', '{}')",
            "INSERT INTO trial (id, room_id, seed, started_at) VALUES (1, 1, 7, 0)",
        ):
            connection.exec_driver_sql(insert)
    config = Config()
    config.set_main_option("script_location", str(Path(storage.__path__[0]) / "migrations"))
    with database.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")
        assert "trial" not in inspect(connection).get_table_names()
    migrate(database)
    with database.connect() as connection:
        assert connection.execute(text("SELECT control, objective FROM room")).all() == [("auto", None)]
        assert connection.execute(text("SELECT controller, control FROM decision")).all() == [("policy", None)]


def test_an_instant_comes_back_exactly(database: Engine) -> None:
    now = Clock.real().now()
    with Session(database) as session, session.begin():
        session.add(HomeRow(name="h", created_at=now))
    with Session(database) as session:
        assert session.scalars(select(HomeRow.created_at)).one() == now


def test_the_migrations_make_what_the_tables_say(database: Engine) -> None:
    with database.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
