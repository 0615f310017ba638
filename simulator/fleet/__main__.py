"""``python -m simulator.fleet demo-home``: the demo home as a process of its own, which speaks over the broker only."""

import argparse
import os
import signal
import sys
import threading
from datetime import datetime
from pathlib import Path

from core.clock import Clock
from core.errors import ConfigurationError
from core.logging import configure_logging, get_logger
from core.mqtt import find_broker
from core.settings import Settings
from simulator.faults import Fault
from simulator.fleet import history
from simulator.fleet.home import DemoFleet, demo_fleet, read_state, state_file
from simulator.fleet.live import LiveHome
from simulator.fleet.manifest import start_instant
from simulator.household import check_faults

log = get_logger("simulator.fleet")

BROKER_USER = "demo-home"
CONFIGURATION_STATUS = 2


def main(words: list[str] | None = None) -> int:
    """Run a command line; the exit status."""
    options = parser().parse_args(words)
    settings = Settings() if options.data_dir is None else Settings(data_dir=options.data_dir)
    configure_logging(json_lines=settings.json_logs)
    try:
        _check(options.fault)
        if options.history_days is not None:
            return _write_history(options, settings.data_dir)
        return _live(options, settings)
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return CONFIGURATION_STATUS


def parser() -> argparse.ArgumentParser:
    """What the command line knows."""
    words = argparse.ArgumentParser(prog="python -m simulator.fleet", description=__doc__)
    words.add_argument("home", choices=["demo-home"])
    words.add_argument("--seed", type=int, default=0, help="decides people, weather and chance")
    words.add_argument(
        "--clock", type=Clock.from_text, help="EPOCH|FACTOR|ANCHOR; else 16:00 of a July day, in real time"
    )
    words.add_argument("--data-dir", type=Path, help="where the broker's address and the home's state lie")
    words.add_argument(
        "--history-days", type=float, help="write that many days of messages to standard output, and end"
    )
    words.add_argument("--until", type=_instant, help="end of the history, ISO 8601 with its zone")
    words.add_argument(
        "--fault",
        action="append",
        default=[],
        type=_fault,
        metavar="THING=NAME:SEVERITY",
        help="of an air conditioner, the fridge or a meter, like fridge=door_ajar:0.5 or tv=freezes:1; may be repeated",
    )
    return words


def _fault(text: str) -> Fault:
    try:
        return Fault.from_text(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _check(faults: list[Fault]) -> None:
    try:
        check_faults(faults)
    except ValueError as error:
        raise ConfigurationError(str(error)) from error


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise argparse.ArgumentTypeError(f"expected an instant with its zone, got {text}")
    return instant


def _write_history(options: argparse.Namespace, data_dir: Path) -> int:
    until = options.until or start_instant(options.seed)
    try:
        history.write(
            sys.stdout.buffer,
            seed=options.seed,
            until=until,
            days=options.history_days,
            data_dir=data_dir,
            faults=options.fault,
        )
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader left; the exit flushes once more
        return 1
    return 0


def _live(options: argparse.Namespace, settings: Settings) -> int:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    clock = options.clock or Clock.starting_at(start_instant(options.seed), 1.0)
    broker = find_broker(settings, BROKER_USER)
    path = state_file(settings.data_dir)
    LiveHome(_home(path, options.seed, clock, options.fault), broker, clock, path).run(stop)
    return 0


def _home(path: Path, seed: int, clock: Clock, faults: list[Fault]) -> DemoFleet:
    """The home as it was left, or a new one that has been lived in for some days."""
    try:
        fleet = read_state(path, seed, faults)
    except ValueError as error:
        raise ConfigurationError(f"{path}: {error}. Remove the file to start the demo home anew.") from error
    return fleet if fleet is not None else demo_fleet(seed, clock.now(), faults=faults)


if __name__ == "__main__":
    sys.exit(main())
