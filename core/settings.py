"""Settings from the environment (``LINGYUN_*``), read once at the entry point and handed down."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What a person can set without touching code; every name is ``LINGYUN_`` and the field in capitals."""

    model_config = SettingsConfigDict(env_prefix="LINGYUN_", extra="forbid")

    data_dir: Path = Field(default=Path("data"), description="Everything that one installation keeps.")
    mqtt_url: SecretStr | None = Field(
        default=None,
        description="mqtt[s]://[user:password@]host[:port] of a broker to use instead of the embedded one.",
    )
    mqtt_port: int = Field(default=1883, ge=0, le=65535, description="Port of the embedded broker; 0 takes a free one.")
    mqtt_filters: tuple[str, ...] = Field(default=("#",), description="Topic filters that the intake subscribes to.")
    database_url: SecretStr | None = Field(
        default=None, description="SQLAlchemy URL; the default is SQLite in data_dir."
    )
    data: Path | None = Field(
        default=None, description="Where recorded data lie, for validation, benchmarks and tests."
    )
    home: str = Field(default="home", description="Home that devices of this broker belong to.")
    time_zone: str | None = Field(
        default=None, description="IANA zone of a home that is made at the first start; the default is this machine's."
    )
    clock: str | None = Field(
        default=None, description="A clock to share with other processes; set by `lingyun serve`."
    )
    host: str = Field(default="127.0.0.1", description="Address that the page and the API listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port of the page and the API.")
    json_logs: bool = Field(default=False, description="Write log lines as JSON.")
    control_period_s: float = Field(default=900.0, gt=0, description="Time between two decisions of a room.")
    prediction_period_s: float = Field(default=300.0, gt=0, description="Time between two steps of the room predictor.")
    override_hold_s: float = Field(
        default=7200.0, gt=0, description="How long a manual change holds where none is said."
    )
    raw_report_days: int = Field(
        default=400, ge=1, description="Days that single reports are kept; the ledger is kept."
    )

    def database(self) -> str:
        """The SQLAlchemy URL in force."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{(self.data_dir / 'lingyun.db').absolute()}"
