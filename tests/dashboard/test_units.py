"""The page's own checks: its types against the API's document, and its unit tests."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import require

ROOT = Path(__file__).parents[2]
DASHBOARD = ROOT / "dashboard"
LIMIT_S = 180


@pytest.mark.parametrize("script", ["check", "test"])
def test_page_passes_its_own(script: str) -> None:
    path = f"{ROOT / '.node' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    npm = shutil.which("npm", path=path)
    require(npm and (DASHBOARD / "node_modules" / ".stamp").is_file(), "the page is not built: make page")
    done = subprocess.run(
        [str(npm), "run", "--silent", script],
        cwd=DASHBOARD,
        env=os.environ | {"PATH": path, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]


def test_the_lock_file_names_no_registry() -> None:
    assert '"resolved"' not in (DASHBOARD / "package-lock.json").read_text()
