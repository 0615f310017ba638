"""The OpenAPI document: valid, complete, stable in what clients are generated from."""

import contextlib
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from openapi_spec_validator import validate
from schemathesis import GenerationMode
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import positive_data_acceptance
from sqlalchemy import Engine
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from core.words import Scope
from storage.tables import SettingRow
from tests.api.conftest import World

OPERATIONS = {
    "setUp": "post /api/v1/setup",
    "logIn": "post /api/v1/login",
    "logOut": "post /api/v1/logout",
    "getMe": "get /api/v1/me",
    "listHomes": "get /api/v1/homes",
    "getSummary": "get /api/v1/homes/{home_id}/summary",
    "listDevices": "get /api/v1/homes/{home_id}/devices",
    "getUsage": "get /api/v1/homes/{home_id}/usage",
    "setTariff": "put /api/v1/homes/{home_id}/tariff",
    "listAdvice": "get /api/v1/homes/{home_id}/advice",
    "streamEvents": "get /api/v1/homes/{home_id}/events",
    "getRoom": "get /api/v1/rooms/{room_id}",
    "listDecisions": "get /api/v1/rooms/{room_id}/decisions",
    "setOverride": "put /api/v1/rooms/{room_id}/override",
    "endOverride": "delete /api/v1/rooms/{room_id}/override",
    "getComfort": "get /api/v1/rooms/{room_id}/comfort",
    "setComfort": "put /api/v1/rooms/{room_id}/comfort",
    "setControl": "put /api/v1/rooms/{room_id}/control",
    "listTrialDays": "get /api/v1/rooms/{room_id}/trial-days",
    "setRoomObjective": "put /api/v1/rooms/{room_id}/objective",
    "setHomeObjective": "put /api/v1/homes/{home_id}/objective",
    "getKillSwitch": "get /api/v1/homes/{home_id}/kill-switch",
    "setKillSwitch": "put /api/v1/homes/{home_id}/kill-switch",
    "getFleetKillSwitch": "get /api/v1/fleet/kill-switch",
    "setFleetKillSwitch": "put /api/v1/fleet/kill-switch",
    "setDevice": "put /api/v1/devices/{device_id}",
    "listProposals": "get /api/v1/homes/{home_id}/proposals",
    "getAllowance": "get /api/v1/devices/{device_id}/allowance",
    "setAllowance": "put /api/v1/devices/{device_id}/allowance",
    "sendCommand": "post /api/v1/devices/{device_id}/commands",
    "getCommand": "get /api/v1/commands/{command_id}",
    "listFleetDevices": "get /api/v1/fleet/devices",
    "listQuarantine": "get /api/v1/fleet/quarantine",
    "getHealth": "get /healthz",
    "getReadiness": "get /readyz",
    "getMetrics": "get /metrics",
}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """What `python -m api.openapi` prints, without a database and without settings."""
    printed = subprocess.run([sys.executable, "-m", "api.openapi"], capture_output=True, check=True, timeout=60)
    found: dict[str, Any] = json.loads(printed.stdout)
    return found


def test_the_document_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    validate(document)


def test_operations_keep_their_names(document: dict[str, Any]) -> None:
    found = {
        operation["operationId"]: f"{method} {path}"
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    assert found == OPERATIONS


def test_every_operation_says_what_it_answers_and_how_it_fails(document: dict[str, Any]) -> None:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            where = f"{method} {path}"
            assert operation.get("summary") or operation.get("description"), where
            good = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
            assert good, where
            if path.startswith("/api/"):
                for status in ("401", "422"):
                    content = operation["responses"][status]["content"]
                    assert list(content) == ["application/problem+json"], where


def test_what_other_programs_rely_on_is_in_the_schemas(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert set(schemas["UsageItem"]["required"]) >= {
        "start",
        "end",
        "key",
        "energy_kwh",
        "cost",
        "currency",
        "co2_kg",
        "coverage",
        "source",
    }
    assert {"id", "name"} <= set(schemas["Room"]["required"])
    assert {"command", "reason"} <= set(schemas["Decision"]["required"])
    assert {"id", "state"} <= set(schemas["CommandSummary"]["required"])
    for page in (
        "HomePage",
        "DevicePage",
        "DecisionPage",
        "UsagePage",
        "AdvicePage",
        "QuarantinePage",
        "TrialDayPage",
        "ProposalPage",
    ):
        assert {"items", "next"} <= set(schemas[page]["properties"])
    assert set(document["components"]["securitySchemes"]) == {"bearer", "session"}


def test_what_is_not_ready_says_why_as_documented(document: dict[str, Any], client: TestClient) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 503
    content = document["paths"]["/readyz"]["get"]["responses"]["503"]["content"]
    assert content == {answer.headers["content-type"]: {"schema": {"$ref": "#/components/schemas/Readiness"}}}


def test_whatever_is_sent_the_api_answers_as_documented(app: FastAPI, world: World, sqlite_database: Engine) -> None:
    """Random valid and invalid requests to every operation, as who may do everything in the home."""
    with Session(sqlite_database) as session, session.begin():
        for part in ("intake", "engine"):  # they live for longer than this takes
            alive = {"at": (datetime.now(UTC) + timedelta(hours=1)).isoformat()}
            session.add(SettingRow(key=f"heartbeat.{part}", value=alive))
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", app)
    schema.config.generation.update(with_security_parameters=False)
    known = {"home_id": "demo", "room_id": world.living_room, "device_id": world.air_conditioner}
    tried = set()
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        name = operation.definition.raw["operationId"]
        if name in ("streamEvents", "logIn", "setUp"):  # endless, and limited by the number of tries
            continue
        tried.add(name)
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

            @given(case=operation.as_strategy(generation_mode=mode))
            @settings(
                max_examples=10, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck), database=None
            )
            def send(case: schemathesis.Case[Any]) -> None:
                for parameter, value in list((case.path_parameters or {}).items()):
                    if parameter == "home_id" or (str(value).isdecimal() and int(value) > 0):  # a valid one
                        case.path_parameters[parameter] = known.get(parameter, value)
                # a schema cannot say that an end lies behind its start, or that a cursor is one of ours
                case.call_and_validate(headers=world.headers(Scope.ADMIN), excluded_checks=[positive_data_acceptance])

            with contextlib.suppress(Unsatisfiable):
                send()
    assert len(tried) == len(OPERATIONS) - 3
