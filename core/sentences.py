"""Why the engine did what it did, in the household's language, made from a decision's ``reason``.

A reason is ``{"code": ..., "values": {...}}``; temperatures are in °C, times are texts in the home's zone ("18:00").
``unit`` and ``wish`` are what the unit shall be or what was wanted: ``{"on", "mode", "setpoint_c"}``.
"""

from collections.abc import Mapping
from typing import Any

LANGUAGES = ("en", "zh-Hans", "zh-Hant")

_MAIN: dict[str, tuple[str, str, str]] = {
    "comfort": (
        "{unit}: somebody is in, and the room is at {room}.",
        "{unit}：房间里有人，室温 {room}。",
        "{unit}：房間裡有人，室溫 {room}。",
    ),
    "comfort_usual": (
        "{unit}: somebody is usually in at this hour, and the room is at {room}.",
        "{unit}：这个时段通常有人，室温 {room}。",
        "{unit}：這個時段通常有人，室溫 {room}。",
    ),
    "return": (
        "{unit}, because somebody is usually home from {from_time} and the room takes {minutes} minutes.",
        "{unit}，因为通常 {from_time} 有人回家，而房间需要 {minutes} 分钟。",
        "{unit}，因為通常 {from_time} 有人回家，而房間需要 {minutes} 分鐘。",
    ),
    "comfortable": (
        "{unit}: the room is at {room}, within the {low} to {high} that you like.",
        "{unit}：室温 {room}，在您喜欢的 {low} 到 {high} 之内。",
        "{unit}：室溫 {room}，在您喜歡的 {low} 到 {high} 之內。",
    ),
    "cool_enough": (
        "{unit}: at {room} the room needs no cooling.",
        "{unit}：室温 {room}，不需要制冷。",
        "{unit}：室溫 {room}，不需要製冷。",
    ),
    "warm_enough": (
        "{unit}: at {room} the room needs no heating.",
        "{unit}：室温 {room}，不需要制热。",
        "{unit}：室溫 {room}，不需要製熱。",
    ),
    "away_until": (
        "{unit}: nobody is usually home before {from_time}.",
        "{unit}：通常 {from_time} 之前没有人在家。",
        "{unit}：通常 {from_time} 之前沒有人在家。",
    ),
    "away": (
        "{unit}: nobody is home, and nobody is expected within a day.",
        "{unit}：没有人在家，一天之内预计也没有人回来。",
        "{unit}：沒有人在家，一天之內預計也沒有人回來。",
    ),
    "held": (
        "{unit} although nobody is in: in this room, switching off and recovering takes more than holding.",
        "{unit}，虽然没有人在：在这个房间，关机后再恢复比保持温度更费电。",
        "{unit}，雖然沒有人在：在這個房間，關機後再恢復比保持溫度更費電。",
    ),
    "held_to_learn": (
        "{unit} although nobody is in: this once, to learn whether switching off saves in this room.",
        "{unit}，虽然没有人在：仅此一次，用来了解在这个房间关机是否省电。",
        "{unit}，雖然沒有人在：僅此一次，用來了解在這個房間關機是否省電。",
    ),
    "held_for_comfort": (
        "{unit} although nobody is in: comfort comes first here, and the room is kept between {low} and {high}.",
        "{unit}，虽然没有人在：这里舒适优先，室温保持在 {low} 到 {high} 之间。",
        "{unit}，雖然沒有人在：這裡舒適優先，室溫保持在 {low} 到 {high} 之間。",
    ),
    "coasting": (
        "{unit}: the room is at {room}, and the engine expects it to stay comfortable enough.",
        "{unit}：室温 {room}，预计仍会足够舒适。",
        "{unit}：室溫 {room}，預計仍會足夠舒適。",
    ),
    "guarded": (
        "{unit} instead of {wish}: {rules}.",
        "{unit}，而不是{wish}：{rules}。",
        "{unit}，而不是{wish}：{rules}。",
    ),
    "kept": (
        "No change, {unit}: {rules}.",
        "不作改变，{unit}：{rules}。",
        "不作改變，{unit}：{rules}。",
    ),
    "trial": (
        "{unit}, as you usually do at this hour: today shows what your own program uses.",
        "{unit}，与您平时这个时段一样：今天用来对比您自己的习惯用多少电。",
        "{unit}，與您平時這個時段一樣：今天用來對比您自己的習慣用多少電。",
    ),
    "conventional": (
        "{unit}, as you usually do at this hour: {rules}.",
        "{unit}，与您平时这个时段一样：{rules}。",
        "{unit}，與您平時這個時段一樣：{rules}。",
    ),
    "override_device": (
        "{unit}, changed by hand; it stays so until {until}.",
        "{unit}，由人手动更改；保持到 {until}。",
        "{unit}，由人手動更改；保持到 {until}。",
    ),
    "override_rest": (
        "{unit}, as you asked; it stays so until {until}.",
        "{unit}，按您的要求；保持到 {until}。",
        "{unit}，按您的要求；保持到 {until}。",
    ),
    "released": (
        "{unit}: control of this room is switched off, the unit is back to what you usually do at this hour.",
        "{unit}：此房间的控制已关闭，空调恢复到您平时这个时段的状态。",
        "{unit}：此房間的控制已關閉，空調恢復到您平時這個時段的狀態。",
    ),
    "released_unknown": (
        "Control of this room is switched off; what you usually do at this hour is not known yet, so the unit stays "
        "as it is.",
        "此房间的控制已关闭；尚不了解您平时这个时段的习惯，空调保持现状。",
        "此房間的控制已關閉；尚不了解您平時這個時段的習慣，空調保持現狀。",
    ),
}

