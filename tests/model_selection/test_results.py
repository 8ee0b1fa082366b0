import numpy as np
import pytest
from sklearn.exceptions import FitFailedWarning

from skdigits.model_selection.plan import SharedFit
from skdigits.model_selection.results import candidate_outcomes, check_failures, curves
from skdigits.model_selection.scoring import FoldScores

FITS = [SharedFit({}, candidates={0: 4, 2: 2}), SharedFit({}, candidates={1: 3})]
HISTORY = {"loss": [4.0, 3.0, 2.0]}


def scores(*values, **options):
    return FoldScores(fit=1, fold=0, test=list(values), history=HISTORY, **options)


def test_a_candidate_has_its_share_of_the_time():
    shared = FoldScores(0, 0, test=[0.2, 0.4], fit_time=8.0, score_time=1.0)
    first, second, third = candidate_outcomes(FITS, [shared, scores(0.3)], np.nan)
    assert (first["test_scores"], second["test_scores"], third["test_scores"]) == (0.4, 0.3, 0.2)
    assert (first["fit_time"], third["fit_time"]) == (8.0, 4.0)
    assert (first["score_time"], third["score_time"]) == (0.5, 0.5)
    assert np.isnan(second["fit_time"])


def test_what_failed_has_the_error_score_under_every_name():
    failed = FoldScores(0, 0, error="Traceback\nValueError: no")
    outcomes = candidate_outcomes(FITS, [failed, scores({"a": 1, "b": 2})], -1)
    assert outcomes[0]["test_scores"] == {"a": -1, "b": -1}
    assert outcomes[1]["test_scores"] == {"a": 1, "b": 2}
    (shared, _, _) = candidate_outcomes(FITS, [failed, scores(0.5)], -1)
    assert shared["test_scores"] == -1


def test_failed_fits_are_counted():
    failed = FoldScores(0, 0, error="Traceback\nValueError: no")
    check_failures([scores(1)], np.nan)
    with pytest.warns(
        FitFailedWarning, match="1 of 2 fits failed, 1 with the error: ValueError: no"
    ):
        check_failures([failed, scores(1)], np.nan)
    with pytest.raises(ValueError, match="All 2 fits failed, 2 with the error: ValueError: no"):
        check_failures([failed, failed], np.nan)


def test_curves_have_a_row_per_epoch_of_a_fit():
    failed = FoldScores(0, 0, error="Traceback\nValueError: no")
    stopped = FoldScores(
        0, 1, test=[0.2, 0.4], history={"loss": [3.0, 2.0], "val_loss": [1.0, 2.0]}
    )
    found = curves(FITS, [scores(0.5), stopped, failed])
    expected = {
        "fold": [1, 1, 0, 0, 0],
        "candidate": [0, 0, 1, 1, 1],
        "epoch": [1, 2, 1, 2, 3],
        "loss": [3.0, 2.0, 4.0, 3.0, 2.0],
        "val_loss": [1.0, 2.0, np.nan, np.nan, np.nan],
        "score": [np.nan, 0.2, np.nan, np.nan, 0.5],
    }
    assert sorted(found) == sorted(expected)
    for name, column in expected.items():
        np.testing.assert_array_equal(found[name], column, err_msg=name)
