"""Many rows in one statement, as each database takes them fastest: values are plain integers, floats, texts.

SQLite: ``executemany`` of tuples (1 us a row). PostgreSQL: one statement over arrays by ``unnest`` (5 us a row, and it
knows ON CONFLICT, which COPY does not). Instants are microseconds since 1970, JSON is text.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import JSON, BigInteger, Boolean, Connection, Float, Integer, Table

from storage.tables import UtcDateTime

Row = tuple[Any, ...]


def insert_rows(
    connection: Connection, table: Table, rows: Sequence[Row], on_conflict: str = "", columns: Sequence[str] = ()
) -> None:
    """Insert rows; each holds the table's columns in order.

    Parameters
    ----------
    columns : Sequence of str
        Names of the columns that the rows hold, where they do not hold all.
    on_conflict : str
        What stands behind ``ON CONFLICT``, such as ``DO NOTHING``; nothing lets a conflict fail.
    """
    if not rows:
        return
    held = [table.columns[name] for name in columns] or list(table.columns)
    names = ", ".join(f'"{column.name}"' for column in held)
    conflict = f" ON CONFLICT {on_conflict}" if on_conflict else ""
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(held))
        connection.exec_driver_sql(
            f'INSERT INTO "{table.name}" ({names}) VALUES ({marks}){conflict}',  # noqa: S608 names of ours
            list(rows),
        )
        return
    arrays = ", ".join(f"%s::{_array_type(column.type)}[]" for column in held)
    connection.exec_driver_sql(
        f'INSERT INTO "{table.name}" ({names}) SELECT * FROM unnest({arrays}){conflict}',  # noqa: S608 names of ours
        tuple(list(values) for values in zip(*rows, strict=True)),
    )


def new_ids(connection: Connection, table: Table, count: int) -> Sequence[int]:
    """Ids for rows that this transaction inserts before it ends; of a table whose key is called id.

    A transaction that writes to SQLite holds its one write lock from its beginning (``storage.database``), so the ids
    behind the highest are free. PostgreSQL counts them out.
    """
    if connection.dialect.name == "sqlite":
        newest = query(connection, f'SELECT coalesce(max(id), 0) FROM "{table.name}"')[0][0]  # noqa: S608 a name of ours
        return range(newest + 1, newest + 1 + count)
    counted = "SELECT nextval(pg_get_serial_sequence(?, 'id')) FROM generate_series(1, ?)"
    return [row[0] for row in query(connection, counted, (table.name, count))]


def query(connection: Connection, sql: str, values: Row = ()) -> Sequence[Any]:
    """Rows of a SELECT in plain values; ``?`` stands for a value in both databases."""
    return connection.exec_driver_sql(_marked(connection, sql), values).fetchall()


def change(connection: Connection, sql: str, values: Row | list[Row]) -> int:
    """Run a statement for one tuple of values, or for each of a list; the number of rows that it changed."""
    return connection.exec_driver_sql(_marked(connection, sql), values).rowcount if values else 0


def _marked(connection: Connection, sql: str) -> str:
    return sql if connection.dialect.name == "sqlite" else sql.replace("?", "%s")


def _array_type(kind: object) -> str:
    if isinstance(kind, BigInteger | Integer | UtcDateTime):
        return "bigint"
    if isinstance(kind, Boolean):
        return "boolean"
    if isinstance(kind, Float):
        return "double precision"
    return "json" if isinstance(kind, JSON) else "text"


def to_json(value: object) -> str:
    """JSON text that both databases take: NUL, which PostgreSQL has no place for, is left out."""
    return msgspec.json.encode(value).decode().replace("\\u0000", "")
