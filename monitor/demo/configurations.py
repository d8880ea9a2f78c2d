"""The demo's two configurations, put beside the events they are about."""

from importlib.resources import files
from pathlib import Path

from monitor.demo.scenario import SYSTEMS

__all__ = ["write_configurations"]


def write_configurations(directory: Path) -> dict[str, Path]:
    """Write ``<directory>/<system>.yaml`` for both systems and return the paths by system."""
    directory.mkdir(parents=True, exist_ok=True)
    written: dict[str, Path] = {}
    for system in SYSTEMS:
        text = files("monitor.demo").joinpath(f"{system}.yaml").read_text("utf-8")
        written[system] = directory / f"{system}.yaml"
        written[system].write_text(text, "utf-8")
    return written
