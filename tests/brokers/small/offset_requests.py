"""Answers about the offsets that groups have committed."""

from kafka.protocol.consumer import (
    OffsetCommitRequest,
    OffsetCommitResponse,
    OffsetFetchRequest,
    OffsetFetchResponse,
)

from tests.brokers.small.codes import Code, RefusedError
from tests.brokers.small.group import Group
from tests.brokers.small.requests import Message, answers
from tests.brokers.small.state import State

__all__ = ["commit_offsets", "committed_offsets"]

NOT_COMMITTED = (-1, -1, "")


@answers(OffsetCommitRequest, OffsetCommitResponse, 2, 8)
async def commit_offsets(state: State, request: Message) -> Message:
    """Store offsets, if who commits them is a member of the group's present generation."""
    group = state.group(request.group_id)
    refused = _refused(group, request)
    return OffsetCommitResponse(
        topics=[
            OffsetCommitResponse.OffsetCommitResponseTopic(
                name=topic.name,
                partitions=[
                    OffsetCommitResponse.OffsetCommitResponseTopic.OffsetCommitResponsePartition(
                        partition_index=partition.partition_index,
                        error_code=refused or _store(state, group, topic.name, partition),
                    )
                    for partition in topic.partitions
                ],
            )
            for topic in request.topics
        ]
    )


@answers(OffsetFetchRequest, OffsetFetchResponse, 1, 7)
async def committed_offsets(state: State, request: Message) -> Message:
    """Answer the offsets that a group has committed: some, or all of them."""
    offsets = state.group(request.group_id).offsets
    if request.topics is None:
        wanted = sorted(offsets)
    else:
        wanted = [(t.name, index) for t in request.topics for index in t.partition_indexes]
    by_topic: dict[str, list[Message]] = {}
    for name, index in wanted:
        offset, epoch, note = offsets.get((name, index), NOT_COMMITTED)
        partition = OffsetFetchResponse.OffsetFetchResponseTopic.OffsetFetchResponsePartition(
            partition_index=index,
            committed_offset=offset,
            committed_leader_epoch=epoch,
            metadata=note,
        )
        by_topic.setdefault(name, []).append(partition)
    return OffsetFetchResponse(
        topics=[
            OffsetFetchResponse.OffsetFetchResponseTopic(name=name, partitions=partitions)
            for name, partitions in by_topic.items()
        ]
    )


def _refused(group: Group, request: Message) -> Code:
    try:
        group.may_commit(
            request.member_id, request.group_instance_id, request.generation_id_or_member_epoch
        )
    except RefusedError as refusal:
        return refusal.code
    return Code.NONE


def _store(state: State, group: Group, topic: str, partition: Message) -> Code:
    try:
        state.log(topic, partition.partition_index)
    except RefusedError as refusal:
        return refusal.code
    group.offsets[topic, partition.partition_index] = (
        partition.committed_offset,
        partition.committed_leader_epoch,
        partition.committed_metadata or "",
    )
    return Code.NONE
