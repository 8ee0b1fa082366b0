"""The axes that displays draw on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def make_axes(ax: Axes | None, size: tuple[float, float] | None = None) -> tuple[Axes, Figure]:
    """Return the user's axes, or new ones.

    Parameters
    ----------
    ax : matplotlib Axes or None
        The user's axes; None makes a new figure.
    size : tuple of float, optional
        Width and height of a new figure in inches.

    Returns
    -------
    ax, figure
        The axes and their figure.
    """
    if ax is None:
        import matplotlib.pyplot as plt

        _, ax = plt.subplots(figsize=size, layout="constrained")
    figure: Any = ax.figure
    return ax, figure
