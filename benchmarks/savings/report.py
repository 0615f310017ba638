"""The HTML page of a benchmark: one file without anything from outside, for light and dark screens."""

from pathlib import Path

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from benchmarks.savings import charts
from benchmarks.savings.runner import Watched
from benchmarks.savings.scoring import PRICE_OF_DISCOMFORT_KWH, Json

TEMPLATE = Path(__file__).with_name("report.html")
NAN = float("nan")
SHOWN = {  # order, name on the page, colour
    "conventional": ("household itself", "before"),
    "fixed": ("fixed setpoint", "rule"),
    "when_home": ("off when away", "rule"),
    "clock": ("weekly program", "rule"),
    "pid": ("room loop", "rule"),
    "precool": ("precool rule", "precool"),
    "mpc": ("fitted model", "mpc"),
    "lingyun": ("Lingyun", "lingyun"),
    "mpc_true": ("true model", "true"),
    "optimum": ("perfect foresight", "bound"),
}
CLASSES = {"all_day": "home all day", "part_time": "away for work", "forgotten": "forgets to switch off"}
TARIFFS = {"flat": "flat or tiered", "peak_valley": "peak and valley", "dynamic": "changes by the hour"}
NAMES = {
    "lingyun_vs_conventional": "against the household itself",
    "lingyun_vs_precool": "against the precool rule",
    "lingyun_vs_mpc": "against a fitted model",
}


def page(results: Json) -> str:
    """The page of some results."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(number=_number, signed=_signed)
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        data=results,
        names=NAMES,
        shown={name: SHOWN.get(name, (name, "rule")) for name in _ordered(results["controllers"])},
        day=_day(results["day"]),
        climates=_savings(results["by_climate"], {}),
        classes=_savings(results["by_class"], CLASSES),
        tariffs=_savings(results["by_tariff"], TARIFFS),
        plane=_plane(results),
        discomfort_price=PRICE_OF_DISCOMFORT_KWH,
    )


def _ordered(controllers: Json) -> list[str]:
    return [name for name in SHOWN if name in controllers] + [name for name in controllers if name not in SHOWN]


def _number(value: float | None, digits: int = 0) -> str:
    if value is None:
        return "–"
    return f"{value:,.{digits}f}".replace(",", "\u2009")


def _signed(value: float | None, digits: int = 1) -> str:
    return "–" if value is None else f"{value:+.{digits}f}".replace("-", "−")


def _day(day: Json | None) -> Markup | None:
    if day is None:
        return None
    runs = [
        (SHOWN[name][0], SHOWN[name][1], Watched.from_json(day["controllers"][name]))
        for name in SHOWN
        if name in day["controllers"]
    ]
    return Markup(charts.day("One room on one day", runs, 0.0))  # noqa: S704 - drawn from numbers, texts escaped


def _savings(groups: Json, names: dict[str, str]) -> list[tuple[str, Markup]]:
    """For each comparison that is known, its drawing by group."""
    drawings = []
    for key, css in (("lingyun_vs_conventional", "lingyun"), ("lingyun_vs_precool", "precool")):
        rows = []
        for group, part in groups.items():
            found = part.get("savings", {}).get(key, {})
            if found.get("pooled_pct") is not None:
                low, high = (NAN if found[edge] is None else found[edge] for edge in ("lower95_pct", "upper95_pct"))
                note = f"{part['homes']} homes"
                rows.append(charts.Interval(names.get(group, group), found["pooled_pct"], low, high, note))
        if rows:
            title = f"Saving {NAMES[key]}, in {'kWh' if key == 'lingyun_vs_conventional' else 'J'}"
            drawings.append((title, Markup(charts.intervals(title, rows, " %", css))))  # noqa: S704
    return drawings


def _plane(results: Json) -> Markup:
    points = [
        charts.Point(
            SHOWN.get(name, (name, ""))[0], one["discomfort_kh"], one["energy_kwh"], SHOWN.get(name, ("", "rule"))[1]
        )
        for name, one in results["controllers"].items()
    ]
    frontier = [(one["discomfort_kh"], one["energy_kwh"]) for one in results["frontier"]]
    return Markup(charts.trade_off("Energy against discomfort", points, frontier, PRICE_OF_DISCOMFORT_KWH))  # noqa: S704
