import functools

import pytest

from skdigits import DigitClassifier


@pytest.fixture
def fits(monkeypatch):
    """Epochs of every fit in this process."""
    counted = []
    fit = DigitClassifier.fit

    @functools.wraps(fit)
    def counting(self, *args, **params):
        counted.append(self.epochs)
        return fit(self, *args, **params)

    monkeypatch.setattr(DigitClassifier, "fit", counting)
    return counted
