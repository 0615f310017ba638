"""CO2 of a kWh from the grid: annual factors; they suit a yearly statement and say nothing about an hour."""

from dataclasses import dataclass

CHINESE_ZONES = frozenset({"Asia/Shanghai", "Asia/Urumqi", "Asia/Chongqing", "Asia/Harbin", "Asia/Kashgar", "PRC"})


@dataclass(frozen=True, slots=True)
class CarbonFactor:
    """CO2 of one kWh. [kg/kWh]"""

    kg_per_kwh: float
    source: str


# published 2026-01 by the ministry of ecology and environment and the bureau of statistics
CHINA_2023 = CarbonFactor(0.5306, "China, average grid factor of 2023 (MEE and NBS)")


def carbon_factor(setting_kg_per_kwh: float | None, time_zone: str) -> CarbonFactor | None:
    """The factor that a home has set, or else its country's; None where we know none."""
    if setting_kg_per_kwh is not None:
        return CarbonFactor(setting_kg_per_kwh, "annual factor set for this home")
    return CHINA_2023 if time_zone in CHINESE_ZONES else None
