"""Find and join the broker: the one place that knows addresses, credentials and paho's options."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from core.errors import ConfigurationError
from core.settings import Settings

KEEP_ALIVE_S = 30


@dataclass(frozen=True, slots=True)
class Broker:
    """Where an MQTT broker is and as whom to join it."""

    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False

    @classmethod
    def from_url(cls, url: str) -> "Broker":
        """The broker of ``mqtt[s]://[user:password@]host[:port]``.

        Raises
        ------
        ConfigurationError
            The text is not such a URL; its password is never repeated.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise ConfigurationError(f"LINGYUN_MQTT_URL: {error}") from error
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise ConfigurationError("LINGYUN_MQTT_URL: expected mqtt://[user:password@]host[:port] or mqtts://...")
        tls = parts.scheme == "mqtts"
        return cls(
            parts.hostname,
            port or (8883 if tls else 1883),
            unquote(parts.username) if parts.username else None,
            unquote(parts.password) if parts.password else None,
            tls,
        )


def broker_file(data_dir: Path) -> Path:
    """Where ``lingyun serve`` leaves the embedded broker's address and passwords, readable by its owner alone."""
    return data_dir / "broker" / "broker.json"


def find_broker(settings: Settings, user: str) -> Broker:
    """The broker in force: ``LINGYUN_MQTT_URL``, or the one that runs in ``data_dir``.

    Parameters
    ----------
    user : str
        User of the embedded broker: ``service`` (intake, engine, replay) or ``demo-home``.

    Raises
    ------
    ConfigurationError
        There is neither.
    """
    if settings.mqtt_url is not None:
        return Broker.from_url(settings.mqtt_url.get_secret_value())
    path = broker_file(settings.data_dir)
    try:
        known = json.loads(path.read_text())
        return Broker(known["host"], known["port"], user, known["passwords"][user])
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"no broker: {path} does not exist. Start `lingyun serve` with this --data-dir, or set LINGYUN_MQTT_URL."
        ) from error


def new_client(broker: Broker, client_id: str, *, persistent: bool = False, manual_ack: bool = False) -> mqtt.Client:
    """A paho client for MQTT 3.1.1 (what every broker speaks) that is not connected yet.

    A persistent session keeps QoS 1 messages while its client is away; with ``manual_ack`` the caller acknowledges.
    """
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        clean_session=not persistent,
        protocol=mqtt.MQTTv311,
        manual_ack=manual_ack,
    )
    if broker.username is not None:
        client.username_pw_set(broker.username, broker.password)
    if broker.tls:
        client.tls_set()
    client.reconnect_delay_set(min_delay=1, max_delay=30)
    return client
