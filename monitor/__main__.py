"""Where the program starts: ``outputwatch`` and ``python -m monitor``."""

import sys
from collections.abc import Sequence

from monitor.install_check import installation_problem

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status; 1 if foreign code would be run."""
    problem = installation_problem()
    if problem is not None:
        sys.stderr.write(f"outputwatch: {problem}\n")
        return 1
    # Only now: what this imports may come from the packages that were just checked.
    from monitor.cli import run_command_line

    return run_command_line(arguments)


if __name__ == "__main__":
    sys.exit(main())
