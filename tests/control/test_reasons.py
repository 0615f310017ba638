"""The sentence of a decision is true and says what it needs to."""

import inspect
import itertools
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control import deciding, guard, reasons
from control.guard import Action, WishSource
from control.objective import Objective
from control.reasons import Grounds, PriceChange, reason
from core.sentences import LANGUAGES, additions, codes, rules, sentence
from core.words import Fan, Mode
from models.words import Outlook, Wish
from storage.repositories.learned import Season

NOW = datetime(2026, 7, 15, 9, 15, tzinfo=UTC)  # 17:15 in Shanghai
COOL = Wish(True, Mode.COOL, 26.5, Fan.AUTO)
OFF = Wish(False, None, None, Fan.AUTO)
GROUNDS = Grounds(
    zone=ZoneInfo("Asia/Shanghai"),
    source=WishSource.POLICY,
    control="auto",
    room_temperature_c=28.2,
    low_c=25.0,
    high_c=27.0,
    season=Season.COOLING,
    occupied=0.1,
    seen=False,
    next_return=NOW + timedelta(minutes=45),
    lead_s=41 * 60.0,
    outlook=None,
    had_fallback=False,
    now=NOW,
)


def said(wish: Wish, action: Action, named: list[str], grounds: Grounds, language: str = "en") -> str:
    why = reason(wish, action, named, grounds)
    return sentence(why["code"], why["values"], language)


def test_a_start_before_the_return_says_when_and_how_long() -> None:
    assert said(COOL, Action(COOL, True), [], GROUNDS) == (
        "Cooling to 26.5 °C, because somebody is usually home from 18:00 and the room takes 40 minutes."
    )
    assert said(COOL, Action(COOL, True), [], GROUNDS, "zh-Hans") == (
        "制冷 26.5 °C，因为通常 18:00 有人回家，而房间需要 40 分钟。"
    )
    assert "製冷" in said(COOL, Action(COOL, True), [], GROUNDS, "zh-Hant")


def test_a_unit_that_is_off_for_an_absence_says_until_when() -> None:
    assert said(OFF, Action(OFF, True), [], GROUNDS) == "Off: nobody is usually home before 18:00."
    assert "within a day" in said(OFF, Action(OFF, True), [], replace(GROUNDS, next_return=None))


@pytest.mark.parametrize(
    ("room_c", "words"),
    [(26.0, "within the 25 °C to 27 °C"), (24.0, "needs no cooling"), (28.2, "stay comfortable enough")],
)
def test_a_unit_that_is_off_while_somebody_is_in_says_why(room_c: float, words: str) -> None:
    grounds = replace(GROUNDS, occupied=1.0, room_temperature_c=room_c)
    assert words in said(OFF, Action(OFF, True), [], grounds)


def test_seen_people_and_usual_people_are_told_apart() -> None:
    at_home = replace(GROUNDS, occupied=0.9)
    assert "usually in" in said(COOL, Action(COOL, True), [], at_home)
    assert "somebody is in," in said(COOL, Action(COOL, True), [], replace(at_home, seen=True))


def test_what_the_guard_changed_is_named() -> None:
    text = said(OFF, Action(COOL, False), ["minimum_run"], GROUNDS)
    assert text == "No change, cooling to 26.5 °C: it was switched on only a short while ago."
    text = said(OFF, Action(COOL, True), ["comfort"], GROUNDS)
    assert text == "Cooling to 26.5 °C instead of off: the room would get uncomfortable."


def test_a_rule_in_place_of_a_plan_says_so() -> None:
    text = said(COOL, Action(COOL, True), [], replace(GROUNDS, source=WishSource.RULE))
    assert text.endswith("(By a simple rule: this room has no plan yet.)")


def test_the_outlook_is_part_of_the_sentence_where_something_is_done() -> None:
    outlook = Outlook((900, 3600), (28.0, 26.84), (0.3, 0.5), (0.1, 0.3))
    grounds = replace(GROUNDS, outlook=outlook)
    assert "Expected in an hour: 26.8 °C." in said(COOL, Action(COOL, True), [], grounds)
    assert "Expected" not in said(COOL, Action(COOL, False), [], grounds)


def test_the_sentence_says_when_prices_change_and_what_is_not_known() -> None:
    grounds = replace(GROUNDS, price_change=PriceChange(NOW + timedelta(minutes=45), dearer=True))
    assert said(COOL, Action(COOL, True), [], grounds) == (
        "Cooling to 26.5 °C, because somebody is usually home from 18:00 and the room takes 40 minutes. "
        "Electricity gets dearer at 18:00."
    )
    assert said(COOL, Action(COOL, True), [], grounds, "zh-Hans").endswith("电价将于 18:00 上涨。")
    assert "dearer" not in said(COOL, Action(COOL, False), [], grounds), "nothing is done: nothing more to explain"
    cheaper = replace(GROUNDS, price_change=PriceChange(NOW + timedelta(minutes=45), dearer=False))
    assert "cheaper at 18:00" in said(OFF, Action(OFF, True), [], cheaper)
    assert "money is saved instead" in said(OFF, Action(OFF, True), [], replace(GROUNDS, price_source="carbon_unknown"))


