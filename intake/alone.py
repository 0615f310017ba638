"""One intake per database: a second one would acknowledge what the first knows nothing of.

The lock dies with its process: an flock beside the SQLite file, a session's advisory lock in PostgreSQL.
"""

import fcntl
import time
from pathlib import Path
from typing import IO

from sqlalchemy import Connection, Engine

from core.errors import ConfigurationError

PATIENCE_S = 8.0  # a killed predecessor's session is gone by then
POLL_S = 0.1
ADVISORY_KEY = 0x6C696E6779756E  # "lingyun"

_TAKEN = "another intake is running on this database. Stop it first: only one may store what devices say."


def lock_file(database: Engine) -> Path | None:
    """Where the lock of a SQLite database lies; None for a database in memory or elsewhere."""
    path = database.url.database
    if database.dialect.name != "sqlite" or not path or path == ":memory:":
        return None
    return Path(f"{path}.intake.lock")


class FileLock:
    """Holds the lock of a SQLite database from construction until ``release``.

    Raises
    ------
    ConfigurationError
        Another process holds it.
    """

    def __init__(self, database: Engine) -> None:
        self._file: IO[str] | None = None
        path = lock_file(database)
        if path is None:
            return
        file = path.open("w")
        end_s = time.monotonic() + PATIENCE_S
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > end_s:
                    file.close()
                    raise ConfigurationError(_TAKEN) from error
                time.sleep(POLL_S)
        self._file = file

    def release(self) -> None:
        """Let another intake start."""
        if self._file is not None:
            self._file.close()
            self._file = None


class StillTaken(Exception):
    """Our own former session, of which the server has not noticed that it is dead, holds the lock; or a rival does."""


def lock_session(connection: Connection, *, again: bool = False) -> None:
    """Take the lock of a PostgreSQL database for as long as this connection lives; nothing on others.

    Parameters
    ----------
    again : bool
        This process held it before and lost its connection. A server may take hours to notice the same.

    Raises
    ------
    ConfigurationError
        Another session holds it.
    StillTaken
        The same, ``again``: at once, for the caller to come back.
    """
    if connection.dialect.name != "postgresql":
        return
    end_s = time.monotonic() + PATIENCE_S
    while True:
        with connection.begin():
            if connection.exec_driver_sql("SELECT pg_try_advisory_lock(%s)", (ADVISORY_KEY,)).scalar():
                return
        if again:
            raise StillTaken("the lock of the intake is still held by a session of before, or by another intake")
        if time.monotonic() > end_s:
            raise ConfigurationError(_TAKEN)
        time.sleep(POLL_S)
