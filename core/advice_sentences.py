"""What advice says, in the household's language; temperatures are in °C, powers in W."""

from collections.abc import Mapping
from typing import Any

from core.sentences import LANGUAGES

_SENTENCES: dict[str, tuple[str, str, str]] = {
    "setpoint_cool": (
        "{place} was cooled to {setpoint_c} °C on average; you are comfortable up to {comfortable_c} °C. "
        "At {better_c} °C it would use about {kwh} kWh less a month.",
        "{place}平均制冷到 {setpoint_c} °C,而您在 {comfortable_c} °C 以下都觉得舒适。"
        "设为 {better_c} °C,每月约可少用 {kwh} 度电。",
        "{place}平均製冷到 {setpoint_c} °C,而您在 {comfortable_c} °C 以下都覺得舒適。"
        "設為 {better_c} °C,每月約可少用 {kwh} 度電。",
    ),
    "setpoint_heat": (
        "{place} was heated to {setpoint_c} °C on average; you are comfortable from {comfortable_c} °C. "
        "At {better_c} °C it would use about {kwh} kWh less a month.",
        "{place}平均制热到 {setpoint_c} °C,而您在 {comfortable_c} °C 以上都觉得舒适。"
        "设为 {better_c} °C,每月约可少用 {kwh} 度电。",
        "{place}平均製熱到 {setpoint_c} °C,而您在 {comfortable_c} °C 以上都覺得舒適。"
        "設為 {better_c} °C,每月約可少用 {kwh} 度電。",
    ),
    "forgotten": (
        "The air conditioner in {place} ran {hours} hours on {days} days while nobody was home. "
        "Switched off then, it would use about {kwh} kWh less a month.",
        "{place}的空调在无人时运行了 {hours} 小时(共 {days} 天)。及时关闭,每月约可少用 {kwh} 度电。",
        "{place}的空調在無人時運行了 {hours} 小時(共 {days} 天)。及時關閉,每月約可少用 {kwh} 度電。",
    ),
    "standby": (
        "{place} draws {standby_w} W while nobody uses it, {idle_hours_per_day} hours a day. "
        "Switched off at the plug, it would use about {kwh} kWh less a month.",
        "{place}闲置时耗电 {standby_w} 瓦,每天 {idle_hours_per_day} 小时。从插座关闭,每月约可少用 {kwh} 度电。",
        "{place}閒置時耗電 {standby_w} 瓦,每天 {idle_hours_per_day} 小時。從插座關閉,每月約可少用 {kwh} 度電。",
    ),
}


def advice_sentence(code: str, place: str, kwh_per_month: float, values: Mapping[str, Any], language: str) -> str:
    """The sentence of a finding of ``insights.advice`` about a place or thing.

    Raises
    ------
    KeyError
        There is no such code, or a value that it needs is missing.
    """
    number = LANGUAGES.index(language) if language in LANGUAGES else 0
    name = f"{code}_{values['mode']}" if code == "setpoint" else code
    kwh = f"{kwh_per_month:.0f}" if kwh_per_month >= 10 else f"{kwh_per_month:.1f}"
    return _SENTENCES[name][number].format(**{**values, "place": place, "kwh": kwh})
