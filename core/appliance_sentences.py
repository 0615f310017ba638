"""What is done to refrigerators and plugs and why, and what is proposed for them, in the household's language.

A reason is ``{"code": ..., "values": {...}}`` as in ``core.sentences``; times are texts in the home's zone ("22:00").
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from core.sentences import LANGUAGES

_REASONS: dict[str, tuple[str, str, str]] = {
    "fridge_warmest": (
        "{place}: {shift}; food stays within its limits.",
        "{place}：{shift}，食物保持在安全温度之内。",
        "{place}：{shift}，食物保持在安全溫度之內。",
    ),
    "fridge_coast": (
        "{place}: {shift}, and no defrost for the next {minutes} minutes, because electricity is dear.",
        "{place}：{shift}，接下来 {minutes} 分钟不除霜，因为现在电价高。",
        "{place}：{shift}，接下來 {minutes} 分鐘不除霜，因為現在電價高。",
    ),
    "fridge_store": (
        "{place}: {shift}, to store cold before the price rises in {minutes} minutes.",
        "{place}：{shift}，在 {minutes} 分钟后电价上涨之前先蓄冷。",
        "{place}：{shift}，在 {minutes} 分鐘後電價上漲之前先蓄冷。",
    ),
    "fridge_load": (
        "{place}: {shift}, because much was put in.",
        "{place}：{shift}，因为刚放入了较多食物。",
        "{place}：{shift}，因為剛放入了較多食物。",
    ),
    "fridge_safe": (
        "{place}: {shift}, because food must stay safe.",
        "{place}：{shift}，因为食物安全优先。",
        "{place}：{shift}，因為食物安全優先。",
    ),
    "fridge_too_cool": (
        "{place}: {shift}. The kitchen is too cool: frozen food cannot be kept at -15 °C without freezing the fresh.",
        "{place}：{shift}。厨房太冷：要把冷冻食品保持在 -15 °C，就会冻坏冷藏食品。",
        "{place}：{shift}。廚房太冷：要把冷凍食品保持在 -15 °C，就會凍壞冷藏食品。",
    ),
    "fridge_own": (
        "{place}: {shift}, because its temperatures cannot be relied on.",
        "{place}：{shift}，因为其温度读数不可靠。",
        "{place}：{shift}，因為其溫度讀數不可靠。",
    ),
    "fridge_back": (
        "{place}: {shift} again, because control of it is no longer allowed.",
        "{place}：恢复{shift}，因为不再允许对其进行控制。",
        "{place}：恢復{shift}，因為不再允許對其進行控制。",
    ),
    "fridge_kept": (
        "{place}: no change, because it is controlled by hand, not allowed, or does not answer.",
        "{place}：不作改变，因为已由人手动设定、未获允许或没有响应。",
        "{place}：不作改變，因為已由人手動設定、未獲允許或沒有回應。",
    ),
    "plug_unused": (
        "{place}: off, because it is not in use and usually is not at this hour.",
        "{place}：关闭，因为无人使用，这个时段通常也不用。",
        "{place}：關閉，因為無人使用，這個時段通常也不用。",
    ),
    "plug_usual": (
        "{place}: on, because it is usually used at this hour.",
        "{place}：通电，因为这个时段通常要用。",
        "{place}：通電，因為這個時段通常要用。",
    ),
    "plug_waits": (
        "{place}: off until {from_time}, when electricity is cheapest.",
        "{place}：关闭到 {from_time}，届时电价最低。",
        "{place}：關閉到 {from_time}，屆時電價最低。",
    ),
    "plug_runs": (
        "{place}: on until {until_time}, while electricity is cheapest.",
        "{place}：通电到 {until_time}，此时电价最低。",
        "{place}：通電到 {until_time}，此時電價最低。",
    ),
    "plug_back": (
        "{place}: on again, because control of it is no longer allowed.",
        "{place}：恢复通电，因为不再允许对其进行控制。",
        "{place}：恢復通電，因為不再允許對其進行控制。",
    ),
    "plug_kept": (
        "{place}: no change.",
        "{place}：不作改变。",
        "{place}：不作改變。",
    ),
}

_PROPOSALS: dict[str, tuple[str, str, str]] = {
    "fridge_warmer": (
        "{place} is colder than food needs. Kept {warmer_k} °C warmer, it would use about {saving} less a year; "
        "fresh food stays at or below 5 °C, frozen food at or below -15 °C.",
        "{place}比食物所需的更冷。调高 {warmer_k} °C，每年约可少用{saving}；"
        "冷藏食品不超过 5 °C，冷冻食品不超过 -15 °C。",
        "{place}比食物所需的更冷。調高 {warmer_k} °C，每年約可少用{saving}；"
        "冷藏食品不超過 5 °C，冷凍食品不超過 -15 °C。",
    ),
    "fridge_shift": (
        "{place} can cool more while electricity is cheap and rest while it is dear: about {money} less a year, "
        "for {more} kWh more.",
        "{place}可以在电价低时多制冷、电价高时少运行：每年约省 {money}，多用 {more} 度电。",
        "{place}可以在電價低時多製冷、電價高時少運行：每年約省 {money}，多用 {more} 度電。",
    ),
    "fridge_colder": (
        "Frozen food in {place} is at {frozen_c} °C, which is not safe for long. Keeping it below -15 °C would use "
        "about {spending} more a year.",
        "{place}中的冷冻食品为 {frozen_c} °C，不能长期安全存放。保持在 -15 °C 以下，每年约多用{spending}。",
        "{place}中的冷凍食品為 {frozen_c} °C，不能長期安全存放。保持在 -15 °C 以下，每年約多用{spending}。",
    ),
    "plug_cut_off": (
        "{place} draws {standby_w} W while nobody uses it. Switched off for {off_hours} hours a day, it would use "
        "about {saving} less a year.",
        "{place}闲置时耗电 {standby_w} 瓦。每天关闭 {off_hours} 小时，每年约可少用{saving}。",
        "{place}閒置時耗電 {standby_w} 瓦。每天關閉 {off_hours} 小時，每年約可少用{saving}。",
    ),
    "plug_window": (
        "{place} could run from {from_time} to {until_time}, when electricity is cheapest: about {money} less a year.",
        "{place}可以只在电价最低的 {from_time} 到 {until_time} 运行：每年约省 {money}。",
        "{place}可以只在電價最低的 {from_time} 到 {until_time} 運行：每年約省 {money}。",
    ),
}

_ONLY_SHOWN = (
    " Only shown: you have not allowed it yet.",
    "仅供参考：您尚未允许。",
    "僅供參考：您尚未允許。",
)
_HOLIDAY = (" Nobody is home, so the doors stay shut.", "家中无人，门不会打开。", "家中無人，門不會打開。")
_WARMER = ("{k} °C warmer than its own setting", "比自身设定高 {k} °C", "比自身設定高 {k} °C")
_COLDER = ("{k} °C colder than its own setting", "比自身设定低 {k} °C", "比自身設定低 {k} °C")
_AS_SET = ("at its own setting", "按自身设定", "按自身設定")
_SAVING = ("{kwh} kWh", " {kwh} 度电", " {kwh} 度電")
_SAVING_MONEY = ("{kwh} kWh and {money}", " {kwh} 度电、{money}", " {kwh} 度電、{money}")


def appliance_reason(code: str, place: str, values: Mapping[str, Any], language: str) -> str:
    """The sentence of a decision of ``control.fridges`` or ``control.plugs``.

    Raises
    ------
    KeyError
        There is no such code, or a value that it needs is missing.
    """
    number = _number(language)
    words = {**values, "place": place, "shift": _shift(float(values.get("setback_k", 0.0)), number)}
    text = _REASONS[code][number].format(**words)
    if values.get("holiday"):
        text += _HOLIDAY[number]
    return text + (_ONLY_SHOWN[number] if "proposed" in values.get("rules", ()) else "")


def appliance_proposal(
    code: str,
    place: str,
    energy_kwh_per_year: Decimal,
    cost_per_year: Decimal | None,
    currency: str,
    values: Mapping[str, Any],
    language: str,
) -> str:
    """The sentence of a proposal of ``control.fridges`` or ``control.plugs``.

    Raises
    ------
    KeyError
        There is no such code, or a value that it needs is missing.
    """
    number = _number(language)
    money = f"{cost_per_year:.2f} {currency}" if cost_per_year is not None else ""
    saving = (_SAVING_MONEY if money else _SAVING)[number].format(kwh=f"{energy_kwh_per_year:.0f}", money=money)
    more = f"{-energy_kwh_per_year:.0f}"
    more_money = f"{-cost_per_year:.2f} {currency}" if cost_per_year is not None else ""
    spending = (_SAVING_MONEY if more_money else _SAVING)[number].format(kwh=more, money=more_money)
    words = {
        **values,
        "place": place,
        "saving": saving,
        "money": money,
        "more": more,
        "spending": spending,
    }
    return _PROPOSALS[code][number].format(**words)


def reason_codes() -> tuple[str, ...]:
    """Every code of a decision that has a sentence."""
    return tuple(_REASONS)


def proposal_codes() -> tuple[str, ...]:
    """Every code of a proposal that has a sentence."""
    return tuple(_PROPOSALS)


def _number(language: str) -> int:
    return LANGUAGES.index(language) if language in LANGUAGES else 0


def _shift(setback_k: float, number: int) -> str:
    if abs(setback_k) < 0.05:
        return _AS_SET[number]
    return (_WARMER if setback_k > 0.0 else _COLDER)[number].format(k=f"{abs(setback_k):.1f}")
