"""A topic in memory and its consumer group: what Kafka does to workers, without the network."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from monitor.sources.live import Batch, Claims, LiveStream, Notice
from tests.replay.chaos.crew import Member
from tests.replay.chaos.scenario import Scenario

__all__ = ["Group", "GroupSource", "GroupStream"]

IDENTITY = "cluster/topic"


@dataclass
class Group:
    """Which member is to read which partition; members learn it when they next poll.

    Parameters
    ----------
    scenario
        The records.
    chance
        Who gets what.
    stall
        How likely a member stands still between being given partitions and claiming them.
    repeat
        How likely a member is handed records that it has had already.
    """

    scenario: Scenario
    chance: random.Random
    stall: float = 0.0
    repeat: float = 0.0
    streams: list["GroupStream"] = field(default_factory=list)
    assigned: dict[str, "GroupStream"] = field(default_factory=dict)

    @property
    def logs(self) -> dict[str, tuple[bytes, ...]]:
        """The records by partition."""
        return {f"outputs/{n}": each for n, each in enumerate(self.scenario.partitions)}

    def join(self, stream: "GroupStream") -> None:
        """Take a member in; partitions move."""
        if stream not in self.streams:
            self.streams.append(stream)
            self.rebalance()

    def leave(self, stream: "GroupStream") -> None:
        """Take a member out, as on its wish or when its session ends; partitions move."""
        if stream in self.streams:
            self.streams.remove(stream)
            self.rebalance()

    def rebalance(self) -> None:
        """Deal the partitions anew."""
        members = list(self.streams)
        self.chance.shuffle(members)
        names = sorted(self.logs)
        self.assigned = {
            name: members[number % len(members)] for number, name in enumerate(names) if members
        }

    def given_to(self, stream: "GroupStream") -> set[str]:
        """Return the partitions that a member is to read."""
        return {name for name, owner in self.assigned.items() if owner is stream}


class GroupStream:
    """See `monitor.sources.live.LiveStream`.

    A member whose session has ended learns it one poll late: until then it hands on what it
    thinks is its own, as a process does that was stopped and wakes up.
    """

    def __init__(self, group: Group, claims: Claims, member: Member) -> None:
        self._group = group
        self._claims = claims
        self.member = member
        self._open: dict[str, int] = {}
        self._leaving: set[str] = set()
        self._paused = False
        self.expelled = False
        group.join(self)

    def poll(self, timeout_seconds: float, max_records: int) -> Sequence[Batch]:
        """See `LiveStream.poll`."""
        del timeout_seconds
        self.member.rest()
        if self.expelled:
            self.expelled = False
            return self._batches(max_records)
        self._group.join(self)
        self._take_note()
        return self._batches(max_records)

    def notices(self) -> Sequence[Notice]:
        """Return nothing."""
        return ()

    def caught_up(self) -> frozenset[str]:
        """See `LiveStream.caught_up`."""
        logs = self._group.logs
        return frozenset(name for name, place in self._open.items() if place >= len(logs[name]))

    def ended(self) -> frozenset[str]:
        """Return nothing: a topic does not end."""
        return frozenset()

    def lag(self) -> Mapping[str, int]:
        """See `LiveStream.lag`."""
        logs = self._group.logs
        return {name: len(logs[name]) - place for name, place in self._open.items()}

    def pause(self) -> None:
        """See `LiveStream.pause`."""
        self._paused = True

    def resume(self) -> None:
        """See `LiveStream.resume`."""
        self._paused = False

    def committed(self, positions: Mapping[str, int]) -> None:
        """Take note of nothing."""

    def close(self) -> None:
        """See `LiveStream.close`."""
        self._group.leave(self)

    def _take_note(self) -> None:
        mine = self._group.given_to(self)
        self._leaving |= set(self._open) - mine
        for name in self._leaving:
            self._open.pop(name, None)
        if self._leaving:
            self._claims.release(sorted(self._leaving))
            self._leaving.clear()
        new = mine - set(self._open)
        if not new:
            return
        self._claims.expect(dict.fromkeys(self._group.logs, IDENTITY))
        if self._group.chance.random() < self._group.stall:
            for _ in range(self._group.chance.choice([1, 3, 10, 40])):
                self.member.rest()
        claimed = self._claims.claim(dict.fromkeys(sorted(new), IDENTITY))
        for name in new:
            self._open[name] = claimed[name].position or 0

    def _batches(self, max_records: int) -> list[Batch]:
        if self._paused:
            return []
        batches: list[Batch] = []
        for name in self._group.chance.sample(sorted(self._open), len(self._open)):
            first, log = self._open[name], self._group.logs[name]
            if self._group.chance.random() < self._group.repeat:
                first = max(0, first - 3)
            end = min(len(log), first + self._group.chance.randint(1, max_records))
            if first < end:
                batches.append(
                    Batch(partition=name, payloads=log[first:end], first=first, next=end)
                )
                self._open[name] = max(end, self._open[name])
        return batches


@dataclass(frozen=True)
class GroupSource:
    """A source whose streams are members of a group."""

    name: ClassVar[str] = "group"
    group: Group
    member: Member

    def open(self, claims: Claims, *, worker: str) -> LiveStream:
        """Return the open stream."""
        del worker
        return GroupStream(self.group, claims, self.member)
