"""Ask the serving path with a program of the operator's own."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import annotated_types as at

from monitor.rollbacks.adapter import serving_probe
from monitor.rollbacks.errors import UnreadableError
from monitor.rollbacks.processes import check_program, run_program
from monitor.rollbacks.values import check_absolute, read_secret

__all__ = ["CommandProbe"]


@serving_probe
@dataclass(frozen=True, slots=True, kw_only=True)
class CommandProbe:
    """Runs a program that prints, on one line, which release answers.

    Parameters
    ----------
    program
        The absolute path of a program that nobody but its owner may write.
    arguments
        Its arguments.
    secret_files
        Files with secrets that the program reads; they are replaced in what it prints.
    timeout_seconds
        How long one run may take.
    """

    name: ClassVar[str] = "command"
    program: str
    arguments: tuple[str, ...] = ()
    secret_files: tuple[str, ...] = ()
    timeout_seconds: Annotated[float, at.Gt(0), at.Le(60)] = 10.0

    def __post_init__(self) -> None:
        """Refuse paths that are not absolute.

        Raises
        ------
        ValueError
            If one is not.
        """
        check_absolute(self.program, "program")
        for path in self.secret_files:
            check_absolute(path, "secret_files")

    def read(self) -> str:
        """Return the first line that the program prints."""
        check_program(self.program)
        finished = run_program(
            [self.program, *self.arguments],
            timeout_seconds=self.timeout_seconds,
            secrets=[read_secret(path) for path in self.secret_files],
        )
        if finished.status != 0 or finished.timed_out or not finished.first_line:
            message = f"{self.program!r} must print what is served; {finished.in_words()}"
            raise UnreadableError(message)
        return finished.first_line