_RULES: dict[str, tuple[str, str, str]] = {
    "kill_switch": ("control of this room is off", "此房间的控制已关闭", "此房間的控制已關閉"),
    "override": ("a manual change holds", "手动更改仍然有效", "手動更改仍然有效"),
    "offline": ("the unit does not answer", "空调没有响应", "空調沒有回應"),
    "stale_data": ("there is no fresh room temperature", "没有最新的室温", "沒有最新的室溫"),
    "implausible_sensor": ("the room temperature cannot be right", "室温读数不可信", "室溫讀數不可信"),
    "unsupported": ("the unit cannot do that", "空调不支持该设置", "空調不支援該設定"),
    "season": ("it is not the weather for that", "与当前天气不符", "與目前天氣不符"),
    "comfort": ("the room would get uncomfortable", "房间会变得不舒适", "房間會變得不舒適"),
    "empty_room": (
        "nobody is in and nobody is expected soon",
        "没有人在，近期也没有人回来",
        "沒有人在，近期也沒有人回來",
    ),
    "rate": ("the setpoint moves in small steps", "设定温度每次只小幅调整", "設定溫度每次只小幅調整"),
    "bounds": ("that is outside the limits", "超出了允许的范围", "超出了允許的範圍"),
    "mode_change": (
        "it rests between cooling and heating",
        "制冷与制热之间需要停机",
        "製冷與製熱之間需要停機",
    ),
    "minimum_run": ("it was switched on only a short while ago", "刚刚开机不久", "剛剛開機不久"),
    "minimum_rest": ("it was switched off only a short while ago", "刚刚关机不久", "剛剛關機不久"),
    "dead_band": ("the change would be too small to matter", "变化太小，没有必要", "變化太小，沒有必要"),
    "quiet_hours": ("no beeps in the quiet hours", "安静时段不发出提示音", "安靜時段不發出提示音"),
    "write_budget": ("it was changed often enough in the last hour", "过去一小时已调整多次", "過去一小時已調整多次"),
    "shadow": ("this room is only watched", "此房间仅观察", "此房間僅觀察"),
}

