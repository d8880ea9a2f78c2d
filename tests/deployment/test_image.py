"""The image holds what the commands need, pinned, and nothing that only reports need."""

import importlib.metadata
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LEFT_OUT = {"evidently", "pandas", "plotly", "scikit-learn"}
IMAGE = {**default_environment(), "sys_platform": "linux", "platform_system": "Linux", "extra": ""}


def requirements(path: str) -> list[Requirement]:
    lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if line.strip() and not line.startswith("#")]


PINNED = {
    canonicalize_name(each.name): each
    for each in requirements("deploy/runtime-requirements.txt")
    if each.marker is None or each.marker.evaluate({**IMAGE, "python_full_version": "3.13.0"})
}


def test_what_the_image_asks_for_is_what_the_project_needs_without_reports() -> None:
    wanted = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["postgres"]]
    kept = {line for line in wanted if Requirement(line).name not in LEFT_OUT}

    asked = {str(each) for each in requirements("deploy/runtime.in")}

    assert asked == {str(Requirement(line)) for line in kept}


def test_every_pin_is_that_of_the_constraints_and_fits_what_is_asked_for() -> None:
    constraints = {(each.name, each.specifier) for each in requirements("constraints.txt")}
    pins = {
        (each.name, each.specifier) for each in requirements("deploy/runtime-requirements.txt")
    }

    assert pins <= constraints
    for asked in requirements("deploy/runtime.in"):
        (version,) = PINNED[canonicalize_name(asked.name)].specifier
        assert asked.specifier.contains(version.version), asked


def needed(asked: Requirement) -> Iterator[Requirement]:
    """Yield what a package needs in the image, with the extras that are asked for."""
    try:
        lines = importlib.metadata.requires(asked.name) or []
    except importlib.metadata.PackageNotFoundError:
        return
    for line in lines:
        found = Requirement(line)
        for extra in ("", *asked.extras):
            if found.marker is None or found.marker.evaluate({**IMAGE, "extra": extra}):
                yield found
                break


def test_nothing_that_is_needed_is_missing_and_nothing_that_is_left_out_is_there() -> None:
    waiting, seen = requirements("deploy/runtime.in"), set()
    while waiting:
        asked = waiting.pop()
        if str(asked) not in seen:
            seen.add(str(asked))
            assert canonicalize_name(asked.name) in PINNED, asked
            waiting.extend(needed(asked))

    assert not LEFT_OUT & PINNED.keys()
    assert len(seen) > 25


def test_the_image_is_made_from_the_pins_alone() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    installs = re.findall(r"pip \S+ \S+ install (.*)", dockerfile)

    assert len(installs) == 2
    assert all("--no-deps" in line for line in installs)
    assert "--requirement runtime-requirements.txt" in installs[0]
    assert "!deploy/runtime-requirements.txt" in (ROOT / ".dockerignore").read_text("utf-8")


WITHOUT = """
import sys
for name in ("evidently", "pandas", "plotly", "sklearn"):
    sys.modules[name] = None
from monitor.cli import run_command_line
sys.exit(run_command_line(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["check", "monitor/demo/loan-scorer.yaml"], 0, "fine"),
        (["run", "--help"], 0, "until told to stop"),
        (
            ["report", "evidently", "monitor/demo/loan-scorer.yaml", "--window", "2026-09-19"],
            1,
            "this report needs evidently and pandas, which the container image leaves out",
        ),
    ],
)
def test_without_what_is_left_out_commands_work_or_say_what_they_need_in_one_sentence(
    tmp_path: Path, arguments: list[str], status: int, says: str
) -> None:
    if arguments[0] == "report":
        arguments = [*arguments, "--output", str(tmp_path / "page.html")]

    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, *arguments], cwd=ROOT, capture_output=True, text=True
    )

    assert done.returncode == status, done.stderr
    assert says in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
