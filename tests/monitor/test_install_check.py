import os
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.install_check import installation_problem

ROOT = Path(__file__).parents[2]
STARTS = {
    "module": ["-m", "monitor"],
    "console script": ["-c", "import sys; from monitor.__main__ import main; sys.exit(main())"],
}


def foreign_distribution(folder: Path, package: str, code: str) -> None:
    """Lay out a distribution called othertool that owns `package`, as an installer would."""
    (folder / package).mkdir(parents=True)
    (folder / package / "__init__.py").write_text(code)
    metadata = folder / "othertool-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: othertool\nVersion: 1.0\n")
    (metadata / "top_level.txt").write_text(f"{package}\n")


def start(folder: Path, how: str) -> "subprocess.CompletedProcess[str]":
    # The working directory precedes PYTHONPATH for -m and -c, so the run happens elsewhere.
    environment = os.environ | {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}
    return subprocess.run(
        [sys.executable, *STARTS[how], "--version"],
        env=environment,
        cwd=folder.parent,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("how", STARTS)
@pytest.mark.parametrize("package", ["detectors", "baselines"])
def test_a_foreign_package_is_named_and_nothing_runs(tmp_path, package, how) -> None:
    foreign_distribution(tmp_path / "site", package, "registry = None\n")

    finished = start(tmp_path / "site", how)

    assert finished.returncode == 1
    assert finished.stdout == ""
    assert finished.stderr == (
        f"outputwatch: the import package '{package}' belongs to othertool; install outputwatch "
        "in an environment of its own, for example with python -m venv\n"
    )


def test_a_foreign_package_that_cannot_even_be_imported_is_named(tmp_path) -> None:
    foreign_distribution(tmp_path / "site", "baselines", "import mpi_that_nobody_has\n")

    finished = start(tmp_path / "site", "module")

    assert finished.returncode == 1
    assert "'baselines' belongs to othertool" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_our_own_packages_pass() -> None:
    assert installation_problem() is None
