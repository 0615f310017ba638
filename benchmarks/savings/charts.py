"""Drawings of the report, as inline SVG without any library: colours come from the page's style, light or dark.

Every function returns a finished ``<svg>``; texts are escaped here.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

import numpy as np

from benchmarks.savings.runner import Watched
from benchmarks.savings.scoring import lower_hull
from benchmarks.savings.words import Array
from simulator.residents import ASLEEP, AWAY
from simulator.world import STEPS_PER_H

WIDTH = 760.0
AWAKE_CLASS, ASLEEP_CLASS = "home", "asleep"


@dataclass(frozen=True, slots=True)
class Axis:
    """From values to places on the drawing."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        span = self.high - self.low
        return self.start + (value - self.low) / (span if span else 1.0) * (self.end - self.start)

    def ticks(self, about: int = 5) -> list[float]:
        """Round values inside."""
        raw = (self.high - self.low) / max(about, 1)
        if not raw > 0.0:
            return [self.low]
        size = 10.0 ** math.floor(math.log10(raw))
        step = next(size * factor for factor in (1.0, 2.0, 2.5, 5.0, 10.0) if size * factor >= raw * 0.999)
        first = math.ceil(self.low / step - 1e-9)
        return [step * i for i in range(first, math.floor(self.high / step + 1e-9) + 1)]


def _svg(height: float, title: str, parts: Iterable[str], width: float = WIDTH) -> str:
    body = "".join(parts)
    label = escape(title, quote=True)
    return (
        f'<svg viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="{label}" '
        f'xmlns="http://www.w3.org/2000/svg"><title>{label}</title>{body}</svg>'
    )


def _text(x: float, y: float, words: str, css: str = "", anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{css}" text-anchor="{anchor}">{escape(words)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, css: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{css}"/>'


def _rect(x: float, y: float, width: float, height: float, css: str) -> str:
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0.0):.1f}" height="{max(height, 0.0):.1f}" class="{css}"/>'
    )


def _path(points: Iterable[tuple[float, float]], css: str) -> str:
    """A line with gaps where a value is unknown."""
    pieces, pen_down = [], False
    for x, y in points:
        if not math.isfinite(y):
            pen_down = False
            continue
        pieces.append(f"{'L' if pen_down else 'M'}{x:.1f} {y:.1f}")
        pen_down = True
    return f'<path d="{"".join(pieces)}" class="{css}"/>'


def number(value: float) -> str:
    """A tick's number, as short as it can be."""
    if abs(value) >= 1000.0:
        return f"{value:,.0f}".replace(",", "\u2009")
    return f"{value:.10g}" if abs(value - round(value)) > 1e-9 else f"{round(value)}"


@dataclass(frozen=True, slots=True)
class Interval:
    """A value with its limits."""

    label: str
    value: float
    low: float
    high: float
    note: str = ""


def intervals(title: str, rows: Sequence[Interval], unit: str, css: str) -> str:
    """One line a group: a dot and its 95 % limits, and zero marked."""
    rows = [row for row in rows if math.isfinite(row.value)]
    left, right, top, line = 178.0, WIDTH - 150.0, 10.0, 30.0
    bounds = [0.0] + [edge for row in rows for edge in (row.low, row.high, row.value) if math.isfinite(edge)]
    pad = 0.06 * (max(bounds) - min(bounds) or 1.0)
    x = Axis(min(bounds) - pad, max(bounds) + pad, left, right)
    bottom = top + line * len(rows)
    parts = []
    for tick in x.ticks(6):
        parts += [_line(x(tick), top, x(tick), bottom, "zero" if abs(tick) < 1e-9 else "grid")]
        parts += [_text(x(tick), bottom + 16, f"{number(tick)}{unit}".replace("-", "\u2212"), "tick", "middle")]
    for i, row in enumerate(rows):
        y = top + line * (i + 0.5)
        low, high = (edge if math.isfinite(edge) else row.value for edge in (row.low, row.high))
        parts += [
            _text(left - 12, y + 4, row.label, "label", "end"),
            _line(x(low), y, x(high), y, f"whisker {css}"),
            f'<circle cx="{x(row.value):.1f}" cy="{y:.1f}" r="5" class="dot {css}"/>',
            _text(right + 12, y + 4, f"{row.value:+.1f}{unit}".replace("-", "\u2212"), "value"),
            _text(right + 84, y + 4, row.note, "tick"),
        ]
    return _svg(bottom + 26, title, parts)


