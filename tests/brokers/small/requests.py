"""The table of requests that the small broker answers; handler modules fill it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from kafka.protocol.api_message import ApiMessage

from tests.brokers.small.state import State

__all__ = ["ANSWERS", "Answer", "Handler", "answers"]

# The messages are classes that kafka-python makes from the protocol's schemas at import.
Message = Any
Handler = Callable[[State, Message], Awaitable[Message | None]]


@dataclass(frozen=True)
class Answer:
    """How one kind of request is read and answered, and in which versions."""

    request: type[ApiMessage]
    response: type[ApiMessage]
    versions: range
    handler: Handler

    @property
    def name(self) -> str:
        """The protocol's name of the request, such as 'Fetch'."""
        return self.request.name.removesuffix("Request")


ANSWERS: dict[int, Answer] = {}


def answers(
    request: type[ApiMessage], response: type[ApiMessage], first: int, last: int
) -> Callable[[Handler], Handler]:
    """Enter the decorated function as the handler of a request, in these versions."""

    def entered(handler: Handler) -> Handler:
        ANSWERS[request.API_KEY] = Answer(request, response, range(first, last + 1), handler)
        return handler

    return entered
