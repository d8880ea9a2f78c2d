"""Answers about the broker and its topics."""

from kafka.protocol.admin import (
    CreateTopicsRequest,
    CreateTopicsResponse,
    DeleteTopicsRequest,
    DeleteTopicsResponse,
)
from kafka.protocol.metadata import (
    ApiVersionsRequest,
    ApiVersionsResponse,
    FindCoordinatorRequest,
    FindCoordinatorResponse,
    MetadataRequest,
    MetadataResponse,
)

from tests.brokers.small.codes import Code
from tests.brokers.small.requests import ANSWERS, Message, answers
from tests.brokers.small.state import NODE_ID, State, Topic

__all__ = ["api_versions", "create_topics", "delete_topics", "find_coordinator", "metadata"]

DEFAULT_PARTITIONS = 1


@answers(ApiVersionsRequest, ApiVersionsResponse, 0, 4)
async def api_versions(state: State, request: Message) -> Message:
    """Answer which requests are understood, in which versions."""
    supported = [
        ApiVersionsResponse.ApiVersion(
            api_key=key, min_version=answer.versions[0], max_version=answer.versions[-1]
        )
        for key, answer in sorted(ANSWERS.items())
    ]
    return ApiVersionsResponse(api_keys=supported)


@answers(MetadataRequest, MetadataResponse, 0, 12)
async def metadata(state: State, request: Message) -> Message:
    """Answer where partitions lie: all of them here."""
    everything = request.topics is None or (request.version == 0 and not request.topics)
    topics = (
        [_described(topic) for topic in state.topics.values()]
        if everything
        else [_looked_up(state, wanted) for wanted in request.topics]
    )
    broker = MetadataResponse.MetadataResponseBroker(
        node_id=NODE_ID, host=state.host, port=state.port, rack=None
    )
    return MetadataResponse(
        brokers=[broker], cluster_id=state.cluster_id, controller_id=NODE_ID, topics=topics
    )


@answers(FindCoordinatorRequest, FindCoordinatorResponse, 0, 3)
async def find_coordinator(state: State, request: Message) -> Message:
    """Answer who coordinates a group: this broker."""
    return FindCoordinatorResponse(node_id=NODE_ID, host=state.host, port=state.port)


@answers(CreateTopicsRequest, CreateTopicsResponse, 2, 7)
async def create_topics(state: State, request: Message) -> Message:
    """Create topics that do not exist."""
    return CreateTopicsResponse(
        topics=[_create(state, wanted, dry=request.validate_only) for wanted in request.topics]
    )


@answers(DeleteTopicsRequest, DeleteTopicsResponse, 1, 5)
async def delete_topics(state: State, request: Message) -> Message:
    """Delete topics and their logs."""
    results = []
    for name in request.topic_names:
        gone = state.topics.pop(name, None)
        code = Code.NONE if gone else Code.UNKNOWN_TOPIC_OR_PARTITION
        results.append(DeleteTopicsResponse.DeletableTopicResult(name=name, error_code=code))
    return DeleteTopicsResponse(responses=results)


def _create(state: State, wanted: Message, *, dry: bool) -> Message:
    count = DEFAULT_PARTITIONS if wanted.num_partitions == -1 else wanted.num_partitions
    result = CreateTopicsResponse.CreatableTopicResult(
        name=wanted.name, num_partitions=count, replication_factor=1, error_message=None
    )
    if wanted.name in state.topics:
        result.error_code = Code.TOPIC_ALREADY_EXISTS
    elif count < 1:
        result.error_code = Code.INVALID_PARTITIONS
    else:
        topic = Topic.empty(wanted.name, count)
        result.topic_id = topic.id
        if not dry:
            state.topics[wanted.name] = topic
    return result


def _looked_up(state: State, wanted: Message) -> Message:
    if wanted.name is not None:
        topic, missing = state.topics.get(wanted.name), Code.UNKNOWN_TOPIC_OR_PARTITION
    else:
        by_id = (topic for topic in state.topics.values() if topic.id == wanted.topic_id)
        topic, missing = next(by_id, None), Code.UNKNOWN_TOPIC_ID
    if topic is not None:
        return _described(topic)
    return MetadataResponse.MetadataResponseTopic(
        error_code=missing, name=wanted.name, topic_id=wanted.topic_id
    )


def _described(topic: Topic) -> Message:
    return MetadataResponse.MetadataResponseTopic(
        name=topic.name,
        topic_id=topic.id,
        partitions=[
            MetadataResponse.MetadataResponseTopic.MetadataResponsePartition(
                partition_index=index,
                leader_id=NODE_ID,
                leader_epoch=0,
                replica_nodes=[NODE_ID],
                isr_nodes=[NODE_ID],
            )
            for index in range(len(topic.partitions))
        ],
    )
