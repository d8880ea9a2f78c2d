"""How many outputs a finding concerns."""

from detectors.base import Finding

__all__ = ["exposed_rows"]


def exposed_rows(finding: Finding) -> int:
    """Return the outputs of the window that a breach concerns.

    Those on the wrong side where the detector can tell, else all that it read: a shift of a
    distribution has no wrong side. It is exposure, not harm: harm is for a person to state.
    """
    return finding.n_rows if finding.n_affected is None else finding.n_affected
