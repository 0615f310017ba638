"""Decisions of many rooms into the database: with their commands, and with what the rooms remember of their units."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from control.deciding import Decision, Question, kept
from control.guard import WishSource
from control.minds import values_of_unit
from storage.repositories.commands import CommandRepository
from storage.repositories.decisions import DecisionRepository
from storage.repositories.kept import put_many
from storage.repositories.kill_switches import cancel_engine_commands


def record(session: Session, decided: Sequence[tuple[Question, Decision]], now: datetime, expires_at: datetime) -> None:
    """Queue the commands of decisions and keep the decisions; the caller commits.

    Parameters
    ----------
    expires_at : datetime
        Until when a command may be sent.
    """
    released = [one.mind.layout.unit.id for one, decision in decided if decision.source == WishSource.RELEASE]
    if released:
        cancel_engine_commands(session, now, device_ids=released)
    commands = [
        (one.mind.layout.home.id, one.mind.layout.unit.id, command)
        for one, decision in decided
        if (command := decision.action.command()) is not None
    ]
    ids = CommandRepository(session).queue_of_engine(commands, now, expires_at)
    by_unit = {unit_id: command_id for (_, unit_id, _), command_id in zip(commands, ids, strict=True)}
    DecisionRepository(session).add(
        [kept(decision, one.mind, one.view, by_unit.get(one.mind.layout.unit.id)) for one, decision in decided]
    )
    values = []
    for one, decision in decided:
        if decision.source == WishSource.RELEASE:
            one.mind.unit.steered = False
        elif one.mind.layout.unit.id in by_unit and decision.source != WishSource.OVERRIDE:
            one.mind.unit.steered = True
        values += values_of_unit(one.mind)
    put_many(session, values, now)
