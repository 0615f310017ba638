"""How fast a recorded household is taken in, and what it costs: the figures of docs/replay.md.

    python -m benchmarks.replay_speed RECORDING.csv.gz --map lingyun/maps/tracebase.toml

It starts `lingyun serve` on an empty folder (its own nats-server, SQLite), replays at `--speed max`, and prints one
JSON object.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

START_TIMEOUT_S = 60.0
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def main() -> int:
    """Measure once; the exit status is replay's."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--map", type=Path, required=True)
    arguments = parser.parse_args()
    lingyun = str(Path(sys.executable).parent / "lingyun")
    with tempfile.TemporaryDirectory() as folder:
        command = [lingyun, "serve", "--data-dir", folder, "--port", "0"]
        environment = {**os.environ, "LINGYUN_MQTT_PORT": "0"}
        with (Path(folder) / "serve.log").open("wb") as log:
            serve = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            wait_until_up(serve, Path(folder) / "serve.log")
            before_s, started_s = cpu_s(serve.pid), time.monotonic()
            ran = subprocess.run(
                [
                    *(lingyun, "replay", str(arguments.file), "--map", str(arguments.map)),
                    *("--home", "recorded", "--speed", "max", "--data-dir", folder),
                ],
                stdout=subprocess.PIPE,
                text=True,
                check=False,
            )
            wall_s = time.monotonic() - started_s
            print(ran.stdout, file=sys.stderr)
            readings = (
                int(re.findall(r"([\d,]+) readings of", ran.stdout)[-1].replace(",", "")) if ran.returncode == 0 else 0
            )
            serve_s, resident_mb = cpu_s(serve.pid) - before_s, peak_resident_mb(serve.pid)
        finally:
            serve.terminate()
            serve.wait(timeout=60)
    figures = {
        "readings": readings,
        "wall_s": round(wall_s, 1),
        "readings_per_s": round(readings / wall_s),
        "serve_cpu_us_per_reading": round(1e6 * serve_s / max(readings, 1), 1),
        "serve_peak_resident_mb": round(resident_mb),
    }
    print(json.dumps(figures))
    return ran.returncode


def wait_until_up(serve: "subprocess.Popen[bytes]", log: Path) -> None:
    """Return once `serve` says where it is.

    Raises
    ------
    RuntimeError
        It ended, or did not say so in time.
    """
    end = time.monotonic() + START_TIMEOUT_S
    while "Lingyun is at" not in log.read_text():
        if serve.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"`lingyun serve` did not start:\n{log.read_text()[-2000:]}")
        time.sleep(0.1)


def cpu_s(pid: int) -> float:
    """User and system time of one process so far. [s]"""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def peak_resident_mb(pid: int) -> float:
    """Highest resident memory of one process so far. [MB]"""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) * 1024 / 1e6


if __name__ == "__main__":
    sys.exit(main())