_MODES: dict[str, tuple[str, str, str]] = {
    "cool": ("cooling to {setpoint}", "制冷 {setpoint}", "製冷 {setpoint}"),
    "heat": ("heating to {setpoint}", "制热 {setpoint}", "製熱 {setpoint}"),
    "dry": ("drying at {setpoint}", "除湿 {setpoint}", "除濕 {setpoint}"),
    "auto": ("automatic at {setpoint}", "自动 {setpoint}", "自動 {setpoint}"),
    "fan_only": ("fan only", "送风", "送風"),
}
_ON_WITHOUT_SETPOINT = ("on", "开启", "開啟")
_OFF = ("off", "关闭", "關閉")

_MORE: dict[str, tuple[str, str, str]] = {  # said after the sentence where the reason has a value of that name
    "expected_1h_c": (
        " Expected in an hour: {expected_1h_c}.",
        "预计一小时后 {expected_1h_c}。",
        "預計一小時後 {expected_1h_c}。",
    ),
    "dearer_at": (
        " Electricity gets dearer at {dearer_at}.",
        "电价将于 {dearer_at} 上涨。",
        "電價將於 {dearer_at} 上漲。",
    ),
    "cheaper_at": (
        " Electricity gets cheaper at {cheaper_at}.",
        "电价将于 {cheaper_at} 下降。",
        "電價將於 {cheaper_at} 下降。",
    ),
    "by_rule": (
        " (By a simple rule: this room has no plan yet.)",
        "（按简单规则：该房间尚无计划。）",
        "（按簡單規則：該房間尚無計畫。）",
    ),
    "carbon_unknown": (
        " (No carbon figure is known for this grid, so money is saved instead.)",
        "（尚无本地电网的碳排放数据，因此以省钱为目标。）",
        "（尚無本地電網的碳排放資料，因此以省錢為目標。）",
    ),
    "watched": (
        " (Only watched: nothing is sent.)",
        "（仅观察，未发送。）",
        "（僅觀察，未傳送。）",
    ),
}
_SEPARATOR = ("; ", "；", "；")


def sentence(code: str, values: Mapping[str, Any], language: str) -> str:
    """One sentence (and what goes with it) for a decision's reason.

    Parameters
    ----------
    language : str
        One of ``LANGUAGES``; anything else is answered in English.

    Raises
    ------
    KeyError
        There is no such code, or a value that it needs is missing.
    """
    number = LANGUAGES.index(language) if language in LANGUAGES else 0
    words = {
        name: _unit(value, number) if name in ("unit", "wish") else _word(name, value, number)
        for name, value in values.items()
    }
    text = _MAIN[code][number].format(**words)
    text = text[0].upper() + text[1:]
    for name, more in _MORE.items():
        if values.get(name) not in (None, False):
            text += more[number].format(**words)
    return text


def codes() -> tuple[str, ...]:
    """Every code that has a sentence."""
    return tuple(_MAIN)


def additions() -> tuple[str, ...]:
    """Names of values that add words of their own to any sentence."""
    return tuple(_MORE)


def rules() -> tuple[str, ...]:
    """Every rule of the guard that has words."""
    return tuple(_RULES)


def _word(name: str, value: object, number: int) -> str:
    if name == "rules" and isinstance(value, (list, tuple)):
        return _SEPARATOR[number].join(_RULES[rule][number] for rule in value)
    if isinstance(value, float):
        return _degrees(value)
    return str(value)


def _degrees(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0") + " °C"


def _unit(unit: Mapping[str, Any], number: int) -> str:
    if not unit.get("on"):
        return _OFF[number]
    mode, setpoint_c = unit.get("mode"), unit.get("setpoint_c")
    if mode not in _MODES or (setpoint_c is None and mode != "fan_only"):
        return _ON_WITHOUT_SETPOINT[number]
    return _MODES[mode][number].format(setpoint="" if setpoint_c is None else _degrees(setpoint_c))
