"""How long the demo home takes to write thirty days of history.

    NUMBA_DISABLE_JIT=1 python -m benchmarks.demo_history [--days 30]

Claim: 30 days of all devices at 60 s within 12 s of CPU on one core, the household's own steps within 8 s of them.
"""

import argparse
import io
import time
from datetime import timedelta

from simulator.fleet.history import read, write
from simulator.fleet.manifest import start_instant
from simulator.household import Household


def main() -> None:
    """Measure and print."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--days", type=float, default=30.0)
    words.add_argument("--seed", type=int, default=0)
    options = words.parse_args()
    until = start_instant(options.seed)

    household = Household(options.seed, until - timedelta(days=options.days))
    began_s = time.process_time()
    household.run_until(until)
    household_s = time.process_time() - began_s

    stream = io.BytesIO()
    began_s = time.process_time()
    write(stream, seed=options.seed, until=until, days=options.days)
    write_s = time.process_time() - began_s

    stream.seek(0)
    began_s = time.process_time()
    records = sum(1 for _ in read(stream))
    read_s = time.process_time() - began_s
    print(f"household alone    {options.days * 1440:10.0f} steps in {household_s:6.2f} s of CPU")
    print(f"history written    {records:10d} records in {write_s:6.2f} s of CPU, {stream.tell() / 1e6:.1f} MB")
    print(f"history read       {records:10d} records in {read_s:6.2f} s of CPU")


if __name__ == "__main__":
    main()
