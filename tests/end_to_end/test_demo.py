"""The demo as a household starts it: one command, then page, REST, a steered unit, and a clean end."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO, TypeVar

import pytest

T = TypeVar("T")

READY_WITHIN_S = 120  # 45 s is the promise on a quiet machine, measured by hand; tests do not judge speed
OBSERVED_WITHIN_S = 180
PROBE_EVERY_S = 0.25


class Demo:
    """A running `lingyun serve --demo` and what it printed."""

    def __init__(self, data_dir: Path, speed: int = 60) -> None:
        self.data_dir = data_dir
        self.log = data_dir.parent / "serve.log"
        with self.log.open("a") as log:
            self.process = self._start(speed, log)
        self.url = self._address()

    def _start(self, speed: int, log: TextIO) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "lingyun.cli", "serve", "--demo", "--speed", str(speed)),
                *("--port", "0", "--data-dir", str(self.data_dir)),
            ],
            env={**os.environ, "LINGYUN_MQTT_PORT": "0"},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )

    def _address(self) -> str:
        assert self.process.stdout is not None
        watchdog = threading.Timer(READY_WITHIN_S, self.process.kill)
        watchdog.start()
        for line in self.process.stdout:
            if "Lingyun is at " in line:
                watchdog.cancel()
                return line.split()[-1]
        raise AssertionError(f"serve ended: {self.log.read_text()[-3000:]}")

    def get(self, path: str, token: str | None = None) -> Any:
        """JSON of an answer."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        with urllib.request.urlopen(urllib.request.Request(self.url + path, headers=headers), timeout=10) as answer:
            return json.load(answer)

    def token(self, scope: str) -> str:
        """A token, made as a person makes one."""
        made = subprocess.run(
            [
                *(sys.executable, "-m", "lingyun.cli", "token", "create", "--home", "demo"),
                *("--scope", scope, "--data-dir", str(self.data_dir)),
            ],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return made.stdout.split()[-1]

    def stop(self) -> int:
        """SIGTERM, as a supervisor does."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=60)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return status

    def family(self) -> set[int]:
        """Process ids of the whole group."""
        return {
            int(entry.name)
            for entry in Path("/proc").iterdir()
            if entry.name.isdigit() and _group_of(int(entry.name)) == self.process.pid
        }


def _group_of(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None


def wait_until(found: Callable[[], T | None], within_s: float, what: str) -> T:
    """Probe until there is something; fail after a time."""
    end = time.monotonic() + within_s
    probe = threading.Event()
    while time.monotonic() < end:
        with contextlib.suppress(urllib.error.URLError):
            result = found()
            if result:
                return result
        probe.wait(PROBE_EVERY_S)
    raise AssertionError(f"{what}: not within {within_s} s")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    running = Demo(tmp_path_factory.mktemp("demo") / "data")
    yield running
    if running.process.poll() is None:
        running.stop()


def ready(demo: Demo) -> bool:
    try:
        return bool(demo.get("/readyz"))
    except urllib.error.HTTPError:
        return False


def test_it_becomes_ready_and_shows_the_first_screen(demo: Demo) -> None:
    wait_until(lambda: ready(demo), READY_WITHIN_S, "ready")
    token = demo.token("read")
    home = demo.get("/api/v1/homes", token)["items"][0]
    assert home["name"] == "demo"
    summary = demo.get(f"/api/v1/homes/{home['id']}/summary", token)
    assert {room["name"] for room in summary["rooms"]} >= {"Living room", "Bedroom"}
    assert summary["power_w"] > 0


def test_history_is_there_with_energy_and_money(demo: Demo) -> None:
    token = demo.token("read")
    home = demo.get("/api/v1/homes", token)["items"][0]["id"]
    now = demo.get(f"/api/v1/homes/{home}/summary", token)["as_of"]
    days = demo.get(
        f"/api/v1/homes/{home}/usage?start=2026-06-19T16:00:00Z&end={now}&interval=day&group_by=none", token
    )["items"]
    full = [day for day in days[:-1] if day["coverage"] > 0.95]
    assert len(full) >= 10
    assert [day for day in full if not 0.8 < day["energy_kwh"] < 60 or not float(day["cost"]) > 0] == []


def test_a_command_of_the_engine_is_observed_and_has_a_reason(demo: Demo) -> None:
    token = demo.token("read")
    home = demo.get("/api/v1/homes", token)["items"][0]["id"]
    rooms = [room["id"] for room in demo.get(f"/api/v1/homes/{home}/summary", token)["rooms"]]

    def observed() -> list[dict[str, Any]]:
        decisions = [d for room in rooms for d in demo.get(f"/api/v1/rooms/{room}/decisions", token)["items"]]
        return [d for d in decisions if d["command"] and d["command"]["state"] == "observed"]

    decisions = wait_until(observed, OBSERVED_WITHIN_S, "an observed command")
    assert all(decision["reason"] for decision in decisions)


def test_it_ends_cleanly_and_starts_again_with_everything_there(demo: Demo) -> None:
    token = demo.token("read")
    home = demo.get("/api/v1/homes", token)["items"][0]["id"]
    path = (
        f"/api/v1/homes/{home}/usage?start=2026-06-20T00:00:00Z&end=2026-07-05T00:00:00Z&interval=day&group_by=device"
    )
    before = demo.get(path, token)
    assert demo.stop() == 0
    assert demo.family() == set()
    again = Demo(demo.data_dir)
    try:
        wait_until(lambda: ready(again), READY_WITHIN_S, "ready again")
        assert again.get(path, token) == before
    finally:
        assert again.stop() == 0
