"""Members of a consumer group, and the answers that they wait for."""

import asyncio
from dataclasses import dataclass, field
from typing import TypeVar

from tests.brokers.small.codes import Code, RefusedError

__all__ = ["Joined", "Joining", "Member"]

Answer = TypeVar("Answer")


@dataclass(frozen=True, kw_only=True)
class Joining:
    """A request to join; times in seconds."""

    member_id: str
    instance_id: str | None
    client_id: str
    session_timeout: float
    rebalance_timeout: float
    protocol_type: str
    protocols: dict[str, bytes]
    id_required: bool
    may_skip_assignment: bool


@dataclass(frozen=True, kw_only=True)
class Joined:
    """The answer to a join: the leader gets the members, the others do not."""

    member_id: str
    generation: int
    protocol_type: str
    protocol: str
    leader: str
    skip_assignment: bool = False
    members: tuple[tuple[str, str | None, bytes], ...] = ()


@dataclass(eq=False)
class Member:
    """One member: what it can do, what it was given, and what it waits for."""

    id: str
    request: Joining
    assignment: bytes = b""
    joining: asyncio.Future[Joined] | None = None
    syncing: asyncio.Future[bytes] | None = None
    session: asyncio.TimerHandle | None = field(default=None, repr=False)

    @property
    def instance_id(self) -> str | None:
        """The name under which a static member comes back, or None."""
        return self.request.instance_id

    def wait_to_join(self) -> asyncio.Future[Joined]:
        """Return what the next completed rebalance answers."""
        if self.joining is None:
            self.joining = asyncio.get_running_loop().create_future()
        return self.joining

    def wait_to_sync(self) -> asyncio.Future[bytes]:
        """Return what the leader's assignment answers."""
        if self.syncing is None:
            self.syncing = asyncio.get_running_loop().create_future()
        return self.syncing

    def answer_join(self, answer: Joined | Code) -> None:
        """Let a waiting join go on, with an answer or with an error."""
        waiting, self.joining = self.joining, None
        _settle(waiting, answer)

    def answer_sync(self, answer: bytes | Code) -> None:
        """Let a waiting sync go on, with an assignment or with an error."""
        waiting, self.syncing = self.syncing, None
        _settle(waiting, answer)

    def forget_session(self) -> None:
        """Stop the clock of the session."""
        if self.session is not None:
            self.session.cancel()
            self.session = None


def _settle(waiting: asyncio.Future[Answer] | None, answer: Answer | Code) -> None:
    if waiting is None or waiting.done():
        return
    if isinstance(answer, Code):
        waiting.set_exception(RefusedError(answer))
        waiting.exception()  # its connection may be gone; nobody else need look at it
    else:
        waiting.set_result(answer)
