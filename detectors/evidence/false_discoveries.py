"""Adjusted p-values: the expected share of false ones among the series that are named.

Both rules are step-up rules whose guarantee needs nothing of how series depend on each other.
"""

import numpy as np
import numpy.typing as npt

__all__ = ["adjusted_p_values", "benjamini_yekutieli"]

Array = npt.NDArray[np.float64]

_FIRST = 0.75
"""Of the error for the first discovery; the rest is spread as by Benjamini and Yekutieli.

Who compares two batches asks first whether anything differs, and often one series of many does.
Where many differ, most of their p-values are far smaller than a factor of four."""


def adjusted_p_values(p_values: npt.ArrayLike) -> Array:
    """Return adjusted p-values: naming those up to q has false discovery rate at most q.

    The k-th smallest p-value is compared with ``q b(k) / m``, where ``b(k) = 3 / 4 + k / (4 H)``
    and H is ``1 + 1 / 2 + ... + 1 / m``: three quarters of the error are Bonferroni's, one
    quarter is that of Benjamini and Yekutieli. It holds under any dependence, as it does for
    every ``b(k) = v(1) + 2 v(2) + ... + k v(k)`` whose weights v sum to 1 and do not depend on
    the data; here v(1) is ``3 / 4 + 1 / (4 H)`` and v(j) is ``1 / (4 H j)``. So a single change
    among many series is found nearly as by Bonferroni, and the rule is never more than four times
    as strict as that of Benjamini and Yekutieli. If nothing has changed, anything at all is named
    with probability at most q.

    Parameters
    ----------
    p_values
        Of shape (m,), each valid by itself.

    Returns
    -------
    ndarray
        Of shape (m,), between 0 and 1.

    References
    ----------
    .. [1] G. Blanchard and E. Roquain, Electronic Journal of Statistics 2 (2008), 963-992
       (step-up rules under any dependence).

    Examples
    --------
    >>> adjusted_p_values([0.001, 0.02, 0.5]).round(4)
    array([0.0034, 0.0587, 1.    ])
    """
    p = np.asarray(p_values, dtype=np.float64)
    ranks = np.arange(1, p.size + 1)
    return _stepped_up(p, _FIRST + (1 - _FIRST) * ranks / (1 / ranks).sum())


def benjamini_yekutieli(p_values: npt.ArrayLike) -> Array:
    """Return adjusted p-values: naming those up to q has false discovery rate at most q.

    Holds under any dependence. With few discoveries it is stricter than Bonferroni.

    Parameters
    ----------
    p_values
        Of shape (m,).

    References
    ----------
    .. [1] Y. Benjamini and D. Yekutieli, Annals of Statistics 29 (2001), 1165-1188.

    Examples
    --------
    >>> benjamini_yekutieli([0.001, 0.02, 0.5]).round(4)
    array([0.0055, 0.055 , 0.9167])
    """
    p = np.asarray(p_values, dtype=np.float64)
    ranks = np.arange(1, p.size + 1)
    return _stepped_up(p, ranks / (1 / ranks).sum())


def _stepped_up(p: Array, shape: Array) -> Array:
    order = np.argsort(p, kind="stable")
    scaled = p[order] * p.size / shape
    adjusted = np.empty(p.size)
    adjusted[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return adjusted
