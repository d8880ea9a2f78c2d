"""A program of the operator's own, for planes that nothing else here can switch."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import annotated_types as at

from monitor.rollbacks.adapter import Applied, Diff, Observed, rollback_adapter
from monitor.rollbacks.errors import (
    MovedError,
    OutcomeUnknownError,
    UnreadableError,
)
from monitor.rollbacks.processes import Finished, check_program, run_program
from monitor.rollbacks.values import check_absolute, check_reference, read_secret

__all__ = ["Command"]

_PLACEHOLDERS = ("{to}", "{expect}", "{key}")


@rollback_adapter
@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Runs a program to read and to switch a target, without a shell.

    It runs with no environment, no input, in a session of its own; when it ends or its time is
    up, whatever it started is ended too. Of what it writes 64 KiB are kept.

    Parameters
    ----------
    program
        The absolute path of a program that nobody but its owner may write.
    observe_arguments
        With these it prints what is in force, one word.
    apply_arguments
        With these it switches. ``{to}``, ``{expect}`` and ``{key}`` (the execution, for
        idempotency) are replaced inside an argument, which stays one argument.
    diff_arguments
        With these it prints what a switch to ``{to}`` would change, and changes nothing;
        empty: the diff is the command itself.
    secret_files
        Files with secrets that the program reads; they are replaced in what it prints.
    moved_status
        The exit status by which it says that ``{expect}`` is not in force any more, and that
        it did nothing. Any other than 0 means that the outcome is unknown.
    timeout_seconds
        How long one run may take.
    """

    name: ClassVar[str] = "command"
    program: str
    observe_arguments: tuple[str, ...]
    apply_arguments: tuple[str, ...]
    diff_arguments: tuple[str, ...] = ()
    secret_files: tuple[str, ...] = ()
    moved_status: Annotated[int, at.Ge(1), at.Le(125)] = 75
    timeout_seconds: Annotated[float, at.Gt(0), at.Le(600)] = 30.0

    def __post_init__(self) -> None:
        """Refuse paths that are not absolute, and a switch that does not say where to.

        Raises
        ------
        ValueError
            If it is one of these.
        """
        check_absolute(self.program, "program")
        for path in self.secret_files:
            check_absolute(path, "secret_files")
        if not any("{to}" in argument for argument in self.apply_arguments):
            message = "apply_arguments must hold '{to}': what to switch to"
            raise ValueError(message)

    def observe(self) -> Observed:
        """Return the word that the program prints."""
        finished = self._run(self.observe_arguments)
        if finished.status != 0 or finished.timed_out:
            message = f"{self.program!r} must say what is in force; {finished.in_words()}"
            raise UnreadableError(message)
        try:
            value = check_reference(finished.first_line, f"what {self.program!r} prints")
        except ValueError as error:
            raise UnreadableError(str(error)) from error
        return Observed(value=value, reference=value, revision=value)

    def diff(self, to: str) -> Diff:
        """Return what the program says a switch would change, or how it would be called."""
        check_reference(to)
        now = self.observe().value
        text = f"command {self.program}: {now!r} -> {to!r}\nwould run " + repr(
            self._filled(self.apply_arguments, to=to, expect=now, key="KEY")
        )
        if self.diff_arguments:
            finished = self._run(self._filled(self.diff_arguments, to=to, expect=now, key=""))
            if finished.status != 0 or finished.timed_out:
                message = f"{self.program!r} must say what would change; {finished.in_words()}"
                raise UnreadableError(message)
            text += "\n" + finished.output.rstrip()
        return Diff(from_value=now, to_value=to, text=text)

    def apply(self, expect: Observed, to: str, *, key: str) -> Applied:
        """Run the program once."""
        arguments = self._filled(
            self.apply_arguments,
            to=check_reference(to),
            expect=check_reference(expect.revision),
            key=check_reference(key),
        )
        finished = self._run(arguments)
        if finished.status == self.moved_status and not finished.timed_out:
            message = f"{self.program!r} found another value than {expect.revision!r}; plan anew"
            raise MovedError(message)
        if finished.status != 0 or finished.timed_out:
            message = f"{self.program!r} must end with status 0; {finished.in_words()}"
            raise OutcomeUnknownError(message)
        detail = {"output": finished.output, "truncated": finished.truncated}
        return Applied(detail=detail)

    def _filled(
        self, arguments: tuple[str, ...], *, to: str, expect: str, key: str
    ) -> tuple[str, ...]:
        """Return the arguments with every placeholder replaced in one pass."""
        values = dict(zip(_PLACEHOLDERS, (to, expect, key), strict=True))
        return tuple(_replaced(argument, values) for argument in arguments)

    def _run(self, arguments: tuple[str, ...]) -> Finished:
        check_program(self.program)
        secrets = [read_secret(path) for path in self.secret_files]
        return run_program(
            [self.program, *arguments], timeout_seconds=self.timeout_seconds, secrets=secrets
        )


def _replaced(argument: str, values: dict[str, str]) -> str:
    # References hold no braces, so what is filled in is never taken for a placeholder.
    for placeholder, value in values.items():
        argument = argument.replace(placeholder, value)
    return argument
