"""What a rollback adapter is: it reads a plane, says what a switch would change, and switches."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, TypeVar, runtime_checkable

from detectors.registry import Registry
from monitor.incidents.records import Record

__all__ = [
    "ADAPTERS",
    "PROBES",
    "Adapter",
    "Applied",
    "Diff",
    "Observed",
    "Probe",
    "registered_adapters",
    "registered_probes",
    "rollback_adapter",
    "serving_probe",
]

_C = TypeVar("_C")


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What a plane says is in force.

    Parameters
    ----------
    value
        What identifies it: two observations with the same value serve the same thing.
    reference
        What `Adapter.apply` must be given as `to` to come back here.
    revision
        What a switch compares before it writes: it changes with every write to the plane.
    detail
        What else there is to keep as evidence.
    """

    value: str
    reference: str
    revision: str
    detail: Record = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """What a switch would change.

    Parameters
    ----------
    from_value, to_value
        The `Observed.value` of now and of after.
    text
        The change in words and lines that a person can approve. The same state gives the same
        text, for approvals are bound to it.
    """

    from_value: str
    to_value: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What a plane answered to a switch that it made or accepted."""

    revision: str = ""
    detail: Record = field(default_factory=dict)


@runtime_checkable
class Adapter(Protocol):
    """Switches one target on one plane; a frozen dataclass whose fields are its options."""

    name: ClassVar[str]

    @property
    def timeout_seconds(self) -> float:
        """Return how long one call to the plane may take."""
        ...

    def observe(self) -> Observed:
        """Return what is in force, read from the plane itself and from no cache.

        Raises
        ------
        UnreadableError
            If it cannot be read.
        """
        ...

    def diff(self, to: str) -> Diff:
        """Return what a switch to `to` would change; nothing is written.

        Raises
        ------
        UnreadableError
            If the plane cannot be read, or has no `to`.
        """
        ...

    def apply(self, expect: Observed, to: str, *, key: str) -> Applied:
        """Switch to `to` if `expect` is still in force.

        Parameters
        ----------
        expect
            What was observed last.
        to
            A reference that `diff` accepted.
        key
            Names this execution: a plane that knows it already does nothing again.

        Raises
        ------
        MovedError
            If something else is in force by now.
        NotAppliedError, UnreadableError
            If the switch was certainly not made.
        OutcomeUnknownError
            If it was sent, and its outcome is not known.
        """
        ...


@runtime_checkable
class Probe(Protocol):
    """Asks the serving path what it serves; a frozen dataclass whose fields are its options."""

    name: ClassVar[str]

    @property
    def timeout_seconds(self) -> float:
        """Return how long one read may take."""
        ...

    def read(self) -> str:
        """Return what is served now.

        Raises
        ------
        UnreadableError
            If the serving path does not say.
        """
        ...


ADAPTERS: Registry[Any] = Registry(
    kind="rollback adapter",
    package="monitor.rollbacks.adapters",
    entry_points="outputwatch.rollback_adapters",
)
PROBES: Registry[Any] = Registry(
    kind="serving probe",
    package="monitor.rollbacks.probes",
    entry_points="outputwatch.serving_probes",
)


def rollback_adapter(cls: type[_C]) -> type[_C]:
    """Register a frozen dataclass as the rollback adapter called `cls.name`."""
    return ADAPTERS.register(cls)


def serving_probe(cls: type[_C]) -> type[_C]:
    """Register a frozen dataclass as the serving probe called `cls.name`."""
    return PROBES.register(cls)


def registered_adapters() -> Mapping[str, type[Any]]:
    """Return every rollback adapter by name: this package's, then those of entry points."""
    return ADAPTERS.all()


def registered_probes() -> Mapping[str, type[Any]]:
    """Return every serving probe by name: this package's, then those of entry points."""
    return PROBES.all()
