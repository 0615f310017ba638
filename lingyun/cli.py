"""The command line. Names are stable; ``--json`` prints one JSON object on standard output."""

import json
import sys
from collections.abc import Callable
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, ParamSpec

import typer

from core.errors import AppError, ConfigurationError
from core.logging import configure_logging
from core.settings import Settings
from core.words import Scope

app = typer.Typer(
    name="lingyun",
    help="Lingyun, the smart-home energy engine.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # a traceback must not print passwords
    rich_markup_mode=None,
)
train_app = typer.Typer(help="Train the learned models (extra `train`).", no_args_is_help=True)
token_app = typer.Typer(help="Tokens for programs.", no_args_is_help=True)
devices_app = typer.Typer(help="What devices say.", no_args_is_help=True)
load_app = typer.Typer(help="Load on this machine.", no_args_is_help=True)
app.add_typer(train_app, name="train")
app.add_typer(token_app, name="token")
app.add_typer(devices_app, name="devices")
app.add_typer(load_app, name="load")

DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Everything that one installation keeps.")]
DataOption = Annotated[
    Path | None,
    typer.Option("--data", envvar="LINGYUN_DATA", exists=True, file_okay=False, help="Folder of recorded data."),
]
P = ParamSpec("P")


class Part(StrEnum):
    """Parts that run alone."""

    INTAKE = "intake"
    ENGINE = "engine"
    API = "api"


def plain_errors(function: Callable[P, int | None]) -> Callable[P, None]:
    """End with the status that the command returns; print a foreseen error as one line, not as a traceback."""

    @wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            status = function(*args, **kwargs)
        except (ConfigurationError, AppError) as error:
            print(f"lingyun: {error}", file=sys.stderr)
            raise typer.Exit(2) from error
        raise typer.Exit(status or 0)

    return wrapped


def read_settings(data_dir: Path | None = None, **overrides: Any) -> Settings:
    """Settings from the environment, with what the command line says on top; logging starts here.

    Raises
    ------
    ConfigurationError
        A variable does not fit; the message names it.
    """
    from pydantic import ValidationError

    given = {name: value for name, value in overrides.items() if value is not None}
    if data_dir is not None:
        given["data_dir"] = data_dir
    try:
        settings = Settings(**given)
    except ValidationError as error:
        problems = "; ".join(f"LINGYUN_{str(item['loc'][0]).upper()}: {item['msg']}" for item in error.errors())
        raise ConfigurationError(problems) from None
    configure_logging(json_lines=settings.json_logs)
    return settings


@app.command()
@plain_errors
def serve(
    demo: Annotated[bool, typer.Option("--demo", help="A simulated home with thirty days of history.")] = False,
    speed: Annotated[float, typer.Option(min=0.1, max=600, help="How fast the demo's clock runs.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Which demo home.")] = 1,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Of page and API; 0 takes a free one.")] = None,
    data_dir: DataDir = None,
    lan: Annotated[bool, typer.Option("--lan", help="Open page and broker to the home network.")] = False,
) -> int:
    """Run everything on this machine: broker, intake, engine, API and page.

    Example: lingyun serve --demo --speed 60
    """
    from lingyun.serve import serve as run

    if lan:
        raise ConfigurationError("--lan is not built yet: it will open the broker with a password per device, and TLS")
    if speed != 1.0 and not demo:
        raise ConfigurationError("--speed is for --demo: a household's clock is the wall's")
    settings = read_settings(data_dir, port=port)
    return run(settings, demo=demo, speed=speed, seed=seed)


@app.command()
@plain_errors
def intake(data_dir: DataDir = None) -> int:
    """Run the intake alone: from the broker into the database.

    Example: LINGYUN_MQTT_URL=mqtt://127.0.0.1 lingyun intake
    """
    from lingyun.serve import run_part

    return run_part(Part.INTAKE, read_settings(data_dir))


@app.command()
@plain_errors
def engine(data_dir: DataDir = None) -> int:
    """Run the engine alone: decisions and commands.

    Example: LINGYUN_DATABASE_URL=postgresql://... lingyun engine
    """
    from lingyun.serve import run_part

    return run_part(Part.ENGINE, read_settings(data_dir))


@app.command()
@plain_errors
def api(
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="0 takes a free one.")] = None,
    data_dir: DataDir = None,
) -> int:
    """Run the API and the page alone.

    Example: lingyun api --port 8000
    """
    from lingyun.serve import run_part

    return run_part(Part.API, read_settings(data_dir, port=port))


