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


def insert_rows(connection: Connection, table: Table, rows: Sequence[Row], on_conflict: str = "") -> None:
    """Insert rows; each holds the table's columns in order.

    Parameters
    ----------
    on_conflict : str
        What stands behind ``ON CONFLICT``, such as ``DO NOTHING``; nothing lets a conflict fail.
    """
    if not rows:
        return
    columns = list(table.columns)
    names = ", ".join(f'"{column.name}"' for column in columns)
    conflict = f" ON CONFLICT {on_conflict}" if on_conflict else ""
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(columns))
        connection.exec_driver_sql(
            f'INSERT INTO "{table.name}" ({names}) VALUES ({marks}){conflict}',  # noqa: S608 names of ours
            list(rows),
        )
        return
    arrays = ", ".join(f"%s::{_array_type(column.type)}[]" for column in columns)
    connection.exec_driver_sql(
        f'INSERT INTO "{table.name}" ({names}) SELECT * FROM unnest({arrays}){conflict}',  # noqa: S608 names of ours
        tuple(list(values) for values in zip(*rows, strict=True)),
    )


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
