"""Answers to producers, and to consumers that ask for records or offsets."""

import asyncio

from kafka.protocol.admin import DeleteRecordsRequest, DeleteRecordsResponse
from kafka.protocol.consumer import (
    FetchRequest,
    FetchResponse,
    ListOffsetsRequest,
    ListOffsetsResponse,
    OffsetForLeaderEpochRequest,
    OffsetForLeaderEpochResponse,
)
from kafka.protocol.producer import (
    InitProducerIdRequest,
    InitProducerIdResponse,
    ProduceRequest,
    ProduceResponse,
)

from tests.brokers.small.codes import Code, RefusedError
from tests.brokers.small.requests import Message, answers
from tests.brokers.small.state import State

__all__ = ["delete_records", "epoch_ends", "fetch", "list_offsets", "new_producer", "produce"]


@answers(ProduceRequest, ProduceResponse, 3, 9)
async def produce(state: State, request: Message) -> Message | None:
    """Write records, and wake those who wait for them; acks=0 gets no answer."""
    responses = [
        ProduceResponse.TopicProduceResponse(
            name=topic.name,
            partition_responses=[_written(state, topic.name, p) for p in topic.partition_data],
        )
        for topic in request.topic_data
    ]
    async with state.appended:
        state.appended.notify_all()
    return ProduceResponse(responses=responses) if request.acks != 0 else None


def _written(state: State, topic: str, partition: Message) -> Message:
    answer = ProduceResponse.TopicProduceResponse.PartitionProduceResponse(index=partition.index)
    try:
        log = state.log(topic, partition.index)
        answer.base_offset = log.append(bytes(partition.records or b""))
        answer.log_start_offset = log.start
    except RefusedError as refusal:
        answer.error_code = refusal.code
        answer.base_offset = -1
    return answer


@answers(InitProducerIdRequest, InitProducerIdResponse, 0, 4)
async def new_producer(state: State, request: Message) -> Message:
    """Give an idempotent producer its id; there are no transactions."""
    if request.transactional_id is not None:
        return InitProducerIdResponse(error_code=Code.TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
    return InitProducerIdResponse(producer_id=next(state.producer_ids), producer_epoch=0)


@answers(FetchRequest, FetchResponse, 4, 12)
async def fetch(state: State, request: Message) -> Message:
    """Answer records, at the latest when the time that the consumer would wait is over."""
    if request.max_wait_ms > 0 and _would_wait(state, request):
        try:
            async with asyncio.timeout(request.max_wait_ms / 1000), state.appended:
                await state.appended.wait_for(lambda: not _would_wait(state, request))
        except TimeoutError:
            pass
    left = request.max_bytes
    responses = []
    for topic in request.topics:
        partitions = []
        for partition in topic.partitions:
            answer = _read(state, topic.topic, partition, left)
            left -= len(answer.records or b"")
            partitions.append(answer)
        responses.append(
            FetchResponse.FetchableTopicResponse(topic=topic.topic, partitions=partitions)
        )
    return FetchResponse(responses=responses)


def _would_wait(state: State, request: Message) -> bool:
    size = 0
    for topic in request.topics:
        for partition in topic.partitions:
            try:
                log = state.log(topic.topic, partition.partition)
            except RefusedError:
                return False
            if not log.start <= partition.fetch_offset <= log.end:
                return False
            size += log.size_from(partition.fetch_offset)
    return size < max(request.min_bytes, 1)


def _read(state: State, topic: str, partition: Message, left: int) -> Message:
    answer = FetchResponse.FetchableTopicResponse.PartitionData(
        partition_index=partition.partition, high_watermark=-1, aborted_transactions=None
    )
    try:
        log = state.log(topic, partition.partition)
        answer.high_watermark = answer.last_stable_offset = log.end
        answer.log_start_offset = log.start
        limit = min(left, partition.partition_max_bytes)
        answer.records = log.read(partition.fetch_offset, limit) if left > 0 else b""
    except RefusedError as refusal:
        answer.error_code = refusal.code
    return answer


@answers(ListOffsetsRequest, ListOffsetsResponse, 1, 7)
async def list_offsets(state: State, request: Message) -> Message:
    """Answer the first offset at or after a time, and the ends of the log."""

    def found(topic: str, partition: Message) -> Message:
        answer = ListOffsetsResponse.ListOffsetsTopicResponse.ListOffsetsPartitionResponse(
            partition_index=partition.partition_index
        )
        try:
            log = state.log(topic, partition.partition_index)
            answer.offset, answer.timestamp = log.offset_at(partition.timestamp)
            answer.leader_epoch = 0
        except RefusedError as refusal:
            answer.error_code = refusal.code
        return answer

    return ListOffsetsResponse(
        topics=[
            ListOffsetsResponse.ListOffsetsTopicResponse(
                name=topic.name, partitions=[found(topic.name, p) for p in topic.partitions]
            )
            for topic in request.topics
        ]
    )


@answers(OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse, 2, 4)
async def epoch_ends(state: State, request: Message) -> Message:
    """Answer where the only epoch, 0, ends: at the end of the log."""
    results = []
    for topic in request.topics:
        ends = []
        for wanted in topic.partitions:
            end = OffsetForLeaderEpochResponse.OffsetForLeaderTopicResult.EpochEndOffset(
                partition=wanted.partition
            )
            try:
                end.end_offset = state.log(topic.topic, wanted.partition).end
                end.leader_epoch = 0
            except RefusedError as refusal:
                end.error_code = refusal.code
            ends.append(end)
        results.append(
            OffsetForLeaderEpochResponse.OffsetForLeaderTopicResult(
                topic=topic.topic, partitions=ends
            )
        )
    return OffsetForLeaderEpochResponse(topics=results)


@answers(DeleteRecordsRequest, DeleteRecordsResponse, 0, 2)
async def delete_records(state: State, request: Message) -> Message:
    """Forget records, as retention does."""
    results = []
    for topic in request.topics:
        partitions = []
        for wanted in topic.partitions:
            result = DeleteRecordsResponse.DeleteRecordsTopicResult.DeleteRecordsPartitionResult(
                partition_index=wanted.partition_index, low_watermark=-1
            )
            try:
                log = state.log(topic.name, wanted.partition_index)
                log.delete_before(wanted.offset)
                result.low_watermark = log.start
            except RefusedError as refusal:
                result.error_code = refusal.code
            partitions.append(result)
        results.append(
            DeleteRecordsResponse.DeleteRecordsTopicResult(name=topic.name, partitions=partitions)
        )
    return DeleteRecordsResponse(topics=results)
