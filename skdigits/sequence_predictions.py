"""Predictions of a fitted DigitSequenceRecognizer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skdigits.checks.parameters import check_top
from skdigits.estimator import NetworkEstimator, engine_of, keeps_epochs
from skdigits.inference import ctc
from skdigits.inference.lines import read_sequences, read_views, score_frames
from skdigits.inference.patterns import Automaton
from skdigits.metrics import exact_match_score
from skdigits.networks.labels import as_strings
from skdigits.networks.trained import TrainedNetwork
from skdigits.pictures.line_images import LineImages
from skdigits.sequence_checks import as_bytes, check_lines, check_not_one_line, warn_if_lines_differ
from skdigits.sklearn_compat import available_if

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from skdigits.typing import Images


class SequencePredictions(NetworkEstimator):
    """Base class with the methods that predict sequences, confidences and positions."""

    characters_: str
    n_features_in_: int
    image_shape_: tuple[int, int]
    test_time_augmentation: bool

    def predict(self, X: Images) -> np.ndarray:
        """Recognize sequences.

        Parameters
        ----------
        X : array-like or list of array-like
            Images of any width, as for `fit`.

        Returns
        -------
        ndarray of shape (n_samples,), str
            The digits and signs from left to right; ``""`` if no digit is recognized.
        """
        return self.predict_top_k(X, k=1)[0][:, 0]

    def predict_confidence(self, X: Images) -> np.ndarray:
        """Compute the probability of each predicted sequence.

        This probability can be used to reject uncertain predictions.

        Parameters
        ----------
        X : array-like or list of array-like
            Images of any width, as for `fit`.

        Returns
        -------
        ndarray of shape (n_samples,)
            Probabilities of the sequences that `predict` returns.
        """
        return self.predict_top_k(X, k=1)[1][:, 0]

    def predict_top_k(
        self, X: Images, k: int = 3, *, pattern: str | Sequence[str] | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Find the `k` most probable sequences for each image.

        Parameters
        ----------
        X : array-like or list of array-like
            Images of any width, as for `fit`.
        k : int, default=3
            Number of sequences per image, from 1 to 10.
        pattern : str or list of str, default=None
            Pattern that the sequences must match, as for `skdigits.read`. The returned sequences
            contain the signs of the pattern.

        Returns
        -------
        sequences : ndarray of shape (n_samples, k), str
            The sequences, the most probable first. If fewer than `k` sequences match, the last ones
            are ``""`` with probability 0.
        probability : ndarray of shape (n_samples, k)
            Probabilities of these sequences. All possible sequences, matching or not, have a total
            probability of 1.

        Raises
        ------
        ValueError
            If `k` is not a whole number from 1 to 10, or `pattern` is not valid.
        """
        check_is_fitted(self)
        k = check_top(k, ctc.MOST_SEQUENCES)
        automaton = None if pattern is None else Automaton(pattern, self.characters_)
        return self._read(*self._check(X), k, automaton)

    @available_if(keeps_epochs)
    def staged_predict(self, X: Images) -> Iterator[np.ndarray]:
        """Recognize sequences with the weights after each kept epoch.

        Parameters
        ----------
        X : array-like or list of array-like
            Images of any width, as for `fit`.

        Yields
        ------
        ndarray of shape (n_samples,), str
            The sequences, in the order of the kept epochs.
        """
        check_is_fitted(self)
        network, lines = self._check(X)
        for weights in self._kept_weights():
            yield self._read(replace(network, weights=weights), lines, 1)[0][:, 0]

    def locate(self, X: Images) -> np.ndarray:
        """Find the bounding boxes of the predicted digits and signs.

        Parameters
        ----------
        X : array-like or list of array-like
            Images of any width, as for `fit`.

        Returns
        -------
        ndarray of shape (n_samples, max_length, 4), int64
            Left, top, right and bottom of the ink of each character, in pixels of `X`. Right and
            bottom are the first column and row outside the ink. After the last character, all
            values are -1.
        """
        check_is_fitted(self)
        network, lines = self._check(X)
        if not all(np.isfinite(w).all() for w in network.weights):
            raise ValueError(
                "The weights have diverged, so digits cannot be located. Lower learning_rate, and "
                "fit again."
            )
        sequences = self._read(network, lines, 1)[0][:, 0]
        scores = score_frames(network, lines, engine=engine_of(network))
        boxes = np.full((len(lines), max(1, max(map(len, sequences))), 4), -1)
        for i, (sequence, frame_scores) in enumerate(zip(sequences, scores, strict=True)):
            labels = [self.characters_.index(character) for character in sequence]
            centres = ctc.digit_centres(frame_scores, labels)
            pixels = centres * network.key.spec.columns_per_frame
            boxes[i, : len(sequence)] = lines.boxes(i, pixels)
        return boxes

    def score(self, X: Images, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Compute the exact match: the share of sequences recognized without a mistake.

        Parameters
        ----------
        X : array-like or list of array-like
            Images of any width, as for `fit`.
        y : array-like of shape (n_samples,)
            True sequences: strings, or whole numbers for sequences of one digit.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the sequences.

        Returns
        -------
        float
            Exact match, from 0 to 1 (best).
        """
        return exact_match_score(y, self.predict(X), sample_weight=sample_weight)

    def _read(
        self,
        network: TrainedNetwork,
        lines: LineImages,
        k: int,
        automaton: Automaton | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the `k` most probable sequences as strings, and their probabilities."""
        read = read_views if self.test_time_augmentation else read_sequences
        engine = engine_of(network)
        digits, log_probability = read(network, lines, top=k, engine=engine, automaton=automaton)
        spelled = as_strings(digits.reshape(-1, digits.shape[2]), self.characters_)
        if automaton is not None:
            spelled = np.array([automaton.text(sequence) for sequence in spelled])
        return spelled.reshape(-1, k), np.exp(log_probability)

    def _check(self, X: Any) -> tuple[TrainedNetwork, LineImages]:
        """Return the network, and the validated images as uint8."""
        network = self._network
        check_not_one_line(self, X)
        lines = check_lines(self, X, reset=False)
        warn_if_lines_differ(lines, network)
        return network, as_bytes(lines, network)
