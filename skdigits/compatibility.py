"""What of scikit-learn has no public name, or is not in every version supported.

Everything private that is used of scikit-learn stands here.
"""

from __future__ import annotations

from sklearn.utils import _safe_indexing as safe_indexing
from sklearn.utils._param_validation import Interval, InvalidParameterError, StrOptions

__all__ = [
    "CallbackSupportMixin",
    "Interval",
    "InvalidParameterError",
    "StrOptions",
    "safe_indexing",
    "with_callbacks",
]

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # scikit-learn < 1.9

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stand-in where scikit-learn has no callbacks."""

    def with_callbacks(method):
        """Stand-in where scikit-learn has no callbacks.

        Parameters
        ----------
        method : callable
            The method to be decorated.

        Returns
        -------
        callable
            The method itself.
        """
        return method
