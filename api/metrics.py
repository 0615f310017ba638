"""What this process counts, and what the database counts, as Prometheus reads it."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from storage.database import read_only
from storage.repositories import fleet

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
LATENCY_BUCKETS_S = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)
KNOWN_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"})


class Metrics:
    """One registry an application."""

    def __init__(self, database: Engine) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "lingyun_http_requests_total", "HTTP requests.", ("method", "route", "status"), registry=self._registry
        )
        self._latency = Histogram(
            "lingyun_http_request_seconds",
            "Time until an HTTP answer was sent whole.",
            ("route",),
            buckets=LATENCY_BUCKETS_S,
            registry=self._registry,
        )
        self._registry.register(DatabaseCounts(database))

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request; status 0 is a client that went away."""
        word = method if method in KNOWN_METHODS else "other"
        self._requests.labels(word, route, str(status)).inc()
        self._latency.labels(route).observe(seconds)

    def text(self) -> bytes:
        """All of it, in Prometheus's text format."""
        return generate_latest(self._registry)


class DatabaseCounts(Collector):
    """Messages, commands and devices, counted at the time of asking."""

    def __init__(self, database: Engine) -> None:
        self._database = read_only(database)

    def describe(self) -> Iterable[Metric]:
        """Nothing: the database is not asked before somebody reads."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """The counts now."""
        with Session(self._database) as session:
            counts, commands = fleet.counters(session), fleet.commands_by_state(session)
            devices, online = fleet.device_counts(session)
        for name, value in sorted(counts.items()):
            yield CounterMetricFamily(f"lingyun_{name}_total", f"{name.replace('_', ' ')}, ever.", value)
        family = GaugeMetricFamily("lingyun_commands", "Commands kept, by state.", labels=("state",))
        for state, count in sorted(commands.items()):
            family.add_metric((state,), count)
        yield family
        yield GaugeMetricFamily("lingyun_devices", "Devices known.", devices)
        yield GaugeMetricFamily("lingyun_devices_online", "Devices not known to be offline.", online)
