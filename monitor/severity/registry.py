"""Severity policies by name."""

from collections.abc import Mapping
from typing import ClassVar, Protocol, TypeVar, runtime_checkable

from detectors.registry import Registry
from monitor.incidents.suggestion import Suggestion
from monitor.severity.inputs import SeverityInputs

__all__ = [
    "SEVERITY_POLICIES",
    "SeverityPolicy",
    "registered_severity_policies",
    "severity_policy",
]

_C = TypeVar("_C")


@runtime_checkable
class SeverityPolicy(Protocol):
    """A rule that suggests a tier: options as fields, `suggest` as a pure function."""

    name: ClassVar[str]

    @property
    def version(self) -> str:
        """Return what names its numbers; it is kept with every suggestion."""
        ...

    def suggest(self, inputs: SeverityInputs) -> Suggestion:
        """Return the tier that the inputs suggest, with its reasons."""
        ...


SEVERITY_POLICIES: Registry[SeverityPolicy] = Registry(
    kind="severity policy",
    package="monitor.severity",
    entry_points="outputwatch.severity_policies",
)


def severity_policy(cls: type[_C]) -> type[_C]:
    """Register a frozen dataclass as the severity policy called `cls.name`."""
    return SEVERITY_POLICIES.register(cls)


def registered_severity_policies() -> Mapping[str, type[SeverityPolicy]]:
    """Return every severity policy by name: this package's, then those of entry points."""
    return SEVERITY_POLICIES.all()