@dataclass(frozen=True, slots=True)
class Point:
    """A controller on the plane of energy and discomfort."""

    name: str
    discomfort_kh: float
    energy_kwh: float
    css: str


def trade_off(title: str, points: Sequence[Point], frontier: Sequence[tuple[float, float]], price_kwh: float) -> str:
    """Energy against discomfort: every controller, the rule's variants, and lines along which J is equal."""
    left, right, top, bottom = 62.0, WIDTH - 20.0, 14.0, 380.0
    kh = [point.discomfort_kh for point in points] + [kh for kh, _ in frontier]
    kwh = [point.energy_kwh for point in points] + [kwh for _, kwh in frontier]
    x = _roomy(kh, left, right, from_zero=True)
    y = _roomy(kwh, bottom, top, from_zero=min(kwh) < 0.35 * max(kwh))
    parts = [f'<clipPath id="plane">{_rect(left, top, right - left, bottom - top, "")}</clipPath>']
    for tick in y.ticks(5):
        parts += [
            _line(left, y(tick), right, y(tick), "grid"),
            _text(left - 8, y(tick) + 4, number(tick), "tick", "end"),
        ]
    for tick in x.ticks(7):
        parts += [_text(x(tick), bottom + 18, number(tick), "tick", "middle")]
    parts += [_line(left, bottom, right, bottom, "axis"), '<g clip-path="url(#plane)">']
    for level in Axis(y.low, y.high + price_kwh * x.high, 0.0, 1.0).ticks(9):
        parts += [_line(x(x.low), y(level - price_kwh * x.low), x(x.high), y(level - price_kwh * x.high), "iso")]
    if frontier:
        edge = lower_hull(*(np.array(column) for column in zip(*sorted(frontier), strict=True)))
        parts += [_path(((x(a), y(b)) for a, b in (sorted(frontier)[i] for i in edge)), "frontier")]
    parts += ["</g>"]
    parts += [f'<circle cx="{x(a):.1f}" cy="{y(b):.1f}" r="2.5" class="variant"/>' for a, b in frontier]
    for point, (label_x, label_y, anchor) in zip(points, place_labels(points, x, y), strict=True):
        parts += [
            f'<circle cx="{x(point.discomfort_kh):.1f}" cy="{y(point.energy_kwh):.1f}" r="6" class="dot {point.css}"/>',
            _text(label_x, label_y, point.name, f"label ink-{point.css}", anchor),
        ]
    parts += [
        _text((left + right) / 2, bottom + 38, "discomfort, K·h a year and home", "tick", "middle"),
        _text(left, top - 2, "electricity, kWh a year and home", "tick"),
    ]
    return _svg(bottom + 46, title, parts)


def _roomy(values: Sequence[float], start: float, end: float, *, from_zero: bool) -> Axis:
    low, high = min(values), max(values)
    pad = 0.08 * (high - low or abs(high) or 1.0)
    return Axis(0.0 if from_zero else low - pad, high + pad, start, end)


