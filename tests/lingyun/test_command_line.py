"""The command line as a person meets it: clear words when something is in the way."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from core.clock import Clock
from lingyun.serve import locked
from lingyun.setup import ensure_home, save_clock
from storage.database import migrate, open_database
from tests.conftest import free_port


def lingyun(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "lingyun.cli", *arguments],
        env={**os.environ, "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_second_start_on_the_same_data_directory_is_refused(tmp_path: Path) -> None:
    with locked(tmp_path):
        ended = lingyun("serve", "--data-dir", str(tmp_path), "--port", "0", LINGYUN_MQTT_PORT="0")
    assert ended.returncode == 2
    assert "another `lingyun serve` runs on" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        ended = lingyun("serve", "--data-dir", str(tmp_path), "--port", str(port), LINGYUN_MQTT_PORT="0")
    assert ended.returncode == 2
    assert f"cannot listen on 127.0.0.1:{port}" in ended.stderr


def test_a_broker_that_does_not_answer_is_named_without_its_password(tmp_path: Path) -> None:
    url = f"mqtt://me:hidden-word@127.0.0.1:{free_port()}"
    ended = lingyun("serve", "--data-dir", str(tmp_path), "--port", "0", LINGYUN_MQTT_URL=url)
    assert ended.returncode == 2
    assert "nothing answers at 127.0.0.1" in ended.stderr
    assert "hidden-word" not in ended.stderr + ended.stdout


def test_a_setting_that_does_not_fit_is_named(tmp_path: Path) -> None:
    ended = lingyun("doctor", "--data-dir", str(tmp_path), LINGYUN_MQTT_PORT="high")
    assert ended.returncode == 2
    assert "LINGYUN_MQTT_PORT" in ended.stderr


def test_a_demo_and_a_household_do_not_share_a_data_directory(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'lingyun.db'}")
    migrate(database)
    with Session(database) as session, session.begin():
        ensure_home(session, "demo", Clock.real())
        save_clock(session, Clock.real())
    database.dispose()
    ended = lingyun("serve", "--data-dir", str(tmp_path), "--port", "0", LINGYUN_MQTT_PORT="0")
    assert ended.returncode == 2
    assert "holds a demo: add --demo" in ended.stderr


def test_the_token_is_the_last_word_printed(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'lingyun.db'}")
    migrate(database)
    with Session(database) as session, session.begin():
        ensure_home(session, "villa", Clock.real())
    database.dispose()
    made = lingyun("token", "create", "--home", "villa", "--scope", "read", "--data-dir", str(tmp_path))
    assert made.returncode == 0, made.stderr
    assert len(made.stdout.split()[-1]) >= 32
    missing = lingyun("token", "create", "--home", "castle", "--scope", "read", "--data-dir", str(tmp_path))
    assert missing.returncode == 2
    assert "there are: villa" in missing.stderr


def test_doctor_says_that_nothing_runs(tmp_path: Path) -> None:
    ended = lingyun("doctor", "--data-dir", str(tmp_path), "--json")
    found = json.loads(ended.stdout)
    assert ended.returncode == 1
    assert found["ok"] is False
    assert any(f["subject"] == "broker" and "Start `lingyun serve`" in f["detail"] for f in found["findings"])


@pytest.mark.parametrize(
    "command",
    [
        ("serve",), ("intake",), ("engine",), ("api",), ("replay",), ("doctor",),
        ("token", "create"), ("devices", "explain"), ("train", "predictor"), ("train", "policy"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_every_command_has_help_with_an_example(command: tuple[str, ...]) -> None:
    ended = lingyun(*command, "--help")
    assert ended.returncode == 0
    assert "Example:" in ended.stdout
