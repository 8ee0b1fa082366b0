"""Results of candidates, computed from the scores of fits."""

from __future__ import annotations

import warnings
from collections import Counter
from typing import Any

import numpy as np
from sklearn.exceptions import FitFailedWarning

from skdigits.model_selection.plan import SharedFit
from skdigits.model_selection.scoring import FoldScores, Score


def check_failures(scores: list[FoldScores], error_score: Any) -> None:
    """Raise a ValueError if all fits failed; warn if some fits failed."""
    errors = [fold.error for fold in scores if fold.error]
    if not errors:
        return
    # The last line of a traceback names the error.
    last_lines = Counter(error.strip().splitlines()[-1] for error in errors)
    error, count = last_lines.most_common(1)[0]
    reason = f"{count} with the error: {error:.160}"
    if len(errors) == len(scores):
        raise ValueError(
            f"All {len(errors)} fits failed, {reason}\nSet error_score='raise' for details."
        )
    warnings.warn(
        f"{len(errors)} of {len(scores)} fits failed, {reason}\nTheir scores are set to "
        f"{error_score}. Set error_score='raise' for details.",
        FitFailedWarning,
        stacklevel=3,
    )


def candidate_outcomes(
    fits: list[SharedFit], scores: list[FoldScores], error_score: Any
) -> list[dict[str, Any]]:
    """List the outcomes of every candidate in every fold.

    Parameters
    ----------
    fits : list of SharedFit
        The fits.
    scores : list of FoldScores
        Scores of all fits in all folds.
    error_score : float
        The score of a fit that failed.

    Returns
    -------
    list of dict
        The outcomes of the first candidate in all folds, then those of the second, and so on:
        ``fit_time``, ``score_time``, ``test_scores`` and, if requested, ``train_scores``. The fit
        time of a candidate is its share of the time of the shared fit, in proportion to its number
        of epochs.
    """
    failed = _failed_score(scores, error_score)
    outcomes: dict[tuple[int, int], dict[str, Any]] = {}
    for fold in scores:
        fit = fits[fold.fit]
        for candidate, epochs in fit.candidates.items():
            at = fit.epochs.index(epochs)
            outcomes[candidate, fold.fold] = {
                "fit_time": fold.fit_time * epochs / fit.epochs[-1],
                "score_time": fold.score_time / len(fit.epochs),
                "test_scores": _score_at(fold.test, at, failed),
                "train_scores": _score_at(fold.train, at, failed),
            }
    return [outcomes[key] for key in sorted(outcomes)]


def curves(fits: list[SharedFit], scores: list[FoldScores]) -> dict[str, np.ndarray]:
    """List the history and the scores of every fit after every epoch.

    Parameters
    ----------
    fits : list of SharedFit
        The fits.
    scores : list of FoldScores
        Scores of all fits in all folds.

    Returns
    -------
    dict of str to ndarray
        Columns with one row per fit, fold and epoch, as in `EpochSearchCV.cv_curves_`.
    """
    rows: list[dict[str, float]] = []
    for fold in sorted(scores, key=lambda fold: (fold.fit, fold.fold)):
        fit = fits[fold.fit]
        longest = max(fit.candidates, key=lambda i: fit.candidates[i])
        tests = dict(zip(fit.epochs, fold.test, strict=False))  # empty if the fit failed
        for i in range(len(fold.history.get("loss", []))):
            row = {"fold": fold.fold, "candidate": longest, "epoch": i + 1}
            history = {name: values[i] for name, values in fold.history.items()}
            rows.append({**row, **history, **_by_name(tests.get(i + 1, {}))})
    names = list(dict.fromkeys(name for row in rows for name in row))
    return {name: np.array([row.get(name, np.nan) for row in rows]) for name in names}


def _failed_score(scores: list[FoldScores], error_score: Any) -> Score:
    """Return the score of a failed fit, which is a dict if other fits have several scores."""
    for fold in scores:
        for score in fold.test:
            if isinstance(score, dict):
                return dict.fromkeys(score, error_score)
    return error_score


def _score_at(values: list[Score] | None, index: int, failed: Score) -> Score:
    """Return one of the scores, or `failed` if the fit or a multi-metric scorer failed."""
    score = values[index] if values else failed
    return failed if isinstance(failed, dict) and not isinstance(score, dict) else score


def _by_name(score: Score | dict[str, float]) -> dict[str, float]:
    return score if isinstance(score, dict) else {"score": score}
