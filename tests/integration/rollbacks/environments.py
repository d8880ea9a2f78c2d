"""Python environments of their own for the programs that tests run against, kept in the cache."""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

__all__ = ["cached_environment"]

INSTALL_SECONDS = 900


def cached_environment(package: str, version: str) -> str:
    """Return the Python of an environment with one package; the first call ever installs it.

    Several processes may call at once: one installs, the others wait. Skips the test if the
    package cannot be installed.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "outputwatch-tests"
    folder = cache / f"{package}-{version}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"{package}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # The mark is written last: a folder without it was left half done.
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            _install(folder, f"{package}=={version}")
            (folder / "complete").touch()
    return str(folder / "bin" / "python")


def _install(folder: Path, requirement: str) -> None:
    python = str(folder / "bin" / "python")
    uv = shutil.which("uv")
    if uv is not None:
        steps = [[uv, "venv", "--quiet", "--python", sys.executable, str(folder)]]
        steps += [[uv, "pip", "install", "--quiet", "--python", python, requirement]]
    else:
        steps = [[sys.executable, "-m", "venv", str(folder)]]
        steps += [[python, "-m", "pip", "install", "--quiet", requirement]]
    for step in steps:
        done = subprocess.run(
            step, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
        )
        if done.returncode != 0:
            pytest.skip(f"{requirement} cannot be installed: {done.stderr[-500:]}")