def place_labels(points: Sequence[Point], x: Axis, y: Axis) -> list[tuple[float, float, str]]:
    """A place beside each dot, moved up or down until no name covers another or a dot."""
    dots = [(x(point.discomfort_kh), y(point.energy_kwh)) for point in points]
    taken: list[tuple[float, float, float]] = []  # from x, to x, at y
    places = []
    for point, (px, py) in zip(points, dots, strict=True):
        wide = 7.2 * len(point.name)
        right = [(px + 10, py + 4 + shift, "start") for shift in (0, -13, 13, -26, 26, -39, 39)]
        left = [(px - 10, py + 4 + shift, "end") for shift in (0, -13, 13)]
        for place in (*right[:3], *left, *right[3:], right[0]):
            begin = place[0] if place[2] == "start" else place[0] - wide
            end = begin + wide
            inside = begin > 0.0 and end < WIDTH
            on_name = any(end > a and begin < b and abs(place[1] - c) < 12.5 for a, b, c in taken)
            on_dot = any(begin - 6 < a < end + 6 and abs(b - place[1] + 4) < 9 for a, b in dots if (a, b) != (px, py))
            if inside and not on_name and not on_dot:
                break
        taken.append((begin, end, place[1]))
        places.append(place)
    return places


def day(title: str, runs: Sequence[tuple[str, str, Watched]], first_hour: float) -> str:
    """One room on one day under some controllers: comfort and temperatures, power, presence, price.

    Parameters
    ----------
    runs : sequence of (name, css class, Watched)
        The same home and the same rows.
    first_hour : float
        Of the local clock, at the first row.
    """
    left, right = 62.0, WIDTH - 20.0
    rows = runs[0][2].room_c.size
    hours = first_hour + np.arange(rows) / STEPS_PER_H
    x = Axis(hours[0], hours[-1] + 1.0 / STEPS_PER_H, left, right)
    shown = np.concatenate([np.r_[run.room_c, run.setpoint_c, run.low_c, run.high_c] for _, _, run in runs])
    low_c, high_c = math.floor(np.nanmin(shown) - 0.4), math.ceil(np.nanmax(shown) + 0.4)
    most_kw = max(0.3, max(float(run.power_w.max()) for _, _, run in runs) / 1000.0)
    parts: list[str] = []
    top = 8.0
    for name, css, run in runs:
        temperature, power = Axis(low_c, high_c, top + 132, top + 22), Axis(0.0, most_kw, top + 186, top + 146)
        spent = float(np.sum(run.power_w)) / STEPS_PER_H / 1000.0
        parts += [_text(left, top + 12, name, f"label ink-{css}")]
        outside = float(np.sum(_outside_k(run))) / STEPS_PER_H
        parts += [_text(right, top + 12, f"{spent:.2f} kWh · {outside:.1f} K·h outside the band", "tick", "end")]
        parts += _temperatures(run, css, x, hours, temperature, left, right)
        parts += _powers(run, css, x, hours, power, left, right)
        top += 204
    parts += _presence_strip(runs[0][2], x, hours, top)
    parts += _price_strip(runs[0][2], x, hours, top + 34, left, right)
    bottom = top + 84
    for hour in range(math.ceil(hours[0]), math.ceil(hours[-1]) + 1):
        if hour % 3 == 0:
            parts += [_line(x(hour), 30, x(hour), bottom, "hour")]
            parts += [_text(x(hour), bottom + 16, f"{hour % 24:02d}:00", "tick", "middle")]
    return _svg(bottom + 22, title, parts)


def _outside_k(run: Watched) -> Array:
    outside = np.maximum(run.room_c - run.high_c, 0.0) + np.maximum(run.low_c - run.room_c, 0.0)
    return np.where(run.presence == AWAY, 0.0, outside)


