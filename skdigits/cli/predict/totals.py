"""Counts of predictions, and their summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from skdigits.cli.console import print_line

SHOWN = 3  # labels in a message
LONGEST = 40  # characters of a label in a message


@dataclass
class Totals:
    """Counts of the predictions that were written.

    Parameters
    ----------
    n_images : int, default=0
        Predicted images.
    n_kept : int, default=0
        Predictions that were not rejected.
    n_labelled : int, default=0
        Kept predictions with a true label that the model can predict.
    n_correct : int, default=0
        Kept predictions that equal their true label.
    n_blank : int, default=0
        Pictures in which no digit is found; their labels are empty.
    n_pages : int, default=0
        Pictures that show lines instead of a single digit; their labels are empty.
    n_unreadable : int, default=0
        Damaged files and files that are not pictures; their labels are empty.
    unknown : Counter
        Number of images per true label that the model cannot predict, such as ``"unknown"``.
    """

    n_images: int = 0
    n_kept: int = 0
    n_labelled: int = 0
    n_correct: int = 0
    n_blank: int = 0
    n_pages: int = 0
    n_unreadable: int = 0
    unknown: Counter[str] = field(default_factory=Counter)

    @property
    def accuracy(self) -> float | None:
        """Accuracy of the kept predictions; None without true labels."""
        return self.n_correct / self.n_labelled if self.n_labelled else None

    def add(
        self,
        labels: np.ndarray,
        kept: np.ndarray,
        target: np.ndarray | None,
        is_known: Callable[..., Any] = lambda label: True,
    ) -> None:
        """Count the predicted `labels` of a chunk, and compare them with the true labels `target`.

        The mask `kept` is False for rejected predictions. `is_known` returns True for a label, as a
        string, that the model can predict.
        """
        self.n_images += len(labels)
        self.n_kept += int(kept.sum())
        if target is None:
            return
        target = target.astype(str)
        unknown = {label for label in np.unique(target).tolist() if not is_known(label)}
        counts = ~np.isin(target, list(unknown))
        self.unknown.update(target[~counts].tolist())
        self.n_labelled += int((kept & counts).sum())
        self.n_correct += int((labels.astype(str) == target)[kept & counts].sum())


def print_totals(totals: Totals, path: Path, reject_below: float) -> None:
    """Print the number of labels, the reasons for empty labels, and the accuracy if it is known.

    `path` is the file that was written; labels with a probability below `reject_below` are empty.
    """
    print_line(f"Wrote {path}: {totals.n_images} labels.")
    n_empty = totals.n_images - totals.n_kept
    n_uncertain = n_empty - totals.n_blank - totals.n_pages - totals.n_unreadable
    reasons = {
        "no digit is found in the pictures": totals.n_blank,
        "the pictures show lines of digits (use skdigits read)": totals.n_pages,
        "the files cannot be read": totals.n_unreadable,
        f"the probability is below {reject_below:g}": n_uncertain,
    }
    for reason, n in reasons.items():
        if n:
            print_line(f"{n} of them {'is' if n == 1 else 'are'} empty, because {reason}.")
    if totals.unknown:
        names = ", ".join(repr(name[:LONGEST]) for name in sorted(totals.unknown)[:SHOWN])
        more = ", …" if len(totals.unknown) > SHOWN else ""
        print_line(
            f"Images with a true label that the model cannot predict: {totals.unknown.total()} "
            f"({names}{more}). The accuracy ignores them."
        )
    if totals.accuracy is not None:
        which = f"{totals.n_labelled} labels that are not empty" if n_empty else "labels"
        print_line(f"Accuracy of the {which}: {totals.accuracy:.4f}")
