"""The demo home's past: what its devices would have said, as a stream of records for the intake.

A record is four bytes of length, most significant first, and a MessagePack array
``[received_at_us, topic, payload, retained]``. Devices of one minute follow each other by some milliseconds.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import msgspec

from core.units import from_epoch_us
from simulator.faults import Fault
from simulator.fleet.home import DemoFleet, demo_fleet, state_file, write_state

LENGTH_BYTES = 4
SPACING_US = 7000  # between two messages of one minute
LONGEST_RECORD = 1 << 24

Record = tuple[datetime, str, bytes, bool]


def write(
    stream: BinaryIO,
    *,
    seed: int,
    until: datetime,
    days: float,
    data_dir: Path | None = None,
    faults: Sequence[Fault] = (),
) -> DemoFleet:
    """Live ``days`` until ``until`` on the conventional program and write what the devices say.

    Parameters
    ----------
    data_dir : Path, optional
        Where to leave the household's end state, from which the live process continues.
    """
    fleet = demo_fleet(seed, until - timedelta(days=days), talkative=False, faults=faults)
    household, encode = fleet.household, msgspec.msgpack.Encoder().encode
    messages = fleet.announce()
    end_s = until.timestamp()
    while True:
        received_at_us = household.at_s * 1_000_000
        for message in messages:
            received_at_us += SPACING_US
            record = encode((received_at_us, message.topic, message.payload, False))
            stream.write(len(record).to_bytes(LENGTH_BYTES, "big") + record)
        if household.at_s + 60 > end_s:
            break
        messages = fleet.step()
    stream.flush()
    if data_dir is not None:
        write_state(state_file(data_dir), fleet)
    return fleet


def read(stream: BinaryIO) -> Iterator[Record]:
    """Records of a stream: receipt time, topic, payload, retained.

    Raises
    ------
    ValueError
        The stream ends within a record, or holds something else.
    """
    decode = msgspec.msgpack.Decoder(tuple[int, str, bytes, bool]).decode
    while head := stream.read(LENGTH_BYTES):
        length = int.from_bytes(head, "big")
        if len(head) < LENGTH_BYTES or length > LONGEST_RECORD:
            raise ValueError(f"expected a record of the demo home's history, got {head!r}")
        body = stream.read(length)
        if len(body) < length:
            raise ValueError(f"the history ends within a record: {len(body)} of {length} bytes")
        try:
            received_at_us, topic, payload, retained = decode(body)
        except msgspec.MsgspecError as error:
            raise ValueError(f"expected a record of the demo home's history: {error}") from error
        yield from_epoch_us(received_at_us), topic, payload, retained
