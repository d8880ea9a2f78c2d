"""Who belongs to a consumer group: ids, static names, sessions, and who is refused."""

import asyncio
import uuid
from collections.abc import Callable, Iterator

from tests.brokers.small.codes import Code, RefusedError
from tests.brokers.small.members import Joining, Member

__all__ = ["Roster", "common_protocols", "later"]


def later(seconds: float, action: Callable[[], object]) -> asyncio.TimerHandle:
    """Call `action` on the broker's loop after a while."""
    return asyncio.get_running_loop().call_later(seconds, action)


def common_protocols(requests: list[Joining]) -> list[str]:
    """Return the protocols that all can speak, in the order of the first."""
    shared = set.intersection(*(set(request.protocols) for request in requests))
    return [name for name in requests[0].protocols if name in shared]


class Roster:
    """The members of a group; `expired` is called with one whose session has ended."""

    def __init__(self, expired: Callable[[Member], None]) -> None:
        self._expired = expired
        self._members: dict[str, Member] = {}
        self._promised: dict[str, asyncio.TimerHandle] = {}

    def __iter__(self) -> Iterator[Member]:
        return iter(list(self._members.values()))

    def __len__(self) -> int:
        return len(self._members)

    def __contains__(self, member_id: str) -> bool:
        return member_id in self._members

    def __getitem__(self, member_id: str) -> Member:
        return self._members[member_id]

    @property
    def complete(self) -> bool:
        """Whether everybody waits to join, also those who have only been given an id."""
        return not self._promised and all(m.joining is not None for m in self)

    def static_member(self, instance_id: str | None) -> Member | None:
        """Return the member that holds a static name."""
        named = (m for m in self if instance_id is not None and m.instance_id == instance_id)
        return next(named, None)

    def known(self, member_id: str, instance_id: str | None) -> Member:
        """Return a member, or refuse one that was dropped or whose name another one took."""
        static = self.static_member(instance_id)
        if static is not None and static.id != member_id:
            raise RefusedError(Code.FENCED_INSTANCE_ID)
        if member_id not in self:
            raise RefusedError(Code.UNKNOWN_MEMBER_ID)
        return self._members[member_id]

    def check(self, request: Joining) -> None:
        """Refuse a request to join that cannot be granted, or that needs an id first."""
        if request.member_id and request.member_id not in self._promised:
            self.known(request.member_id, request.instance_id)
        returning = {request.member_id}
        static = self.static_member(request.instance_id)
        if static is not None:
            returning.add(static.id)
        others = [member.request for member in self if member.id not in returning]
        alike = all(other.protocol_type == request.protocol_type for other in others)
        if not alike or not common_protocols([request, *others]):
            raise RefusedError(Code.INCONSISTENT_GROUP_PROTOCOL, request.member_id)
        if not request.member_id and request.id_required and request.instance_id is None:
            raise RefusedError(Code.MEMBER_ID_REQUIRED, self._promise_id(request))

    def admit(self, request: Joining) -> Member:
        """Add a new member."""
        promise = self._promised.pop(request.member_id, None)
        if promise is not None:
            promise.cancel()
        member = Member(request.member_id or _new_id(request), request)
        self._members[member.id] = member
        self.keep_alive(member)
        return member

    def rename(self, member: Member, request: Joining) -> None:
        """Give a static member that came back a new id; whoever used the old one is fenced."""
        del self._members[member.id]
        member.answer_join(Code.FENCED_INSTANCE_ID)
        member.answer_sync(Code.FENCED_INSTANCE_ID)
        member.id = _new_id(request)
        self._members[member.id] = member
        self.keep_alive(member)

    def drop(self, member: Member) -> None:
        """Remove a member, and tell it if it waits."""
        del self._members[member.id]
        member.forget_session()
        member.answer_join(Code.UNKNOWN_MEMBER_ID)
        member.answer_sync(Code.UNKNOWN_MEMBER_ID)

    def keep_alive(self, member: Member) -> None:
        """Start the clock of a member's session anew."""
        member.forget_session()
        member.session = later(member.request.session_timeout, lambda: self._fall_silent(member))

    def freeze(self) -> None:
        """Stop all clocks and forget who waits: the broker is down."""
        for member in self:
            member.forget_session()
            member.joining = member.syncing = None
        for promise in self._promised.values():
            promise.cancel()
        self._promised.clear()

    def thaw(self) -> None:
        """Start the clocks again: the broker is back and remembers its members."""
        for member in self:
            self.keep_alive(member)

    def _promise_id(self, request: Joining) -> str:
        member_id = _new_id(request)
        self._promised[member_id] = later(
            request.session_timeout, lambda: self._promised.pop(member_id, None)
        )
        return member_id

    def _fall_silent(self, member: Member) -> None:
        # Who waits for the others to join sends no heartbeats, and is not silent.
        if member.joining is not None:
            self.keep_alive(member)
        else:
            self._expired(member)


def _new_id(request: Joining) -> str:
    return f"{request.instance_id or request.client_id}-{uuid.uuid4()}"