@app.command()
@plain_errors
def replay(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV, may be gzipped.")],
    map_file: Annotated[Path, typer.Option("--map", exists=True, dir_okay=False, help="What the columns are.")],
    home: Annotated[str, typer.Option(help="Home to replay into; made if it is missing.")],
    speed: Annotated[str, typer.Option(help="Times the record's own pace, or `max`.")] = "max",
    data_dir: DataDir = None,
) -> int:
    """Send a recorded household through the broker, as its devices would have sent it, with the record's own times.

    Example: lingyun replay fridge_599393.csv.gz --map lingyun/maps/tracebase.toml --home recorded --speed max
    """
    from lingyun.replay import replay as run

    try:
        factor = None if speed == "max" else float(speed)
    except ValueError as error:
        raise ConfigurationError(f"--speed: expected a number or `max`, got {speed!r}") from error
    if factor is not None and not factor > 0:
        raise ConfigurationError(f"--speed: expected a number above 0 or `max`, got {speed!r}")
    return run(file, map_file, home, factor, read_settings(data_dir))


@app.command()
@plain_errors
def doctor(
    data_dir: DataDir = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> int:
    """Say in plain words what is wrong with this installation.

    Example: lingyun doctor --data-dir data
    """
    from lingyun.doctor import examine

    findings = examine(read_settings(data_dir))
    if as_json:
        print(json.dumps({"ok": all(f.ok for f in findings), "findings": [f.as_dict() for f in findings]}))
    else:
        for finding in findings:
            print(finding)
    return 0 if all(finding.ok for finding in findings) else 1


@app.command()
@plain_errors
def simulate(
    rooms: Annotated[int, typer.Option(min=1, max=100_000, help="Homes with one room and one unit each.")] = 1000,
    days: Annotated[int, typer.Option(min=1, max=366, help="Days in July and after.")] = 30,
    seed: Annotated[int, typer.Option(help="Of the homes.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Measure the simulator's speed on the plant of validation and benchmark (extra `science`).

    Example: lingyun simulate --rooms 1000 --days 30
    """
    from simulator.speed import measure
    from simulator.validation.energyplus import steps_per_cpu_s

    speed = measure(rooms, days, seed)
    reference = steps_per_cpu_s()
    found = speed.as_dict()
    found["energyplus_steps_per_cpu_s"] = None if reference is None else round(reference)
    found["ratio_to_energyplus"] = None if reference is None else round(speed.room_steps_per_cpu_s / reference, 1)
    if as_json:
        print(json.dumps(found))
        return
    print(
        f"{speed.room_steps:,} room-steps of 5 min in {speed.cpu_s:.2f} s of CPU: {speed.room_steps_per_cpu_s:,.0f}/s"
    )
    if reference is None:
        print("EnergyPlus is not installed (extra `energyplus`): no comparison")
    else:
        print(f"EnergyPlus, stepped from Python: {reference:,.0f} zone-steps/CPU-s")


@app.command()
@plain_errors
def validate(
    data: DataOption = None,
    page: Annotated[Path | None, typer.Option(help="Page whose table is remade.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> int:
    """Hold the simulator against published tables and EnergyPlus (extras `science` and `energyplus`).

    Example: lingyun validate --data data --page docs/validation.md
    """
    from dataclasses import asdict

    from simulator.validation.table import as_text, collect, rewrite

    rows = collect(data, lambda words: print(f"lingyun: {words}", file=sys.stderr))
    if page is not None:
        rewrite(page, rows)
    ok = all(row.ok for row in rows)
    if as_json:
        print(json.dumps({"ok": ok, "rows": [asdict(row) for row in rows]}))
    else:
        print("\n".join(map(as_text, rows)))
    return 0 if ok else 1


class BenchmarkSuite(StrEnum):
    """What the benchmark runs."""

    SMOKE = "smoke"
    HEADLINE = "headline"
    YEAR = "year"
    STRESS = "stress"
    FRIDGES = "fridges"
    RECORDED = "recorded"


@app.command()
@plain_errors
def benchmark(
    suite: Annotated[BenchmarkSuite, typer.Option(help="Homes, climates, days and controllers.")],
    report: Annotated[
        Path | None, typer.Option(file_okay=False, help="Folder for JSON, a Markdown table and a page.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of homes and weather.")] = 2,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; one for each core otherwise.")] = None,
    remake: Annotated[
        bool, typer.Option("--remake", help="Compute the committed table of mpc_true and optimum anew; hours.")
    ] = False,
    data: DataOption = None,
    recording: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="A record of your own, for `recorded`; needs --map."),
    ] = None,
    map_file: Annotated[
        Path | None, typer.Option("--map", exists=True, dir_okay=False, help="What its columns are, as for `replay`.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> int:
    """Measure what control saves and what people feel of it, on simulated homes (extra `science`).

    Ends with 1 where a check says that the results are not to be used.

    Example: lingyun benchmark --suite smoke --report runs/smoke
    """
    if suite is BenchmarkSuite.FRIDGES:
        from benchmarks.fridges import command

        return command(seed, workers, report, as_json=as_json)
    if suite is BenchmarkSuite.RECORDED:
        from benchmarks.recorded.command import command as recorded

        maps = Path(__file__).with_name("maps")
        return recorded(data, recording, map_file, maps, seed=seed, workers=workers, report=report, as_json=as_json)
    from benchmarks.savings.command import as_text, run
    from benchmarks.savings.results import as_markdown

    results = run(suite.value, seed=seed, workers=workers, report=report, remake=remake)
    print(as_text(results) if as_json else as_markdown(results), end="\n" if as_json else "")
    return 1 if results["failures"] else 0


@load_app.command("engine")
@plain_errors
def load_engine(
    rooms: Annotated[int, typer.Option(min=1, max=20_000, help="Homes with one room and one unit each.")] = 1000,
    cycles: Annotated[int, typer.Option(min=1, max=1000, help="Looks at which every room is due.")] = 8,
    seed: Annotated[int, typer.Option(help="Of the homes.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Measure how many rooms the engine looks after with one CPU second, from reports to committed decisions.

    Example: lingyun load engine --rooms 1000
    """
    from benchmarks.engine_load import measure

    found = measure(rooms, cycles, seed, lambda words: print(f"lingyun: {words}", file=sys.stderr))
    print(json.dumps(found.as_dict()) if as_json else found)


@token_app.command("create")
@plain_errors
def token_create(
    home: Annotated[str, typer.Option(help="Home that the token reaches.")],
    scope: Annotated[Scope, typer.Option(help="What it may do; each includes those before it.")],
    data_dir: DataDir = None,
) -> None:
    """Make a token for a program; it is the last word printed, and is not shown again.

    Example: lingyun token create --home demo --scope read --data-dir data
    """
    from sqlalchemy import select
    from sqlalchemy.orm import Session

    from core.errors import NotFound
    from storage.database import open_database
    from storage.repositories.tokens import create_api_token
    from storage.tables import HomeRow

    database = open_database(read_settings(data_dir).database())
    with Session(database) as session, session.begin():
        row = session.scalar(select(HomeRow).where(HomeRow.name == home))
        if row is None:
            names = ", ".join(session.scalars(select(HomeRow.name).order_by(HomeRow.name))) or "none"
            raise NotFound(f"no home is named {home!r}; there are: {names}")
        token = create_api_token(session, row, scope)
    print(f"Token of home {home} with scope {scope.value}: {token}")


@devices_app.command("explain")
@plain_errors
def devices_explain(file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)]) -> None:
    """Say what would be stored of recorded messages, and why. One JSON object a line: topic, payload.

    Example: lingyun devices explain messages.jsonl
    """
    from devices.explain import explain

    with file.open(encoding="utf-8", errors="replace") as lines:
        for line in explain(lines):
            print(line)


@train_app.command("predictor")
@plain_errors
def train_predictor(seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0) -> None:
    """Train the room predictor (LSTM) on simulated rooms and export it to models/weights.

    Example: lingyun train predictor --seed 3
    """
    from training.train_predictor import Config, main

    main(Config(seed=seed))


@train_app.command("policy")
@plain_errors
def train_policy(seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0) -> None:
    """Train the actor that corrects plans (DDPG) on simulated rooms and export it to models/weights.

    What was broken off goes on from its last checkpoint in runs/actor-SEED.

    Example: lingyun train policy --seed 3
    """
    from training.train_actor import Config, main

    main(Config(seed=seed))


if __name__ == "__main__":
    app()
