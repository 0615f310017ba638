"""From the figures of every home to the one JSON object that the command prints and the report draws."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from benchmarks.savings.nearness import NEAR_K, Near
from benchmarks.savings.scoring import (
    MOVING_TARIFFS,
    PRICE_OF_DISCOMFORT_KWH,
    Figures,
    Frontier,
    Homes,
    Json,
    energy_at_equal_discomfort,
    gap_closed,
    machine_and_control,
    saving,
)
from benchmarks.savings.words import BoolArray

CLASSES = ("all_day", "part_time", "forgotten")
SAVINGS = {  # in J but for the first
    "lingyun_vs_conventional": ("lingyun", "conventional"),
    "lingyun_vs_precool": ("lingyun", "precool"),
    "lingyun_vs_mpc": ("lingyun", "mpc"),
}
NO_SUCH_HOMES = "no home of this suite is one"


@dataclass(slots=True)
class Run:
    """Everything that the controllers of a suite came to."""

    homes: Homes
    figures: dict[str, Figures] = field(default_factory=dict)
    frontier: dict[tuple[float, float], Figures] = field(default_factory=dict)  # by lead and margin of the rule
    variations: dict[str, Figures] = field(default_factory=dict)  # other units or sensors: ``suites.VARIATIONS``
    varied: BoolArray = field(default_factory=lambda: np.zeros(0, np.bool_))  # homes that have them
    near: dict[str, Near] = field(default_factory=dict)  # to the centre of comfort, of all homes
    missing: dict[str, str] = field(default_factory=dict)  # controllers that did not run, and why

    def where(self, some: BoolArray) -> "Run":
        """The same for some homes, but for what belongs to all together."""
        return Run(
            homes=self.homes.where(some),
            figures={name: one.where(some) for name, one in self.figures.items()},
            frontier={pair: one.where(some) for pair, one in self.frontier.items()},
            missing=self.missing,
        )


def tables(run: Run, seed: int) -> Json:
    """Everything of ``design.md``, for all homes and for each class, climate and tariff."""
    homes = run.homes
    return {
        **table(run, seed),
        "by_class": {name: _part(run, [one == name for one in homes.household], seed) for name in CLASSES},
        "by_climate": {
            name: _part(run, [one == name for one in homes.climate], seed) for name in dict.fromkeys(homes.climate)
        },
        "by_tariff": {
            name: _part(run, [one == name for one in homes.tariff], seed) for name in sorted(set(homes.tariff))
        },
        "thermometer": _thermometer(run, seed),
        "near_centre": {"within_k": NEAR_K, "pct": {name: one.pct() for name, one in run.near.items()}},
        "grade3": _grade3(run),
        "equal_discomfort": _equal_discomfort(run),
        "frontier": [
            {"lead_h": lead_h, "margin_k": margin_k, **_place(one)} for (lead_h, margin_k), one in run.frontier.items()
        ],
    }


def table(run: Run, seed: int) -> Json:
    """Figures of controllers, savings and gaps of some homes."""
    homes, figures = run.homes, run.figures
    savings: Json = {}
    for name, (mine, other) in SAVINGS.items():
        if mine in figures and other in figures:
            savings[name] = saving(figures[mine], figures[other], homes, in_j=other != "conventional", seed=seed)
        else:
            savings[name] = {"pooled_pct": None, "reason": _why(run, mine, other)}
    return {
        "homes": homes.n,
        "controllers": {name: one.means(homes) for name, one in figures.items()},
        "savings": savings,
        **_gaps(run, seed),
    }


def _part(run: Run, belongs: list[bool], seed: int) -> Json:
    some = np.array(belongs)
    return table(run.where(some), seed) if some.any() else {"homes": 0, "reason": NO_SUCH_HOMES}


def _why(run: Run, *names: str) -> str:
    return "; ".join(f"{name}: {run.missing.get(name, 'not run')}" for name in names if name not in run.figures)


def _gaps(run: Run, seed: int) -> Json:
    moving = np.array([kind in MOVING_TARIFFS for kind in run.homes.tariff])
    gaps: Json = {}
    for prefix, part in (("", run), ("cost_", run.where(moving))):
        closed, limits = _gap(part, seed)
        gaps[f"{prefix}gap_closed_pct"] = closed
        gaps[f"{prefix}gap_closed_lower95_pct"] = limits["lower95_pct"]
        gaps[f"{prefix}gap_closed_upper95_pct"] = limits["upper95_pct"]
        if closed is None:
            gaps[f"{prefix}gap_closed_reason"] = limits["reason"]
    share, limits = None, {"reason": _why(run, "precool", "mpc_true", "optimum")}
    if {"precool", "mpc_true", "optimum"} <= run.figures.keys():
        rule, true, bound = (run.figures[name] for name in ("precool", "mpc_true", "optimum"))
        share, limits = gap_closed(true, rule, bound, run.homes, seed)
    gaps["mpc_true_share_of_optimum_pct"] = share
    if share is None:
        gaps["mpc_true_share_of_optimum_reason"] = limits["reason"]
    return gaps


def _gap(run: Run, seed: int) -> tuple[float | None, Json]:
    if not {"precool", "lingyun", "mpc_true"} <= run.figures.keys():
        reason = _why(run, "precool", "lingyun", "mpc_true")
        return None, {"lower95_pct": None, "upper95_pct": None, "reason": reason}
    mine, rule, best = (run.figures[name] for name in ("lingyun", "precool", "mpc_true"))
    return gap_closed(mine, rule, best, run.homes, seed)


def _thermometer(run: Run, seed: int) -> Json:
    """What a room thermometer is worth to the engine: the same homes with and without."""
    without = run.variations.get("no_thermometer")
    if without is None or not {"lingyun", "conventional"} <= run.figures.keys():
        return {"saving_pct": None, "reason": _why(run, "lingyun", "conventional") or "not run in this suite"}
    homes = run.homes.where(run.varied)
    with_one, before = (run.figures[name].where(run.varied) for name in ("lingyun", "conventional"))
    return {
        "homes": homes.n,
        "saving_pct": saving(with_one, without, homes, in_j=False, seed=seed)["pooled_pct"],
        "with": {**with_one.means(homes), "vs_conventional": saving(with_one, before, homes, in_j=False, seed=seed)},
        "without": {**without.means(homes), "vs_conventional": saving(without, before, homes, in_j=False, seed=seed)},
    }


def _grade3(run: Run) -> Json:
    """The same homes, all with units of grade 3, and all with units of APF 5.65."""
    mine, own, old = (run.variations.get(name) for name in ("apf_lingyun", "apf_conventional", "grade3"))
    if mine is None or own is None or old is None:
        nothing = {"machine_pct": None, "control_pct": None, "together_pct": None}
        return {**nothing, "reason": run.missing.get("lingyun", "not run in this suite")}
    return {"homes": int(run.varied.sum()), **machine_and_control(mine, own, old)}


def _equal_discomfort(run: Run) -> Json:
    if not run.frontier:
        return {"reason": _why(run, "precool") or "the rule's variants were not run"}
    places = [_place(one) for one in run.frontier.values()]
    frontier = Frontier(
        energy_kwh=np.array([place["energy_kwh"] for place in places]),
        discomfort_kh=np.array([place["discomfort_kh"] for place in places]),
    )
    return {name: energy_at_equal_discomfort(one, frontier) for name, one in run.figures.items()}


def _place(figures: Figures) -> dict[str, float]:
    energy_kwh, discomfort_kh = float(np.mean(figures.energy_kwh)), float(np.mean(figures.discomfort_kh))
    return {"energy_kwh": energy_kwh, "discomfort_kh": discomfort_kh}


def as_markdown(results: Mapping[str, object]) -> str:
    """The table that the documentation shows."""
    data: Json = dict(results)
    lines = [
        f"`{data['suite']}`: {data['homes']} homes, {', '.join(data['climates'])}, seed {data['seed']}, "
        f"{data['scored_days']:g} days scored from day 29; means for a home and year.",
        "",
        "| controller | kWh | cost | K·h over | K·h under | PMV out, h | worst, K | starts/day | writes/day "
        "| overrides | J, kWh |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, one in data["controllers"].items():
        lines.append(
            f"| {name} | {one['energy_kwh']:.0f} | {one['cost']:.0f} | {one['over_kh']:.0f} | {one['under_kh']:.0f} "
            f"| {one['pmv_out_h']:.0f} | {one['worst_k']:.1f} | {one['starts_per_day']:.1f} "
            f"| {one['writes_per_day']:.1f} | {one['overrides']:.0f} | {one['j_kwh']:.0f} |"
        )
    lines += ["", "| saving | unit | pooled | 95 % limits | median | p20 | p5 | worst | K·h more |"]
    lines += ["|---|---|---|---|---|---|---|---|---|"]
    for name, one in data["savings"].items():
        if one["pooled_pct"] is None:
            lines.append(f"| {name} | | not known: {one['reason']} | | | | | | |")
            continue
        lines.append(
            f"| {name} | {one['unit']} | {one['pooled_pct']:.1f} % "
            f"| {one['lower95_pct']:.1f} to {one['upper95_pct']:.1f} % | {_pct(one['median_pct'])} "
            f"| {_pct(one['p20_pct'])} | {_pct(one['p5_pct'])} | {_pct(one['worst_pct'])} "
            f"| {one['discomfort_kh_difference']:+.0f} |"
        )
    lines += ["", f"Gap closed: {_gap_words(data, '')}; on moving tariffs: {_gap_words(data, 'cost_')}."]
    grade3 = data["grade3"]
    if grade3["machine_pct"] is not None:
        lines.append(
            f"Against a grade-3 unit: machine {grade3['machine_pct']:.1f} %, control {grade3['control_pct']:.1f} %, "
            f"together {grade3['together_pct']:.1f} %."
        )
    near_pct = {name: pct for name, pct in data["near_centre"]["pct"].items() if pct is not None}
    if near_pct:
        words = ", ".join(f"{name.replace('_', ' ')} {pct:.1f} %" for name, pct in near_pct.items())
        lines.append(
            f"Within {data['near_centre']['within_k']:g} K of the centre of comfort, where the unit can: {words}."
        )
    lines.append(f"One K·h of discomfort weighs {PRICE_OF_DISCOMFORT_KWH:g} kWh at the mean price in J.")
    if "scenarios" in data:
        lines += ["", "| kWh, K·h | " + " | ".join(data["controllers"]) + " |"]
        lines.append("|---" * (1 + len(data["controllers"])) + "|")
        for name, part in data["scenarios"].items():
            cells = [f"{one['energy_kwh']:.0f}, {one['discomfort_kh']:.0f}" for one in part["controllers"].values()]
            lines.append(f"| {name.replace('_', ' ')} | " + " | ".join(cells) + " |")
        lines.append("")
    lines += [f"- {line}" for line in (*data["failures"], *data["warnings"])]
    return "\n".join(lines) + "\n"


def _pct(value: float | None) -> str:
    return "" if value is None else f"{value:.1f} %"


def _gap_words(data: Json, prefix: str) -> str:
    closed = data[f"{prefix}gap_closed_pct"]
    if closed is None:
        return f"not known ({data[f'{prefix}gap_closed_reason']})"
    return f"{closed:.0f} % (not below {data[f'{prefix}gap_closed_lower95_pct']:.0f} % with 97.5 % confidence)"