def test_every_control_has_its_words() -> None:
    watched = replace(GROUNDS, control="shadow")
    text = said(COOL, Action(COOL, False), ["shadow"], watched)
    assert text.startswith("Cooling to 26.5 °C, because somebody is usually home from 18:00")
    assert text.endswith("(Only watched: nothing is sent.)")
    compared = replace(GROUNDS, source=WishSource.TRIAL, control="ab")
    assert "today shows what your own program uses" in said(COOL, Action(COOL, True), [], compared)
    assert "only a short while ago" in said(OFF, Action(COOL, False), ["minimum_run"], compared)


@pytest.mark.parametrize(
    ("objective", "belief", "words"),
    [
        (Objective.COMFORT, 0.1, "comfort comes first here, and the room is kept between 25 °C and 27 °C"),
        (Objective.SAVE, 0.9, "switching off and recovering takes more than holding"),
        (Objective.GREEN, 0.2, "to learn whether switching off saves"),
    ],
)
def test_a_room_that_is_held_although_nobody_is_in_says_why(objective: Objective, belief: float, words: str) -> None:
    grounds = replace(GROUNDS, objective=objective, held_is_cheaper=belief)
    assert words in said(COOL, Action(COOL, True), [], grounds)


def test_every_rule_of_the_guard_has_words() -> None:
    assert guard.__doc__ is not None
    named = {line.split()[0] for line in guard.__doc__.splitlines() if line.startswith("    ") and line[4] != " "}
    assert named == set(rules())


def test_an_unknown_language_is_answered_in_english() -> None:
    values = {"unit": {"on": False, "mode": None, "setpoint_c": None}}
    assert sentence("away", values, "fr") == sentence("away", values, "en")


EVERYTHING = {
    "unit": {"on": True, "mode": "heat", "setpoint_c": 20.0},
    "wish": {"on": False, "mode": None, "setpoint_c": None},
    "rules": list(rules()),
    "room": 20.04,
    "low": 19.0,
    "high": 21.5,
    "from_time": "18:00",
    "until": "20:15",
    "minutes": 40,
    "expected_1h_c": 20.5,
    "dearer_at": "18:00",
    "cheaper_at": "22:00",
    "by_rule": True,
    "carbon_unknown": True,
    "watched": True,
}


@pytest.mark.parametrize("mode", [None, *Mode])
@pytest.mark.parametrize("code", codes())
def test_no_sentence_is_left_untranslated(code: str, mode: Mode | None) -> None:
    """With everything that can be said after it: English has no Chinese in it, and Chinese no English word."""
    unit = {"on": mode is not None, "mode": mode, "setpoint_c": 20.0}
    values = {**EVERYTHING, "unit": unit}
    assert set(additions()) <= set(values)
    texts = [sentence(code, values, language) for language in LANGUAGES]
    assert len(set(texts)) == 3
    assert not re.search("[一-鿿]", texts[0])
    for text in texts[1:]:
        assert re.search("[一-鿿]", text)
        assert not re.search("[A-Za-z]{2}", text)
    for simplified, traditional in zip("电温设关这会时发动", "電溫設關這會時發動", strict=True):
        assert traditional not in texts[1]
        assert simplified not in texts[2] or simplified == traditional
    for english, other in itertools.product(texts[:1], texts[1:]):
        assert set(re.findall(r"\d+:\d\d", english)) == set(re.findall(r"\d+:\d\d", other)), "the same times"


def test_every_code_that_control_gives_has_a_sentence_and_no_sentence_is_idle() -> None:
    """Words in the sources of the two modules that make reasons, against the sentences that there are."""
    given_words = set(re.findall(r'"([a-z_]+)"', inspect.getsource(reasons) + inspect.getsource(deciding)))
    assert set(codes()) <= given_words


@given(
    on=st.booleans(),
    write=st.booleans(),
    wish=st.sampled_from([OFF, COOL]),
    named=st.lists(st.sampled_from([rule for rule in rules() if rule not in ("kill_switch", "override")]), unique=True),
    room_c=st.one_of(st.none(), st.floats(10.0, 40.0)),
    occupied=st.floats(0.0, 1.0),
    back_h=st.one_of(st.none(), st.floats(0.0, 24.0)),
    season=st.sampled_from(list(Season)),
    control=st.sampled_from(["auto", "shadow", "ab"]),
    source=st.sampled_from([WishSource.POLICY, WishSource.RULE, WishSource.CONVENTIONAL, WishSource.TRIAL]),
    objective=st.sampled_from(list(Objective)),
    belief=st.one_of(st.none(), st.floats(0.0, 1.0)),
    dearer=st.one_of(st.none(), st.booleans()),
)
def test_every_possible_reason_has_a_sentence(
    on: bool,
    write: bool,
    wish: Wish,
    named: list[str],
    room_c: float | None,
    occupied: float,
    back_h: float | None,
    season: Season,
    control: str,
    source: WishSource,
    objective: Objective,
    belief: float | None,
    dearer: bool | None,
) -> None:
    known = room_c is not None or "stale_data" in named
    grounds = replace(
        GROUNDS,
        room_temperature_c=room_c if known else 25.0,
        occupied=occupied,
        next_return=None if back_h is None else NOW + timedelta(hours=back_h),
        season=season,
        control=control,
        source=source,
        objective=objective,
        held_is_cheaper=belief,
        price_change=None if dearer is None else PriceChange(NOW + timedelta(hours=1), dearer),
    )
    for language in LANGUAGES:
        assert said(wish, Action(COOL if on else OFF, write), named, grounds, language)
