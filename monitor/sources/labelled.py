"""Outputs whose labels come later, from another source: joined by event id."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import annotated_types as at

from monitor.decoding.paths import parse_path
from monitor.sources.base import NestedSource, SourceError, source
from monitor.sources.labelled_stream.joining import Joining
from monitor.sources.leases import LeasedClaims
from monitor.sources.live import LiveSource, LiveStream
from monitor.sources.live_only import LiveOnly

__all__ = ["Labelled"]

Path = Annotated[str, at.MinLen(1)]


@source
@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled(LiveOnly):
    """Outputs of one source with the labels of another, joined by event id by `outputwatch run`.

    An output waits in the monitor's database until its label comes, or `horizon_seconds` have
    passed; then it is counted without one. The schema needs a column of role event_id and one of
    role timestamp, and names the label by its path in the label's record. One worker follows
    both sources.

    Parameters
    ----------
    outputs
        The source of outputs: ``type`` and the options of any source that can be followed.
    labels
        The source of labels, likewise.
    label_id
        Where the event id stands in a label's record.
    label_time
        Where the time of the label stands. Labels must come about in its order.
    columns
        The fields of a label's record that are added to its output, by path.
    horizon_seconds
        How long after its output a label may be dated.
    time
        ``label``: outputs are counted in the window in which their label came, or in which
        the horizon ended. ``output``: in the window of the output's own time, which stays open
        until all its outputs have a label, or for the horizon.
    early_seconds
        How long a label that came before its output waits for it.
    max_waiting
        With more outputs that wait, the oldest are counted without a label, and this is told;
        with more labels that wait for an output, the oldest are given up.
    """

    name: ClassVar[str] = "labelled"
    needs_joining: ClassVar[bool] = True
    outputs: Annotated[Any, NestedSource()]
    labels: Annotated[Any, NestedSource()]
    label_id: Path = "event_id"
    label_time: Path
    columns: Annotated[tuple[Path, ...], at.MinLen(1)]
    horizon_seconds: Annotated[int, at.Ge(1), at.Le(5 * 366 * 86_400)]
    time: Literal["label", "output"] = "label"
    early_seconds: Annotated[int, at.Ge(0), at.Le(366 * 86_400)] = 3_600
    max_waiting: Annotated[int, at.Ge(1)] = 1_000_000

    def __post_init__(self) -> None:
        """Refuse sources that cannot be followed, and paths that are none.

        Raises
        ------
        ValueError
            If an option is wrong.
        """
        for option, side in (("outputs", self.outputs), ("labels", self.labels)):
            is_read = not isinstance(side, dict)
            if is_read and (not isinstance(side, LiveSource) or hasattr(side, "needs_joining")):
                kind = getattr(side, "name", side)
                message = f"{option} must be a source that can be followed, got {kind!r}"
                raise ValueError(message)
        for path in (self.label_id, self.label_time, *self.columns):
            parse_path(path)

    def open(self, claims: LeasedClaims, *, worker: str, joining: Joining) -> LiveStream:
        """Return the joined stream.

        Parameters
        ----------
        claims, worker
            As for `LiveSource.open`.
        joining
            What the join is told of its monitor.

        Raises
        ------
        SourceError
            If another worker follows the sources, or one of them cannot be opened as it is
            configured.
        """
        from monitor.sources.labelled_stream.opening import open_stream

        if isinstance(self.outputs, dict) or isinstance(self.labels, dict):
            message = "outputs and labels must be sources, got mappings; load the configuration"
            raise SourceError(message)
        return open_stream(self, claims, worker=worker, joining=joining)
