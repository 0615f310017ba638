"""How soon the demo is ready and steers, and how much memory it takes.

    python -m benchmarks.demo_start

Starts ``lingyun serve --demo --speed 60`` in an empty folder, on free ports, and stops it again. Resident memory is
that of all processes but the demo home's, at the end of ``WATCH_S``.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

LIMIT_S = 300.0
WATCH_S = 60.0
PROBE_S = 0.1


def main() -> None:
    """Print one JSON object."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "lingyun.cli",
                "serve",
                "--demo",
                "--speed",
                "60",
                "--port",
                "0",
                "--data-dir",
                folder,
            ],
            env={**os.environ, "LINGYUN_MQTT_PORT": "0"},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        try:
            assert process.stdout is not None
            url = next(line.split()[-1] for line in process.stdout if "Lingyun is at " in line)
            wait(lambda: get(f"{url}/readyz"), began)
            ready_s = time.monotonic() - began
            wait(lambda: observed(url), began)
            observed_s = time.monotonic() - began
            time.sleep(max(0.0, began + WATCH_S - time.monotonic()))
            resident_mb = sum(rss for name, rss in family(process.pid) if "demo-home" not in name) / 1e6
        finally:
            process.terminate()
            process.wait(30)
    print(
        json.dumps(
            {"ready_s": round(ready_s, 1), "observed_s": round(observed_s, 1), "resident_mb": round(resident_mb)}
        )
    )


def get(url: str) -> Any:
    """JSON of an answer, None while there is none."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 our own loopback address
            return json.load(answer)
    except (urllib.error.URLError, TimeoutError):
        return None


def observed(url: str) -> bool:
    """Whether a command of some decision was observed; the demo lets this machine in without a login."""
    homes = get(f"{url}/api/v1/homes")
    rooms = (get(f"{url}/api/v1/homes/{homes['items'][0]['id']}/summary") or {}).get("rooms", []) if homes else []
    pages = [get(f"{url}/api/v1/rooms/{room['id']}/decisions") or {"items": []} for room in rooms]
    return any(d["command"] and d["command"]["state"] == "observed" for page in pages for d in page["items"])


def wait(found: Any, began: float) -> None:
    """Probe until there is something."""
    while not found():
        if time.monotonic() - began > LIMIT_S:
            raise TimeoutError(f"not within {LIMIT_S} s")
        time.sleep(PROBE_S)


def family(group: int) -> list[tuple[str, int]]:
    """Command line and resident bytes of every process of a group."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if os.getpgid(int(entry.name)) == group:
                    name = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                    pages = int((entry / "statm").read_text().split()[1])
                    found.append((name, pages * os.sysconf("SC_PAGE_SIZE")))
            except (ProcessLookupError, FileNotFoundError):
                continue
    return found


if __name__ == "__main__":
    main()
