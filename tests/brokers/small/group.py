"""A consumer group under the classic protocol: how its members agree on who reads what.

The states and answers are those of Kafka's group coordinator: members join, one of them leads
and assigns, all learn their part when they sync; whoever falls silent is dropped.
"""

import asyncio
from collections import Counter
from enum import Enum

from tests.brokers.small.codes import Code, RefusedError
from tests.brokers.small.members import Joined, Joining, Member
from tests.brokers.small.roster import Roster, common_protocols, later

__all__ = ["Group", "GroupState"]


class GroupState(Enum):
    """Where a group is between two assignments; the values are Kafka's names."""

    EMPTY = "Empty"
    JOINING = "PreparingRebalance"
    SYNCING = "CompletingRebalance"
    STABLE = "Stable"


class Group:
    """Members, generation and committed offsets of one consumer group."""

    def __init__(self, group_id: str) -> None:
        self.id = group_id
        self.state = GroupState.EMPTY
        self.generation = 0
        self.protocol_type = ""
        self.protocol = ""
        self.leader = ""
        self.members = Roster(self.drop)
        self.offsets: dict[tuple[str, int], tuple[int, int, str]] = {}
        self._unsynced: set[str] = set()
        self._clock: asyncio.TimerHandle | None = None

    async def join(self, request: Joining) -> Joined:
        """Take a member in, or back, and answer when the group knows its generation."""
        self.members.check(request)
        static = self.members.static_member(request.instance_id)
        if static is not None and not request.member_id:
            answer = self._take_back(static, request)
        elif request.member_id in self.members:
            answer = self._rejoin(self.members[request.member_id], request)
        else:
            self.protocol_type = request.protocol_type
            answer = self._join_round(self.members.admit(request))
        return answer if isinstance(answer, Joined) else await asyncio.shield(answer)

    async def sync(self, member: Member, parts: dict[str, bytes]) -> bytes:
        """Answer a member's assignment as soon as the leader has sent it."""
        self.members.keep_alive(member)
        self._unsynced.discard(member.id)
        if self.state is GroupState.STABLE:
            return member.assignment
        if self.state is not GroupState.SYNCING:
            raise RefusedError(Code.REBALANCE_IN_PROGRESS)
        answer = member.wait_to_sync()
        if member.id == self.leader:
            self.state = GroupState.STABLE
            for other in self.members:
                other.assignment = parts.get(other.id, b"")
                other.answer_sync(other.assignment)
        return await asyncio.shield(answer)

    def heartbeat(self, member: Member) -> None:
        """Keep a member; refuse, so that it joins again, while the others are joining."""
        self.members.keep_alive(member)
        if self.state is GroupState.JOINING:
            raise RefusedError(Code.REBALANCE_IN_PROGRESS)

    def current(self, member_id: str, instance_id: str | None, generation: int) -> Member:
        """Return a member of this generation, or refuse."""
        member = self.members.known(member_id, instance_id)
        if generation != self.generation:
            raise RefusedError(Code.ILLEGAL_GENERATION)
        return member

    def may_commit(self, member_id: str, instance_id: str | None, generation: int) -> None:
        """Refuse a commit from outside a group that has members, or of an old generation."""
        if generation < 0 and not self.members:
            return
        self.members.keep_alive(self.current(member_id, instance_id, generation))
        if self.state is GroupState.SYNCING:
            raise RefusedError(Code.REBALANCE_IN_PROGRESS)

    def drop(self, member: Member) -> None:
        """Remove a member; the rest of the group starts over."""
        self.members.drop(member)
        self._start_round()

    def freeze(self) -> None:
        """Stop all clocks: the broker is down."""
        self.members.freeze()
        self._stop_clock()

    def thaw(self) -> None:
        """Start the clocks again: the broker is back."""
        self.members.thaw()
        if self.state is GroupState.JOINING:
            self._start_round()
        elif self.state is GroupState.SYNCING:
            self._clock = later(self._patience, self._drop_unsynced)

    @property
    def _patience(self) -> float:
        return max((m.request.rebalance_timeout for m in self.members), default=0.0)

    def _take_back(self, member: Member, request: Joining) -> Joined | asyncio.Future[Joined]:
        was_leader = member.id == self.leader
        unchanged = member.request.protocols == request.protocols
        self.members.rename(member, request)
        member.request = request
        if self.state is GroupState.STABLE and unchanged:
            former_leader, self.leader = self.leader, member.id if was_leader else self.leader
            if request.may_skip_assignment:
                return self._joined(member, skip_assignment=was_leader)
            # An old client would assign anew if it were told that it leads.
            return self._joined(member, leader=former_leader)
        return self._join_round(member)

    def _rejoin(self, member: Member, request: Joining) -> Joined | asyncio.Future[Joined]:
        unchanged = member.request.protocols == request.protocols
        member.request = request
        self.members.keep_alive(member)
        leads = self.state is GroupState.STABLE and member.id == self.leader
        settled = self.state in (GroupState.STABLE, GroupState.SYNCING)
        if settled and unchanged and not leads:
            return self._joined(member)
        return self._join_round(member)

    def _join_round(self, member: Member) -> asyncio.Future[Joined]:
        answer = member.wait_to_join()
        self._start_round()
        return answer

    def _start_round(self) -> None:
        if self.state is not GroupState.JOINING or self._clock is None:
            for member in self.members:
                member.answer_sync(Code.REBALANCE_IN_PROGRESS)
            self.state = GroupState.JOINING
            self._stop_clock()
            self._clock = later(self._patience, self._finish_round)
        if self.members.complete:
            self._finish_round()

    def _finish_round(self) -> None:
        self._stop_clock()
        for member in self.members:
            # A static member may still come back: only the end of its session drops it.
            if member.joining is None and member.instance_id is None:
                self.members.drop(member)
        joined = [member for member in self.members if member.joining is not None]
        if joined:
            self._begin_generation(joined)
        elif self.members:
            self._clock = later(self._patience, self._finish_round)
        else:
            self.generation += 1
            self.state, self.leader, self.protocol = GroupState.EMPTY, "", ""

    def _begin_generation(self, joined: list[Member]) -> None:
        self.generation += 1
        self.state = GroupState.SYNCING
        self.protocol = self._elected_protocol()
        if self.leader not in {member.id for member in joined}:
            self.leader = joined[0].id
        self._unsynced = {member.id for member in joined}
        for member in joined:
            self.members.keep_alive(member)
            member.answer_join(self._joined(member))
        self._clock = later(self._patience, self._drop_unsynced)

    def _elected_protocol(self) -> str:
        candidates = common_protocols([member.request for member in self.members])
        votes = Counter(
            next(name for name in member.request.protocols if name in candidates)
            for member in self.members
        )
        return max(candidates, key=lambda name: votes[name])

    def _drop_unsynced(self) -> None:
        self._clock = None
        late = [member for member in self.members if member.id in self._unsynced]
        for member in late:
            self.members.drop(member)
        if late:
            self._start_round()

    def _joined(
        self, member: Member, *, leader: str | None = None, skip_assignment: bool = False
    ) -> Joined:
        leader = leader or self.leader
        return Joined(
            member_id=member.id,
            generation=self.generation,
            protocol_type=self.protocol_type,
            protocol=self.protocol,
            leader=leader,
            skip_assignment=skip_assignment,
            members=tuple(
                (other.id, other.instance_id, other.request.protocols[self.protocol])
                for other in self.members
            )
            if leader == member.id
            else (),
        )

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None
