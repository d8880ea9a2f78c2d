"""What a source says that can be followed but not read a second time."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from baselines.schema import Schema
from monitor.decoding.base import Decoded, Needs
from monitor.sources.base import SourceError, Unit

__all__ = ["LiveOnly", "OnlyFollowedError"]


class OnlyFollowedError(SourceError):
    """The source can be followed but not read part by part."""


class LiveOnly:
    """Outputs that come once; audits and baselines need files."""

    __slots__ = ()

    name: ClassVar[str]

    def units(self) -> Sequence[Unit]:
        """Refuse: there is no plan of what has not come yet.

        Raises
        ------
        OnlyFollowedError
            Always.
        """
        raise OnlyFollowedError(self._refusal())

    def read(self, unit: Unit, schema: Schema, needs: Needs) -> Iterator[Decoded]:
        """Refuse: there are no units.

        Raises
        ------
        OnlyFollowedError
            Always.
        """
        del unit, schema, needs
        raise OnlyFollowedError(self._refusal())

    def _refusal(self) -> str:
        return (
            f"the source {self.name!r} can be followed with 'outputwatch run' but not read part "
            "by part; audits need a source of type 'files', baselines baseline.reference.paths"
        )
