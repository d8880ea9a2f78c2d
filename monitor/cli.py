"""The command line: parses arguments, runs a verb, turns errors into messages and statuses."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from monitor import __version__
from monitor.errors import OutputwatchError
from monitor.verbs import add_verbs

__all__ = ["command_parser", "run_command_line"]

_FAILED = 1
_INTERRUPTED = 130
_BROKEN_PIPE = 141
_EPILOG = (
    "exit status: 0 fine, 1 failed, 2 wrong usage, 3 finished and incidents were opened; "
    "results go to standard output, talk to standard error"
)


def command_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="outputwatch",
        description="Watches what AI systems put out and opens incidents.",
        epilog=_EPILOG,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"outputwatch {__version__}")
    add_verbs(parser, "monitor.commands")
    return parser


def run_command_line(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status.

    Parameters
    ----------
    arguments
        Without the program's name; None: those of the process.
    """
    try:
        parsed = command_parser().parse_args(arguments)
    except SystemExit as stop:
        return int(stop.code or 0)
    run: Callable[[argparse.Namespace], int] = parsed.run
    try:
        status = run(parsed)
        sys.stdout.flush()
    except OutputwatchError as error:
        sys.stderr.write(f"{error}\n")
        return _FAILED
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return _INTERRUPTED
    except BrokenPipeError:
        _silence_output()
        return _BROKEN_PIPE
    except OSError as error:
        # The last line of defence: a folder without permission, a full disk, a mount that is gone.
        sys.stderr.write(f"{_system_problem(error)}\n")
        return _FAILED
    return status


def _system_problem(error: OSError) -> str:
    """Return what the system refused, and of which file if it tells."""
    reason = error.strerror or str(error)
    place = "a file" if error.filename is None else repr(str(error.filename))
    return f"{place} cannot be read or written: {reason}; check the path, permissions and space"


def _silence_output() -> None:
    """Point standard output at nothing, so that the flush at exit does not fail again."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, sys.stdout.fileno())
    os.close(nothing)
