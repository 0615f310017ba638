"""Homes that models learn from."""

import numpy as np

from simulator.residents import ASLEEP
from simulator.world import STEPS_PER_DAY
from tests.training.pools import summer_pool
from training.pools import QUARTERS_PER_DAY, usual_sleep


def test_usual_hours_of_sleep_are_those_in_which_people_mostly_sleep() -> None:
    source = summer_pool()
    world = source.world
    found = usual_sleep(source)
    rows = np.arange(source.days * STEPS_PER_DAY)
    shares = []
    for home, (start, end) in enumerate(found):
        minute = ((world.start_epoch_s + world.utc_offset_s[home] + 300.0 * rows) % 86_400.0) / 60.0
        night = (minute >= start) & (minute < end) if start <= end else (minute >= start) | (minute < end)
        asleep = world.presence[rows, home] == ASLEEP
        shares.append((asleep[night].mean(), asleep[~night].mean()))
    inside, outside = np.mean(shares, axis=0)
    assert inside > 0.7
    assert outside < 0.1
    assert (found % (1440 // QUARTERS_PER_DAY) == 0).all()
