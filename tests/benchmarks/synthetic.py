"""Figures of homes that no simulation made, for arithmetic that can be done by hand."""

import numpy as np

from benchmarks.savings.scoring import Figures, Homes
from benchmarks.savings.words import Array


def homes(n: int, *, mean_price: float = 0.5) -> Homes:
    """Homes of all classes and tariffs in two climates, in turn."""
    return Homes(
        climate=tuple(("Here", "There")[i % 2] for i in range(n)),
        household=tuple(("all_day", "part_time", "forgotten")[i % 3] for i in range(n)),
        tariff=tuple(("flat", "peak_valley", "dynamic")[i % 3] for i in range(n)),
        mean_price=np.full(n, mean_price),
        co2_kg_per_kwh=np.full(n, 0.5),
    )


def figures(energy_kwh: Array | list[float], kh: Array | list[float] | float = 0.0, price: float = 0.5) -> Figures:
    """Energy at one price, and discomfort half over and half under the band."""
    energy_kwh = np.asarray(energy_kwh, dtype=np.float64)
    half_kh = 0.5 * np.broadcast_to(np.asarray(kh, dtype=np.float64), energy_kwh.shape)
    nothing = np.zeros(energy_kwh.size)
    return Figures(
        energy_kwh=energy_kwh,
        cost=price * energy_kwh,
        over_kh=half_kh,
        under_kh=half_kh.copy(),
        pmv_out_h=nothing,
        worst_k=nothing,
        starts_per_day=nothing,
        writes_per_day=nothing,
        overrides=nothing,
    )
