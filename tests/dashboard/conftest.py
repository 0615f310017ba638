"""The built page on a running application, and a browser that looks at it."""

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from api.main import create_app
from core.settings import Settings
from core.words import CommandState
from insights.tariff import load_document
from storage.repositories.tariffs import set_tariff
from storage.tables import CommandRow, DecisionRow, UsageDayRow, UsageHourRow, UsageQuarterRow
from tests.api.conftest import NOW, World, fill, still_clock
from tests.conftest import require

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "lingyun" / "page"
START_TIMEOUT_S = 20.0
QUARTER = timedelta(minutes=15)
ZONE = ZoneInfo("Asia/Shanghai")
PATIENCE_MS = 20_000  # a busy machine
HOLES = range(40, 44)  # quarters of the last day in which nothing was measured

expect.set_options(timeout=PATIENCE_MS)

PHONE = (390, 844)
DESK = (1280, 900)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium."""
    binary = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    require(binary, "no Chromium is installed (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=binary, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def seeded(sqlite_database: Engine) -> World:
    """A home with an air conditioner that was just told something, a decision with its reason, and a day of usage."""
    with Session(sqlite_database) as session, session.begin():
        world = fill(session)
        command = CommandRow(
            home_id=world.home,
            device_id=world.air_conditioner,
            requested_by="engine",
            body={"setpoint_c": 26.0},
            state=CommandState.OBSERVED,
            queued_at=NOW - timedelta(minutes=6),
            expires_at=NOW,
            sent_at=NOW - timedelta(minutes=6),
            observed_at=NOW - timedelta(minutes=5),
        )
        session.add(command)
        session.flush()
        session.add(
            DecisionRow(
                room_id=world.living_room,
                device_id=world.air_conditioner,
                decided_at=NOW - timedelta(minutes=6),
                controller="policy",
                saw={},
                outlook={},
                proposed={},
                action={"on": True, "mode": "cool", "setpoint_c": 26.0},
                guard=[],
                reason={"code": "comfort", "values": COMFORT_VALUES},
                command_id=command.id,
            )
        )
        session.add_all(_two_days_of_usage(world))
        set_tariff(session, world.home, NOW - timedelta(days=30), load_document("zhejiang"))
    return world


COMFORT_VALUES = {
    "unit": {"on": True, "mode": "cool", "setpoint_c": 26.0},
    "room": 27.4,
}


def _two_days_of_usage(world: World) -> Iterator[UsageQuarterRow | UsageHourRow | UsageDayRow]:
    """Quarters with a hole in them, and their sums, as the intake leaves them."""
    newest = NOW.replace(minute=NOW.minute // 15 * 15)
    for device_id, quarter_kwh in ((world.air_conditioner, 0.15), (world.fridge_plug, 0.02)):
        hours: dict[datetime, UsageHourRow] = {}
        days: dict[str, UsageDayRow] = {}
        for quarter in range(1, 4 * 24 * 2):
            start_at = newest - quarter * QUARTER
            energy_kwh, covered_s = (0.0, 0.0) if quarter in HOLES else (quarter_kwh, QUARTER.total_seconds())
            amount = {"device_id": device_id, "source": "counter"}
            yield UsageQuarterRow(start_at=start_at, energy_kwh=energy_kwh, covered_s=covered_s, **amount)
            hour_at, day = start_at.replace(minute=0), start_at.astimezone(ZONE).date().isoformat()
            hour = hours.setdefault(hour_at, UsageHourRow(start_at=hour_at, energy_kwh=0.0, covered_s=0.0, **amount))
            local_day = days.setdefault(day, UsageDayRow(day=day, energy_kwh=0.0, covered_s=0.0, **amount))
            for total in (hour, local_day):
                total.energy_kwh += energy_kwh
                total.covered_s += covered_s
        yield from hours.values()
        yield from days.values()


@pytest.fixture
def serve(sqlite_database: Engine) -> Iterator[Callable[..., str]]:
    """Starts the application with the built page; gives its address."""
    require((PAGE / "index.html").is_file(), "the page is not built: make page")
    servers: list[tuple[uvicorn.Server, threading.Thread]] = []

    def start(*, demo: bool) -> str:
        app = create_app(sqlite_database, still_clock(), Settings(), PAGE, demo=demo)
        server = uvicorn.Server(
            uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", timeout_graceful_shutdown=1)
        )
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{_port_of(server)}"

    yield start
    for server, thread in servers:
        server.should_exit = True
        thread.join(timeout=10)


def _port_of(server: uvicorn.Server) -> int:
    end = time.monotonic() + START_TIMEOUT_S
    while not server.started:
        if time.monotonic() > end:
            raise TimeoutError(f"the application did not start within {START_TIMEOUT_S} s")
        time.sleep(0.01)
    return int(server.servers[0].sockets[0].getsockname()[1])


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens an address in a browser of its own; the test fails if the page says anything on its console."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def look(address: str, size: tuple[int, int] = DESK, language: str = "en") -> Page:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, locale=language, reduced_motion="reduce"
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.goto(address)
        return page

    yield look
    for context in contexts:
        context.close()
    expected = ("status of 401", "net::ERR_")  # who is not logged in yet; a test that pulls the plug
    unexpected = [one for one in complaints if not any(word in one for word in expected)]
    assert unexpected == []
