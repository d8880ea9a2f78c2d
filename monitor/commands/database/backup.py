"""``outputwatch database backup``: a checked copy, while others go on writing."""

import argparse
from pathlib import Path

from monitor.commands.database import add_place, place
from monitor.printing import write_json, write_line

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "backup"
HELP = "copy the database to a new file, while others may write, and check the copy"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the database and the new file."""
    add_place(parser)
    parser.add_argument("path", metavar="PATH", type=Path, help="the new file")


def run(arguments: argparse.Namespace) -> int:
    """Write the backup."""
    from monitor.engine.progress import terminal_progress
    from monitor.storage.backup import back_up

    url, _ = place(arguments)
    with terminal_progress() as progress:
        n_told = 0

        def told(n_done: int, n_all: int) -> None:
            nonlocal n_told
            if n_told == 0:
                progress.start("copying pages", n_all)
            progress.advance(n_done - n_told)
            n_told = n_done

        backup = back_up(url, arguments.path, told=told)
    if arguments.json:
        write_json({"path": str(backup.path), "kind": backup.kind, "bytes": backup.n_bytes})
        return 0
    write_line(f"{backup.path}: {backup.n_bytes} bytes, checked")
    return 0
