"""Run a program that may misbehave: bounded in time and output, and leaving nothing behind."""

import atexit
import contextlib
import os
import selectors
import signal
import stat
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from monitor.clock import SteadyClock
from monitor.rollbacks.errors import NotAppliedError, UnreadableError
from monitor.rollbacks.values import KEPT_BYTES, redacted

__all__ = ["Finished", "check_program", "run_program"]

_GRACE_SECONDS = 1.0
_STEP_SECONDS = 0.05
_CHUNK = 1 << 16
_STEADY = SteadyClock()
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH
# The groups that run, by the number of their first process.
_RUNNING: set[int] = set()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """How a program ended.

    Parameters
    ----------
    status
        Its exit status; minus the signal's number if a signal ended it.
    output, complaints
        The start of what it wrote to standard output and standard error, secrets
        replaced.
    truncated
        Whether it wrote more than that.
    timed_out
        Whether it was ended because its time was up.
    """

    status: int
    output: str
    complaints: str
    truncated: bool
    timed_out: bool

    @property
    def first_line(self) -> str:
        """Return the first line of standard output, stripped."""
        return self.output.strip().partition("\n")[0].strip()

    def in_words(self) -> str:
        """Return how it ended and the end of what it complained about, in one line."""
        how = "its time was up" if self.timed_out else f"it ended with status {self.status}"
        said = " ".join((self.complaints.strip() or self.output.strip()).split())[-300:]
        return f"{how}: {said}" if said else how


def check_program(path: str) -> None:
    """Refuse a program that is not there, or that others may have changed.

    Raises
    ------
    UnreadableError
        If it is no executable file, or may be written by its group or by everybody.
    """
    try:
        mode = Path(path).stat().st_mode
    except OSError as error:
        message = f"the program {path!r} must exist: {error.strerror}; install it"
        raise UnreadableError(message) from error
    if not stat.S_ISREG(mode) or not os.access(path, os.X_OK):
        message = f"the program {path!r} must be a file that may be executed; see its mode"
        raise UnreadableError(message)
    if mode & _WRITABLE_BY_OTHERS:
        message = (
            f"the program {path!r} must be writable by its owner only, got mode "
            f"{stat.S_IMODE(mode):o}; say chmod go-w"
        )
        raise UnreadableError(message)


def run_program(
    argv: Sequence[str],
    *,
    timeout_seconds: float,
    environment: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    secrets: Sequence[str] = (),
    kept_bytes: int = KEPT_BYTES,
) -> Finished:
    """Run a program without a shell, and end whatever it leaves running.

    It runs in a session of its own, in ``/``, with no environment but the one given. When it
    ends, or its time is up, or this program ends, its whole process group is ended with it.

    Parameters
    ----------
    argv
        The absolute path and the arguments.
    timeout_seconds
        Then it is told to end, and a second later it is killed.
    environment
        Its whole environment.
    stdin
        What it reads; nothing by default.
    secrets
        What is replaced in what it wrote.
    kept_bytes
        How much is kept of each of its two outputs; the rest is read and dropped.

    Raises
    ------
    NotAppliedError
        If it cannot be started: then nothing happened.
    """
    try:
        process = subprocess.Popen(
            list(argv),
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(environment or {}),
            cwd="/",
            start_new_session=True,
            close_fds=True,
            bufsize=0,
        )
    except (OSError, ValueError) as error:
        message = f"the program {argv[0]!r} cannot be started: {error}"
        raise NotAppliedError(message) from error
    kept = kept_bytes + max((len(secret.encode()) for secret in secrets), default=0)
    with process:
        _RUNNING.add(process.pid)
        streams = _Streams(process, stdin, kept)
        try:
            timed_out = not _await(process, streams, _STEADY.now_us() + _us(timeout_seconds))
        finally:
            # Once it is waited for, its number may be another's.
            _RUNNING.discard(process.pid)
            _end_group(process)
        streams.drain(_GRACE_SECONDS)
    output, complaints = (_text(buffer, secrets, kept_bytes) for buffer in streams.buffers)
    return Finished(
        status=process.returncode,
        output=output,
        complaints=complaints,
        truncated=streams.truncated,
        timed_out=timed_out,
    )


