"""Open a database: one place that knows what SQLite and PostgreSQL each need."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

MIGRATION_LOCK = 0x4C696E67  # PostgreSQL's advisory lock of this program's migrations; any number of our own
BUSY_TIMEOUT_MS = 30_000  # a writer waits this long for another process's transaction


def open_database(url: str) -> Engine:
    """An engine for SQLite (WAL) or PostgreSQL (psycopg 3).

    A message is acknowledged to the broker after COMMIT, so SQLite runs with ``synchronous=FULL``: with NORMAL a
    power cut may take back a commit.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        return create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True)
    if parsed.database and parsed.database != ":memory:":
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})

    @event.listens_for(engine, "connect")
    def prepare(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # BEGIN is ours, see below
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA journal_size_limit=67108864")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: object) -> None:
        # a transaction that reads and then writes must hold the write lock from the start, or fail half-way with
        # SQLITE_BUSY; readers say so with execution_options(read_only=True) and take a snapshot without waiting
        options = connection.get_execution_options()  # type: ignore[attr-defined]
        connection.exec_driver_sql("BEGIN" if options.get("read_only") else "BEGIN IMMEDIATE")  # type: ignore[attr-defined]

    return engine


def read_only(engine: Engine) -> Engine:
    """The same database for transactions that only read: on SQLite they never wait for a writer."""
    return engine.execution_options(read_only=True)


def migrate(engine: Engine, revision: str = "head") -> None:
    """Bring the schema to ``revision``; a database with data keeps them. Of processes that start at once, one does."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":  # SQLite's BEGIN IMMEDIATE makes the others wait
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
        config.attributes["connection"] = connection
        if revision == "base":
            command.downgrade(config, revision)
        else:
            command.upgrade(config, revision)
