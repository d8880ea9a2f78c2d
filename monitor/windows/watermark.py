"""How far a stream has come: the watermark, and what is late."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from monitor.windows.spec import TumblingWindows

__all__ = ["Watermark"]

_BEFORE_ALL_TIME = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True)
class Watermark:
    """The event time up to which everything is assumed to have arrived.

    It follows the newest event time at the distance of the allowed lateness and never goes
    back. A window whose end it has passed is closed; an event for such a window is late.

    Parameters
    ----------
    us
        Microseconds since the epoch; at the beginning, before all time.
    """

    us: int = _BEFORE_ALL_TIME

    def advanced(self, time_us: npt.NDArray[np.int64], windows: TumblingWindows) -> "Watermark":
        """Return the watermark after events at `time_us`, int64 of shape (n_rows,)."""
        if len(time_us) == 0:
            return self
        newest = int(time_us.max()) - windows.allowed_lateness_seconds * 1_000_000
        return Watermark(max(self.us, newest))

    def late(
        self, time_us: npt.NDArray[np.int64], windows: TumblingWindows
    ) -> npt.NDArray[np.bool_]:
        """Return which events belong to a closed window, boolean of shape (n_rows,)."""
        ends = windows.starts(time_us) + windows.length_us
        return ends <= self.us