class _Streams:
    """What a program writes, read as it comes so that it never waits; only its start is kept."""

    def __init__(self, process: "subprocess.Popen[bytes]", stdin: bytes, kept: int) -> None:
        self.buffers = (bytearray(), bytearray())
        self.truncated = False
        self._kept = kept
        self._rest = memoryview(stdin)
        self._stdin = process.stdin
        self._selector = selectors.DefaultSelector()
        for stream, buffer in zip((process.stdout, process.stderr), self.buffers, strict=True):
            if stream is not None:
                os.set_blocking(stream.fileno(), False)
                self._selector.register(stream, selectors.EVENT_READ, buffer)
        if process.stdin is not None:
            os.set_blocking(process.stdin.fileno(), False)
            self._selector.register(process.stdin, selectors.EVENT_WRITE, None)

    @property
    def open(self) -> bool:
        """Return whether anything is left to read or write."""
        return bool(self._selector.get_map())

    def turn(self, seconds: float) -> None:
        """Read and write what is ready within so many seconds."""
        if not self.open:
            time.sleep(seconds)
            return
        for key, _ in self._selector.select(seconds):
            done = self._write(key.fd) if key.data is None else self._read(key.fd, key.data)
            if done:
                self._selector.unregister(key.fileobj)
                if key.data is None and self._stdin is not None:
                    self._stdin.close()

    def drain(self, seconds: float) -> None:
        """Read what is left; a process that escaped may hold the other end for ever."""
        until = _STEADY.now_us() + _us(seconds)
        while self.open and _STEADY.now_us() < until:
            self.turn(_STEP_SECONDS)
        self._selector.close()

    def _read(self, fd: int, buffer: bytearray) -> bool:
        try:
            chunk = os.read(fd, _CHUNK)
        except BlockingIOError:
            return False
        room = self._kept - len(buffer)
        buffer += chunk[: max(room, 0)]
        self.truncated |= len(chunk) > room
        return not chunk

    def _write(self, fd: int) -> bool:
        try:
            self._rest = self._rest[os.write(fd, self._rest[:_CHUNK]) :]
        except BlockingIOError:
            return False
        except BrokenPipeError:
            return True
        return not self._rest


def _await(process: "subprocess.Popen[bytes]", streams: _Streams, until_us: int) -> bool:
    """Return whether the program ended in time; it is not reaped, so its group stays its own."""
    while not _has_ended(process):
        if _STEADY.now_us() >= until_us:
            return False
        streams.turn(_STEP_SECONDS)
    return True


def _has_ended(process: "subprocess.Popen[bytes]") -> bool:
    options = os.WEXITED | os.WNOHANG | os.WNOWAIT
    return os.waitid(os.P_PID, process.pid, options) is not None


def _end_group(process: "subprocess.Popen[bytes]") -> None:
    """End the process and all of its group: first asking, then not."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    until = _STEADY.now_us() + _us(_GRACE_SECONDS)
    while not _has_ended(process) and _STEADY.now_us() < until:
        time.sleep(_STEP_SECONDS)
    # Not reaped yet, so the group's number cannot have gone to anybody else.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@atexit.register
def _end_all() -> None:
    """End what threads still wait for that do not keep this program from ending."""
    for pid in tuple(_RUNNING):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)


def _text(buffer: bytearray, secrets: Sequence[str], kept_bytes: int) -> str:
    # A secret that begins within what is kept was read whole.
    text = redacted(buffer.decode("utf-8", "replace"), secrets)
    return text.encode()[:kept_bytes].decode("utf-8", "ignore")


def _us(seconds: float) -> int:
    return int(seconds * 1_000_000)
