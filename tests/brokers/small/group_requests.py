"""Answers to the members of consumer groups."""

from kafka.protocol.admin import (
    DescribeGroupsRequest,
    DescribeGroupsResponse,
    ListGroupsRequest,
    ListGroupsResponse,
)
from kafka.protocol.consumer import (
    HeartbeatRequest,
    HeartbeatResponse,
    JoinGroupRequest,
    JoinGroupResponse,
    LeaveGroupRequest,
    LeaveGroupResponse,
    SyncGroupRequest,
    SyncGroupResponse,
)

from tests.brokers.small.codes import Code, RefusedError
from tests.brokers.small.group import Group
from tests.brokers.small.members import Joining
from tests.brokers.small.requests import Message, answers
from tests.brokers.small.state import State

__all__ = [
    "describe_groups",
    "heartbeat",
    "join_group",
    "leave_group",
    "list_groups",
    "sync_group",
]

ID_REQUIRED_SINCE = 4
SKIPS_ASSIGNMENT_SINCE = 9
LEAVES_BY_LIST_SINCE = 3


@answers(JoinGroupRequest, JoinGroupResponse, 0, 9)
async def join_group(state: State, request: Message) -> Message:
    """Take a member into its group; answers when the whole group has joined."""
    rebalance_ms = request.rebalance_timeout_ms
    joining = Joining(
        member_id=request.member_id,
        instance_id=request.group_instance_id,
        client_id=request.header.client_id or "member",
        session_timeout=request.session_timeout_ms / 1000,
        rebalance_timeout=(rebalance_ms if rebalance_ms > 0 else request.session_timeout_ms)
        / 1000,
        protocol_type=request.protocol_type,
        protocols={p.name: bytes(p.metadata) for p in request.protocols},
        id_required=request.version >= ID_REQUIRED_SINCE,
        may_skip_assignment=request.version >= SKIPS_ASSIGNMENT_SINCE,
    )
    try:
        joined = await state.group(request.group_id).join(joining)
    except RefusedError as refusal:
        member_id = refusal.member_id or request.member_id
        return JoinGroupResponse(error_code=refusal.code, member_id=member_id)
    return JoinGroupResponse(
        generation_id=joined.generation,
        protocol_type=joined.protocol_type,
        protocol_name=joined.protocol,
        leader=joined.leader,
        skip_assignment=joined.skip_assignment,
        member_id=joined.member_id,
        members=[
            JoinGroupResponse.JoinGroupResponseMember(
                member_id=member_id, group_instance_id=instance_id, metadata=subscription
            )
            for member_id, instance_id, subscription in joined.members
        ],
    )


@answers(SyncGroupRequest, SyncGroupResponse, 0, 5)
async def sync_group(state: State, request: Message) -> Message:
    """Answer what a member is to read; waits for the leader."""
    group = state.group(request.group_id)
    parts = {part.member_id: bytes(part.assignment) for part in request.assignments}
    try:
        assignment = await group.sync(_member(group, request), parts)
    except RefusedError as refusal:
        return SyncGroupResponse(error_code=refusal.code)
    return SyncGroupResponse(
        protocol_type=group.protocol_type, protocol_name=group.protocol, assignment=assignment
    )


@answers(HeartbeatRequest, HeartbeatResponse, 0, 4)
async def heartbeat(state: State, request: Message) -> Message:
    """Keep a member, or tell it to join again."""
    group = state.group(request.group_id)
    try:
        group.heartbeat(_member(group, request))
    except RefusedError as refusal:
        return HeartbeatResponse(error_code=refusal.code)
    return HeartbeatResponse()


@answers(LeaveGroupRequest, LeaveGroupResponse, 0, 5)
async def leave_group(state: State, request: Message) -> Message:
    """Drop members that say goodbye, by id or, for an operator, by static name."""
    group = state.group(request.group_id)
    if request.version < LEAVES_BY_LIST_SINCE:
        return LeaveGroupResponse(error_code=_leave(group, request.member_id, None))
    return LeaveGroupResponse(
        members=[
            LeaveGroupResponse.MemberResponse(
                member_id=leaving.member_id,
                group_instance_id=leaving.group_instance_id,
                error_code=_leave(group, leaving.member_id, leaving.group_instance_id),
            )
            for leaving in request.members
        ]
    )


@answers(ListGroupsRequest, ListGroupsResponse, 0, 4)
async def list_groups(state: State, request: Message) -> Message:
    """Answer which groups exist."""
    return ListGroupsResponse(
        groups=[
            ListGroupsResponse.ListedGroup(
                group_id=group.id, protocol_type=group.protocol_type, group_state=group.state.value
            )
            for group in state.groups.values()
        ]
    )


@answers(DescribeGroupsRequest, DescribeGroupsResponse, 0, 5)
async def describe_groups(state: State, request: Message) -> Message:
    """Answer who is in a group and what each reads."""
    return DescribeGroupsResponse(
        groups=[_described(state.group(group_id)) for group_id in request.groups]
    )


def _member(group: Group, request: Message) -> Message:
    return group.current(request.member_id, request.group_instance_id, request.generation_id)


def _leave(group: Group, member_id: str, instance_id: str | None) -> Code:
    try:
        static = group.members.static_member(instance_id)
        if static is not None and not member_id:
            member_id = static.id
        group.drop(group.members.known(member_id, instance_id))
    except RefusedError as refusal:
        return refusal.code
    return Code.NONE


def _described(group: Group) -> Message:
    return DescribeGroupsResponse.DescribedGroup(
        group_id=group.id,
        group_state=group.state.value,
        protocol_type=group.protocol_type,
        protocol_data=group.protocol,
        members=[
            DescribeGroupsResponse.DescribedGroup.DescribedGroupMember(
                member_id=member.id,
                group_instance_id=member.instance_id,
                client_id=member.request.client_id,
                client_host="/127.0.0.1",
                member_metadata=member.request.protocols.get(group.protocol, b""),
                member_assignment=member.assignment,
            )
            for member in group.members
        ],
    )
