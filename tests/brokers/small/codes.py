"""The error codes of the Kafka protocol that the small broker answers with."""

from enum import IntEnum

__all__ = ["Code", "RefusedError"]


class Code(IntEnum):
    """Error codes, by the names of the protocol's specification."""

    NONE = 0
    OFFSET_OUT_OF_RANGE = 1
    CORRUPT_MESSAGE = 2
    UNKNOWN_TOPIC_OR_PARTITION = 3
    ILLEGAL_GENERATION = 22
    INCONSISTENT_GROUP_PROTOCOL = 23
    UNKNOWN_MEMBER_ID = 25
    REBALANCE_IN_PROGRESS = 27
    UNSUPPORTED_VERSION = 35
    TOPIC_ALREADY_EXISTS = 36
    INVALID_PARTITIONS = 37
    INVALID_REQUEST = 42
    OUT_OF_ORDER_SEQUENCE_NUMBER = 45
    INVALID_PRODUCER_EPOCH = 47
    TRANSACTIONAL_ID_AUTHORIZATION_FAILED = 53
    MEMBER_ID_REQUIRED = 79
    FENCED_INSTANCE_ID = 82
    UNKNOWN_TOPIC_ID = 100


class RefusedError(Exception):
    """A request that is answered with an error code."""

    def __init__(self, code: Code, member_id: str = "") -> None:
        super().__init__(code.name)
        self.code = code
        self.member_id = member_id
