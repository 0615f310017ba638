"""What a person sees and does, in a real browser, on the real API, on a real database."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from api import security
from storage.tables import AccountRow, EventRow, HomeRow, OverrideRow, RoomRow
from tests.api.conftest import NOW, World
from tests.dashboard.conftest import DESK, PHONE

Open = Callable[..., Page]
Serve = Callable[..., str]


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_first_screen_shows_power_energy_money_temperature_and_the_reason(
    seeded: World, serve: Serve, open_page: Open, size: tuple[int, int]
) -> None:
    page = open_page(serve(demo=True), size)
    expect(page.get_by_test_id("power")).to_have_text("740W")  # 650 W of the unit and 90 W of the fridge
    expect(page.get_by_test_id("energy")).to_contain_text("kWh")
    expect(page.get_by_text("34.5° outside")).to_be_visible()
    room = page.get_by_role("article", name="Living room")
    expect(room).to_contain_text("27.4°")
    expect(room).to_contain_text("Cooling to 26 °C")
    expect(room.get_by_test_id("reason")).to_contain_text("room is at 27.4 °C")
    expect(room).to_contain_text("Decided by Lingyun, 6 minutes ago")
    expect(room).to_contain_text("confirmed")
    expect(page.get_by_text("Learning: day")).to_be_visible()


@pytest.mark.parametrize("path", ["/", "/fleet", "/login"])
@pytest.mark.parametrize("size", [(320, 640), PHONE, DESK], ids=["small-phone", "phone", "desk"])
def test_no_page_scrolls_sideways(
    seeded: World, serve: Serve, open_page: Open, path: str, size: tuple[int, int]
) -> None:
    page = open_page(serve(demo=True) + path, size)
    expect(page.locator("main")).to_be_visible()
    page.wait_for_load_state("networkidle") if path != "/" else expect(page.locator("svg rect").first).to_be_attached()
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]


def test_a_tap_on_cooler_becomes_one_override_and_automatic_ends_it(
    seeded: World, serve: Serve, open_page: Open, sqlite_database: Engine
) -> None:
    page = open_page(serve(demo=True))
    room = page.get_by_role("article", name="Living room")
    room.get_by_test_id("cooler").click()
    room.get_by_test_id("cooler").click()
    expect(room).to_contain_text("→ 25 °C")  # two steps of the unit's half degree
    expect(room).to_contain_text("Changed by you, until 18:30")
    with Session(sqlite_database) as session:
        override = session.scalars(select(OverrideRow)).one()
    assert override.room_id == seeded.living_room
    assert override.origin == "rest"
    assert override.target == {"on": True, "setpoint_c": 25.0}

    room.get_by_test_id("automatic").click()
    expect(room).to_contain_text("Decided by Lingyun")
    with Session(sqlite_database) as session:
        assert session.scalars(select(OverrideRow)).one().ended_at is not None


def test_tonight_holds_until_seven_in_the_morning_at_home(seeded: World, serve: Serve, open_page: Open) -> None:
    page = open_page(serve(demo=True))
    room = page.get_by_role("article", name="Living room")
    room.get_by_role("button", name="Tonight").click()
    room.get_by_test_id("switch").click()
    expect(room).to_contain_text(re.compile(r"Changed by you, until Jul 16, 07:00"))


def test_kill_switch_is_reached_by_keyboard_and_leaves_the_room_alone(
    seeded: World, serve: Serve, open_page: Open, sqlite_database: Engine
) -> None:
    page = open_page(serve(demo=True))
    room = page.get_by_role("article", name="Living room")
    room.get_by_role("button", name="How this room is controlled").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitemradio", name="Lingyun steers")).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(room.get_by_test_id("reason")).to_contain_text("leaves this room alone")
    with Session(sqlite_database) as session:
        assert session.get_one(RoomRow, seeded.living_room).control == "off"


def test_what_changes_elsewhere_appears_without_a_reload(
    seeded: World, serve: Serve, open_page: Open, sqlite_database: Engine
) -> None:
    page = open_page(serve(demo=True))
    expect(page.get_by_role("status").filter(has_text="Live")).to_be_visible()
    with Session(sqlite_database) as session, session.begin():
        session.get_one(RoomRow, seeded.living_room).name = "Study"
        session.add(EventRow(home_id=seeded.home, at=NOW, type="home", data={}))
    expect(page.get_by_role("article", name="Study")).to_be_visible()


def test_usage_is_stacked_by_device_and_marks_what_was_not_measured(
    seeded: World, serve: Serve, open_page: Open
) -> None:
    page = open_page(serve(demo=True))
    usage = page.get_by_role("region", name="Usage")
    expect(usage.get_by_text("Unit", exact=True)).to_be_visible()
    expect(usage.get_by_text("Fridge", exact=True)).to_be_visible()
    expect(usage.get_by_text("not fully measured")).to_be_visible()
    usage.get_by_role("button", name="Week").click()
    expect(usage.get_by_text("Jul 13 – Jul 19")).to_be_visible()
    usage.get_by_role("button", name="Earlier").click()
    expect(usage.get_by_text("Nothing was measured in this time.")).to_be_visible()


@pytest.mark.parametrize(
    ("browser_language", "document_language", "word"),
    [("zh-CN", "zh-Hans", "当前功率"), ("zh-TW", "zh-Hant", "目前功率"), ("de-DE", "en", "Using now")],
)
def test_the_page_speaks_the_language_of_the_browser(
    seeded: World, serve: Serve, open_page: Open, browser_language: str, document_language: str, word: str
) -> None:
    page = open_page(serve(demo=True), language=browser_language)
    expect(page.get_by_text(word)).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", document_language)


def test_the_language_switch_changes_the_reason_too_and_is_remembered(
    seeded: World, serve: Serve, open_page: Open
) -> None:
    page = open_page(serve(demo=True))
    page.get_by_label("Language").select_option("zh-Hans")
    expect(page.get_by_test_id("reason").first).to_contain_text("室温")
    page.reload()
    expect(page.get_by_text("当前功率")).to_be_visible()


def test_who_is_not_known_logs_in_first_and_comes_back_to_where_they_wanted_to(
    seeded: World, serve: Serve, open_page: Open, sqlite_database: Engine
) -> None:
    with Session(sqlite_database) as session, session.begin():
        session.get_one(AccountRow, seeded.owner).password_hash = security.hash_password("a quiet evening")
    page = open_page(serve(demo=False) + "/fleet")
    page.get_by_label("Name").fill("owner-of-demo")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_have_text("Name or password is not right.")
    page.get_by_label("Password").fill("a quiet evening")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("rowheader", name="Fridge")).to_be_visible()
    assert page.url.endswith("/fleet")


def test_the_one_time_link_makes_the_owner(
    seeded: World, serve: Serve, open_page: Open, sqlite_database: Engine
) -> None:
    from storage.repositories.tokens import create_setup_token

    with Session(sqlite_database) as session, session.begin():
        token = create_setup_token(
            session, session.get_one(HomeRow, seeded.home), session.get_one(AccountRow, seeded.owner)
        )
    address = serve(demo=False)
    page = open_page(f"{address}/setup?token={token}")
    page.get_by_label("Name").fill("lin")
    page.get_by_label("Password").fill("a quiet evening")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_test_id("power")).to_be_visible()

    used = open_page(f"{address}/setup?token={token}")
    used.get_by_label("Name").fill("mallory")
    used.get_by_label("Password").fill("another evening")
    used.get_by_role("button", name="Start").click()
    expect(used.get_by_role("alert")).to_contain_text("used or has expired")


def test_a_chart_that_could_not_be_loaded_comes_when_the_connection_does(
    seeded: World, serve: Serve, open_page: Open
) -> None:
    address = serve(demo=True)
    page = open_page("about:blank")
    page.route("**/UsageChart-*", lambda route: route.abort())
    with page.expect_event("requestfailed", lambda request: "UsageChart-" in request.url):
        page.goto(address)
    expect(page.get_by_test_id("power")).to_be_visible()
    expect(page.locator(".usage .chart")).to_have_count(0)
    page.unroute("**/UsageChart-*")
    expect(page.locator(".usage .chart")).to_have_count(1)


def test_fleet_table_finds_a_device_by_any_of_its_words(seeded: World, serve: Serve, open_page: Open) -> None:
    page = open_page(serve(demo=True) + "/fleet")
    expect(page.get_by_role("rowheader")).to_have_count(4)
    page.get_by_role("searchbox").fill("kitchen plug")
    expect(page.get_by_role("rowheader")).to_have_count(1)
    expect(page.get_by_role("row", name="Fridge")).to_contain_text("90 W")
    page.get_by_role("searchbox").fill("no such thing")
    expect(page.get_by_text("No device matches.")).to_be_visible()


def test_without_the_server_the_page_keeps_its_figures_says_how_old_they_are_and_comes_back(
    seeded: World, serve: Serve, open_page: Open
) -> None:
    page = open_page(serve(demo=True))
    expect(page.get_by_test_id("power")).to_be_visible()
    page.route("**/api/**", lambda route: route.abort())
    page.context.set_offline(True)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.get_by_text("Offline: these figures are from 16:30.")).to_be_visible()
    expect(page.get_by_test_id("power")).to_be_visible()
    page.context.set_offline(False)
    page.unroute("**/api/**")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("Offline: these figures")).to_have_count(0)