def _temperatures(run: Watched, css: str, x: Axis, hours: Array, y: Axis, left: float, right: float) -> list[str]:
    parts = []
    for tick in y.ticks(4):
        parts += [
            _line(left, y(tick), right, y(tick), "grid"),
            _text(left - 8, y(tick) + 4, f"{tick:g}°", "tick", "end"),
        ]
    for begin, end in _spells(run.presence != AWAY):
        for first, last in _level(run.low_c, begin, end):
            width = x(hours[last - 1] + 1.0 / STEPS_PER_H) - x(hours[first])
            parts.append(
                _rect(x(hours[first]), y(run.high_c[first]), width, y(run.low_c[first]) - y(run.high_c[first]), "band")
            )
    inside = np.clip(run.outdoor_c, y.low, y.high)
    outdoor = np.where(inside == run.outdoor_c, run.outdoor_c, np.nan)
    parts += [_path(zip(map(x, hours), map(y, outdoor), strict=True), "outdoor")]
    parts += [_path(_stairs(x, hours, y, run.setpoint_c), "setpoint")]
    parts += [_path(zip(map(x, hours), map(y, run.room_c), strict=True), f"room {css}")]
    return parts


def _powers(run: Watched, css: str, x: Axis, hours: Array, y: Axis, left: float, right: float) -> list[str]:
    corners = [(x(hours[0]), y(0.0)), *_stairs(x, hours, y, run.power_w / 1000.0), (right, y(0.0))]
    shape = "".join(f"{'L' if i else 'M'}{a:.1f} {b:.1f}" for i, (a, b) in enumerate(corners))
    return [
        _line(left, y(0.0), right, y(0.0), "axis"),
        _text(left - 8, y(0.0) + 4, "0", "tick", "end"),
        _text(left - 8, y(y.high) + 6, f"{y.high:.1f} kW", "tick", "end"),
        f'<path d="{shape}Z" class="power {css}"/>',
    ]


def _stairs(x: Axis, hours: Array, y: Axis, values: Array) -> list[tuple[float, float]]:
    points = []
    for hour, value in zip(hours, values, strict=True):
        place = y(value) if math.isfinite(value) else math.nan
        points += [(x(hour), place), (x(hour + 1.0 / STEPS_PER_H), place)]
    return points


def _presence_strip(run: Watched, x: Axis, hours: Array, top: float) -> list[str]:
    parts = [_text(x.start - 8, top + 13, "people", "tick", "end"), _rect(x.start, top, x.end - x.start, 18, "away")]
    for css, there in (
        (AWAKE_CLASS, (run.presence != AWAY) & (run.presence != ASLEEP)),
        (ASLEEP_CLASS, run.presence == ASLEEP),
    ):
        for begin, end in _spells(there):
            width = x(hours[end - 1] + 1.0 / STEPS_PER_H) - x(hours[begin])
            parts.append(_rect(x(hours[begin]), top, width, 18, css))
            words = {AWAKE_CLASS: "home", ASLEEP_CLASS: "asleep"}[css]
            if width > 8.0 * len(words):
                parts.append(_text(x(hours[begin]) + width / 2, top + 13, words, "strip", "middle"))
    return parts


def _price_strip(run: Watched, x: Axis, hours: Array, top: float, left: float, right: float) -> list[str]:
    low, high = min(0.0, float(run.price.min())), max(float(run.price.max()), 1e-6)
    y = Axis(low, high * 1.05, top + 40, top)
    return [
        _text(left - 8, top + 24, "price", "tick", "end"),
        _line(left, y(0.0), right, y(0.0), "axis"),
        _path(_stairs(x, hours, y, run.price), "price"),
        _text(right, top - 2, f"{run.price.min():.2f} to {run.price.max():.2f} a kWh", "tick", "end"),
    ]


def _spells(there: np.ndarray) -> list[tuple[int, int]]:
    """Half-open spans of rows in which something holds."""
    edges = np.flatnonzero(np.diff(np.r_[0, there.astype(np.int8), 0]))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _level(values: Array, begin: int, end: int) -> list[tuple[int, int]]:
    """Parts of a span in which a value stays about where it is."""
    cuts = [begin, *(i for i in range(begin + 1, end) if abs(values[i] - values[i - 1]) > 0.05), end]
    return list(pairwise(cuts))
