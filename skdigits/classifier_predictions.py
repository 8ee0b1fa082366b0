"""Predictions of a fitted DigitClassifier."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from skdigits.checks.parameters import check_top
from skdigits.checks.pixel_ranges import pixel_dtype
from skdigits.classifier_checks import check_images, warn_if_rows_differ
from skdigits.estimator import NetworkEstimator, engine_of, keeps_epochs
from skdigits.inference.probabilities import classify
from skdigits.metrics import plain_labels
from skdigits.networks.trained import TrainedNetwork
from skdigits.sklearn_compat import available_if

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


class ClassifierPredictions(ClassifierMixin, NetworkEstimator):
    """Base class with the methods that predict labels, probabilities and features."""

    classes_: np.ndarray
    image_shape_: tuple[int, int, int]
    n_features_in_: int

    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Predict class probabilities.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
(n_samples, height, width, channels)
            Images of the size seen in fit.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities, in the order of `classes_`.
        """
        return self._predict_proba(X)[1]

    def predict_log_proba(self, X: ArrayLike) -> np.ndarray:
        """Predict the logarithms of class probabilities.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
(n_samples, height, width, channels)
            Images of the size seen in fit.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Natural logarithms, in the order of `classes_`; -inf for a probability of 0.
        """
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Predict labels.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
(n_samples, height, width, channels)
            Images of the size seen in fit.

        Returns
        -------
        ndarray of shape (n_samples,)
            The most probable label of each image.
        """
        classes, probability = self._predict_proba(X)
        return classes[probability.argmax(axis=1)]

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Compute the accuracy: the share of images whose predicted label is correct.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
(n_samples, height, width, channels)
            Images of the size seen in fit.
        y : array-like of shape (n_samples,)
            True labels of the images.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the images.

        Returns
        -------
        float
            Accuracy, from 0 to 1 (best).
        """
        return super().score(X, plain_labels(y), sample_weight)

    def predict_top_k(self, X: ArrayLike, k: int = 3) -> tuple[np.ndarray, np.ndarray]:
        """Find the `k` most probable labels of each image.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
(n_samples, height, width, channels)
            Images of the size seen in fit.
        k : int, default=3
            Number of labels per image, from 1 to the number of classes.

        Returns
        -------
        labels : ndarray of shape (n_samples, k)
            The labels, the most probable first.
        probability : ndarray of shape (n_samples, k)
            Probabilities of these labels.

        Raises
        ------
        ValueError
            If `k` is not a whole number from 1 to the number of classes.
        """
        check_is_fitted(self)
        k = check_top(k, len(self.classes_))
        classes, probability = self._predict_proba(X)
        order = np.argsort(-probability, axis=1, kind="stable")[:, :k]
        return classes[order], np.take_along_axis(probability, order, axis=1)

    def predict_confidence(self, X: ArrayLike) -> np.ndarray:
        """Compute the probability of each predicted label.

        This probability can be used to reject uncertain predictions.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
(n_samples, height, width, channels)
            Images of the size seen in fit.

        Returns
        -------
        ndarray of shape (n_samples,)
            The maximum of each row of `predict_proba`.
        """
        return self.predict_proba(X).max(axis=1)

    def transform(self, X: ArrayLike) -> np.ndarray:
        """Compute features of images: the input of the last layer of the network.

        Features can be used to find outliers and neighbours. For example, a Pipeline of a
        classifier and ``LocalOutlierFactor(metric="cosine", novelty=True)`` separates digits from
        other images.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
(n_samples, height, width, channels)
            Images of the size seen in fit.

        Returns
        -------
        ndarray of shape (n_samples, n_features_out)
            Features. For 28×28 images and the default number of filters, there are 64 with
            ``"deep"``, 44 with ``"lenet"``, 12 with ``"tiny"`` and 400 with ``"compact"``.

        Raises
        ------
        ValueError
            If a user's architecture is not a Sequential or functional model whose last layer has
            one input.
        """
        network, _, rows = self._check(X)
        return classify(network, rows, features=True, engine=engine_of(network))

    @property
    def _n_features_out(self) -> int:
        blank = np.zeros((1, self.n_features_in_), np.uint8)
        return classify(self._network, blank, features=True, engine=engine_of(self._network)).shape[
            1
        ]

    @available_if(keeps_epochs)
    def staged_predict_proba(self, X: ArrayLike) -> Iterator[np.ndarray]:
        """Predict class probabilities after each kept epoch.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
(n_samples, height, width, channels)
            Images of the size seen in fit.

        Yields
        ------
        ndarray of shape (n_samples, n_classes)
            Probabilities, in the order of the kept epochs.
        """
        network, _, rows = self._check(X)
        for weights in self._kept_weights():
            yield classify(replace(network, weights=weights), rows, engine=engine_of(network))

    @available_if(keeps_epochs)
    def staged_predict(self, X: ArrayLike) -> Iterator[np.ndarray]:
        """Predict labels after each kept epoch.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
(n_samples, height, width, channels)
            Images of the size seen in fit.

        Yields
        ------
        ndarray of shape (n_samples,)
            Labels, in the order of the kept epochs.
        """
        for probability in self.staged_predict_proba(X):
            yield self.classes_[probability.argmax(axis=1)]

    def _predict_proba(self, X: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """Return the classes and the probabilities."""
        network, classes, rows = self._check(X)
        return classes, classify(network, rows, engine=engine_of(network))

    def _check(self, X: Any) -> tuple[TrainedNetwork, np.ndarray, np.ndarray]:
        """Return the network, its classes, and the validated images as rows of pixels."""
        if not self.__sklearn_is_fitted__():
            check_is_fitted(self)  # raises an error; it is slow, and therefore not always called
        fitted = vars(self)  # read once, because a fit in another thread may replace attributes
        network, classes = fitted["_network"], fitted["classes_"]
        if self._are_images_of_bytes(X):
            rows = X.reshape(len(X), -1)
        else:
            rows, _ = check_images(self, X, reset=False)
        pixel_dtype(rows, network.key.spec.dtype)  # raises if the values are too large
        warn_if_rows_differ(rows, network)
        return network, classes, rows

    def _are_images_of_bytes(self, X: Any) -> bool:
        """Return True if `X` is surely valid, so that the slow checks can be skipped."""
        if type(X) is not np.ndarray or X.dtype != np.uint8 or hasattr(self, "feature_names_in_"):
            return False
        height, width, channels = self.image_shape_
        n, *shape = X.shape or (0,)
        forms = [[self.n_features_in_]]
        if height * width * channels == self.n_features_in_:  # else, rows were padded in fit
            forms += [[height, width, channels], [height, width]][: 2 if channels == 1 else 1]
        return n > 0 and shape in forms
