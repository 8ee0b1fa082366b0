"""DigitSequenceRecognizer: recognizes images of several digits."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Never, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted, validate_data

from skdigits.checks.images import warn_if_padded
from skdigits.checks.parameters import check_top
from skdigits.checks.pixels import PixelRange, warn_if_other_range
from skdigits.checks.weights import check_weights
from skdigits.estimator import ADAPT_RATE, NetworkEstimator, engine_of, keeps_epochs
from skdigits.inference import ctc
from skdigits.inference.reading import read_sequences, read_views, score_frames
from skdigits.metrics import as_sequences, exact_match_score, plain_labels, without_objects
from skdigits.networks.architectures import N_LABELS, READER
from skdigits.networks.spec import NetworkSpec
from skdigits.networks.trained import TrainedNetwork
from skdigits.pictures.line_images import HEIGHT, LineImages
from skdigits.sklearn_compat import Interval, StrOptions, available_if, with_callbacks
from skdigits.synthesis.composition import (
    STYLES,
    DigitSource,
    Style,
    check_digits,
    epoch_seed,
    make_style,
)
from skdigits.training.task import Samples, TrainingTask, split_validation

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from skdigits.synthesis.handwriting import Writer
    from skdigits.typing import Configurable, Images, ImageShape, Lengths, RandomState, StrPath

SEQUENCE_BATCH = 64
READER_SPEC = NetworkSpec.of(READER, (HEIGHT, None, 1), N_LABELS, (), "float32")
COLUMNS_PER_FRAME = READER_SPEC.columns_per_frame
VALIDATION_DRAW = 2**31  # no epoch has this number
TILES: dict[str, Any] = {
    "gap": (-6, 8),
    "shift": 2,
    "rotation": 15,
    "scale": 0.15,
}  # of the style "tiles"
ADAPT_SEQUENCES = 1000  # given ones, and as many generated ones, per epoch
WITH_MARGINS = 0.2  # share of the generated sequences, so that margins are read as no digit
BLANK = PixelRange(0.0, 1.0, 0.0)  # where all images of fit are blank


class DigitSequenceRecognizer(NetworkEstimator):
    """Convolutional network that recognizes sequences of digits of any length.

    It is trained on images of sequences, or on images of single digits. From single digits, it
    generates new sequences for every epoch. The network computes scores per two columns of pixels
    and is trained by connectionist temporal classification. Its receptive field is 60 columns, so
    that it can recognize longer sequences than those it was trained on.

    Parameters
    ----------
    filters : int, default=None
        Number of filters of the first convolution; None means 16. Later ones have up to eight times
        as many.
    dropout : float, default=None
        Share of activations set to zero in training, in [0, 1); None means 0.2.
    l2 : float, default=0.0
        L2 penalty on the kernels.
    optimizer : {"adadelta", "adagrad", "adam", "adamax", "adamw", "nadam", "rmsprop", "sgd"} or \
keras.optimizers.Optimizer, default="adamw"
        As for `DigitClassifier`.
    learning_rate : float or "auto", default="auto"
        Maximum learning rate. ``"auto"`` is 0.003 for ``"adam"`` and ``"adamw"`` with a schedule,
        else the optimizer's default.
    schedule : {"averaged", "one_cycle", None}, default="averaged"
        As for `DigitClassifier`: a constant rate and averaged weights, one cycle over all
        epochs, or a constant rate.
    epochs : int, default=15
        Number of epochs.
    batch_size : int or "auto", default="auto"
        Sequences per gradient step; ``"auto"`` is 64, or less for few sequences.
    style : {"tiles", "handwritten", "mixed"}, default="handwritten"
        How sequences are generated from single digits, as for `make_digit_sequences`: whole images
        side by side; written by one hand; or the same with printed and seven-segment digits.
    lengths : int, tuple of (int, int), list of int or dict of int to float, default=(1, 8)
        Lengths of the sequences generated for training, as for `make_digit_sequences`.
    gap : int or tuple of (int, int), default=None
        Pixels between the images of two digits, after these are rescaled to a height of 28 pixels;
        None is (-6, 8). This and the next six parameters belong to the style ``"tiles"``.
    shift : int, default=None
        Maximum vertical shift of a digit in pixels, up or down; None is 2.
    rotation : float, default=None
        Maximum rotation of a digit in degrees, in both directions; None is 15.
    scale : float, default=None
        Maximum relative change of the size of a digit, below 1; None is 0.15.
    noise : float, default=None
        Standard deviation of normal noise on every pixel, in grey levels (0–255); None is 0.
    shear : float, default=None
        Maximum shear of a digit in degrees, in both directions; None is 0.
    elastic : float, default=None
        Maximum standard deviation, in pixels, of the smooth random displacement of the pixels of a
        digit; None is 0. It improves the accuracy of long training.
    sequences_per_epoch : int, default=10000
        Number of sequences generated from single digits for each epoch.
    image_shape : tuple of int, default=None
        Height and width of the images where `X` holds flat rows of pixels; None means a square.
    validation_fraction : float, default=None
        Share of the digits, or of the sequences, held out for validation; None means 0.1 with
        `early_stopping`, otherwise no validation.
    early_stopping : bool, default=False
        Whether to stop when ``val_loss`` has not improved for `patience` epochs, and to restore the
        best weights.
    patience : int, default=5
        Number of epochs without improvement after which training stops.
    warm_start : bool or "adapt", default=False
        Whether `fit` continues from the weights of the previous fit. ``"adapt"`` is for few samples
        of another hand or camera: the learning rate is a tenth; of given sequences, an epoch has
        1,000 with small changes of slant, width and height, and 1,000 that are generated in the
        style ``"mixed"`` from handwriting-like type, so that other digits are not forgotten.
    keep_epochs : bool or list of int, default=False
        Epochs (from 1) whose weights are kept for `staged_predict`; True keeps all.
    callbacks : list of keras.callbacks.Callback, default=None
        Keras callbacks; each fit uses copies.
    checkpoint : str or path-like, default=None
        Folder where the state of `fit` is written after each epoch. A fit with the same parameters,
        data and seed that was broken off goes on from there, and ends bit for bit as an undisturbed
        one; at the end the file is removed. Other fits may have the same folder. The state of
        `callbacks` is not written, nor does `skdigits.save` save this parameter.
    test_time_augmentation : bool, default=False
        Whether each image is read in four ways, as it is, narrower, and slanted to both sides, and
        the probability of a sequence is the mean of all. Real handwriting is read better, and the
        confidence of mistakes is lower; it takes four times as long.
    dtype : {"float32", "float64"}, default="float32"
        Type of weights and arithmetic.
    verbose : int or bool, default=0
        1 shows a progress bar, 2 a line per epoch.
    random_state : int, RandomState instance or None, default=None
        Random generator for initial weights, order of samples, generated sequences and validation
        set. An int gives bit-identical weights.

    Attributes
    ----------
    history_ : dict of str to list of float
        ``loss``, the negative logarithm of the probability of a sequence, and ``accuracy``, the
        share of sequences recognized without a mistake, per epoch; with validation ``val_loss`` and
        ``val_accuracy``.
    n_iter_ : int
        Number of epochs trained.
    n_features_in_ : int
        Number of pixels of an image seen in fit; only where all images have the same size.
    image_shape_ : tuple of int
        Height and width of the images seen in fit, where they have the same size.

    See Also
    --------
    DigitClassifier : For single digits.
    skdigits.datasets.make_digit_sequences : Generate sequences of digits.
    skdigits.metrics : Metrics of predicted sequences.

    References
    ----------
    Graves et al., "Connectionist temporal classification: labelling unsegmented sequence data with
    recurrent neural networks" (2006).

    Examples
    --------
    >>> from skdigits import DigitSequenceRecognizer
    >>> from skdigits.datasets import load_digits, make_digit_sequences
    >>> digits = load_digits()
    >>> X, y = make_digit_sequences(digits.images, digits.target, 5, random_state=0)

    Training with one epoch of 100 sequences takes a second, and is too short to read well; leave
    out both arguments for a recognizer that does.

    >>> recognizer = DigitSequenceRecognizer(style="tiles", epochs=1, sequences_per_epoch=100)
    >>> recognizer.fit(digits.images, digits.target).predict(X).shape
    (5,)
    """

    n_features_in_: int
    image_shape_: tuple[int, int]

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **NetworkEstimator._parameter_constraints,
        "style": [StrOptions(set(STYLES))],
        "lengths": [tuple, list, dict, Integral],
        "gap": [tuple, list, Integral, None],
        "shift": [Interval(Integral, 0, None, closed="left"), None],
        "rotation": [Interval(Real, 0, 180, closed="both"), None],
        "scale": [Interval(Real, 0, 1, closed="left"), None],
        "noise": [Interval(Real, 0, None, closed="left"), None],
        "shear": [Interval(Real, 0, 90, closed="left"), None],
        "elastic": [Interval(Real, 0, None, closed="left"), None],
        "sequences_per_epoch": [Interval(Integral, 1, None, closed="left")],
        "test_time_augmentation": ["boolean"],
    }

    def __init__(
        self,
        *,
        filters: int | None = None,
        dropout: float | None = None,
        l2: float = 0.0,
        optimizer: str | Configurable = "adamw",
        learning_rate: float | Literal["auto"] = "auto",
        schedule: Literal["averaged", "one_cycle"] | None = "averaged",
        epochs: int = 15,
        batch_size: int | Literal["auto"] = "auto",
        style: Literal["tiles", "handwritten", "mixed"] = "handwritten",
        lengths: Lengths = (1, 8),
        gap: int | Sequence[int] | None = None,
        shift: int | None = None,
        rotation: float | None = None,
        scale: float | None = None,
        noise: float | None = None,
        shear: float | None = None,
        elastic: float | None = None,
        sequences_per_epoch: int = 10_000,
        image_shape: ImageShape | None = None,
        validation_fraction: float | None = None,
        early_stopping: bool = False,
        patience: int = 5,
        warm_start: bool | Literal["adapt"] = False,
        keep_epochs: bool | Sequence[int] | np.ndarray = False,
        callbacks: Sequence[Any] | None = None,
        checkpoint: StrPath | None = None,
        test_time_augmentation: bool = False,
        dtype: Literal["float32", "float64"] = "float32",
        verbose: int = 0,
        random_state: RandomState = None,
    ) -> None:
        self.filters = filters
        self.dropout = dropout
        self.l2 = l2
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.epochs = epochs
        self.batch_size = batch_size
        self.style = style
        self.lengths = lengths
        self.gap = gap
        self.shift = shift
        self.rotation = rotation
        self.scale = scale
        self.noise = noise
        self.shear = shear
        self.elastic = elastic
        self.sequences_per_epoch = sequences_per_epoch
        self.image_shape = image_shape
        self.validation_fraction = validation_fraction
        self.early_stopping = early_stopping
        self.patience = patience
        self.warm_start = warm_start
        self.keep_epochs = keep_epochs
        self.callbacks = callbacks
        self.checkpoint = checkpoint
        self.test_time_augmentation = test_time_augmentation
        self.dtype = dtype
        self.verbose = verbose
        self.random_state = random_state

    # -- fitting -------------------------------------------------------------------------

    @with_callbacks
    def fit(
        self,
        X: Images,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        X_val: Images | None = None,
        y_val: ArrayLike | None = None,
        **unknown: Never,
    ) -> Self:
        """Train the network.

        If an exception is raised, whatever its cause, the recognizer does not change.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
(n_samples, height, width, 1), or list of array-like of shape (height, width)
            Images of any real dtype, bright on dark. They are rescaled to a height of 28 pixels.
        y : array-like of shape (n_samples,)
            Labels: strings of digits for images of sequences, or whole numbers 0–9 for images of
            single digits, from which sequences are generated.
        sample_weight : array-like of shape (n_samples,), default=None
            Sample weights of 0 or more; only their ratios matter. A digit with twice the weight is
            drawn twice as often.
        X_val : array-like or list of array-like, default=None
            Images to validate on after each epoch, instead of a share of `X`.
        y_val : array-like of shape (n_val,), default=None
            Labels of `X_val`: strings, or whole numbers 0–9. If both `y` and `y_val` are whole
            numbers, sequences are generated from these digits, too.
        **unknown
            Any other argument raises an error that says where to pass it.

        Returns
        -------
        self : DigitSequenceRecognizer
            The fitted recognizer.

        Raises
        ------
        ValueError
            If a parameter, the images or the labels are not valid; raised before training starts.
        TypeError
            If there are other arguments.
        """
        self._check_fit_parameters(unknown)
        self._check_parameters()
        user_callbacks = self._copy_callbacks()
        checked = copy.copy(self)
        y, y_val = plain_labels(y), plain_labels(y_val)
        task = checked._describe_fit(X, y, sample_weight, X_val, y_val)
        return self._train(checked, task, user_callbacks, fit_input=(X, y, sample_weight))

    def _describe_fit(
        self, X: Any, y: Any, sample_weight: Any, X_val: Any, y_val: Any
    ) -> TrainingTask:
        """Check the arguments of fit, and return the training task."""
        resume, adapts = self._resumes()
        fraction = self._validation_share(X_val, y_val)
        lines = self._check_images(X, reset=not resume)
        y = _check_labels(y, len(lines))
        weights = check_weights(sample_weight, None, y, None)
        parameters = "filters, dropout, l2 and dtype"
        start = self._start(self._network_spec(resume), resume, parameters, adapts)
        if resume:
            _warn_if_other_range(lines, start)
        else:
            seen = lines.pixel_range() or BLANK
            start = replace(start, pixel_range=seen, pixel_dtype=lines.dtype.name, scale=1 / 255)
        lines = self._as_bytes(lines, start)
        held_out = None
        if X_val is not None:
            held_out = self._check_images(X_val, reset=False)
            _warn_if_other_range(held_out, start)
            held_out = self._as_bytes(held_out, start), _check_labels(y_val, len(held_out))
        describe = self._describe_sequences if y.dtype.kind == "U" else self._describe_digits
        options = describe(lines, y, weights, fraction, held_out, start.seed)
        if adapts:
            options["rate_factor"] = ADAPT_RATE
            if y.dtype.kind == "U":
                options |= self._describe_adapting(lines, y, options["draw"](0), start.seed)
        return self._task(start, pixel_dtype=np.dtype(np.uint8), **options)

    def _check_parameters(self) -> None:
        super()._check_parameters()
        self._style()

    def _style(self) -> Style:
        names = ("gap", "shift", "rotation", "scale", "noise", "shear", "elastic")
        tiles = {name: getattr(self, name) for name in names}
        return make_style(self.style, self.lengths, TILES, tiles)

    def _network_spec(self, resume: bool) -> NetworkSpec:
        name = self._network.key.spec.architecture if resume else READER
        options = self._network_options("filters", "dropout", "l2")
        shape = HEIGHT, None, 1
        return NetworkSpec.of(name, shape, N_LABELS, options, self.dtype)

    def _describe_digits(
        self,
        lines: LineImages,
        digits: np.ndarray,
        weights: np.ndarray | None,
        fraction: float | None,
        held_out: tuple[LineImages, np.ndarray] | None,
        seed: int,
    ) -> dict[str, Any]:
        """The part of a task that generates sequences from single digits."""
        images = lines.same_width()
        if self.style == "tiles":
            self._check_overlap(images.shape[2])
        weights = np.ones(len(digits)) if weights is None else weights
        indices = np.flatnonzero(weights)
        validation = None
        if fraction is not None:
            indices, chosen = split_validation(indices, digits, fraction, seed)
            source = self._source(images[chosen], digits[chosen], weights[chosen])
            n_sequences = max(1, round(fraction * self.sequences_per_epoch))
            validation = self._draw(source, n_sequences, seed, VALIDATION_DRAW)
        elif held_out is not None and held_out[1].dtype.kind != "U":
            source = self._source(held_out[0].same_width(), held_out[1], None)
            n_sequences = max(1, self.sequences_per_epoch // 10)
            validation = self._draw(source, n_sequences, seed, VALIDATION_DRAW)
        elif held_out is not None:
            validation = _sequence_samples(*held_out)
        digits_used = images[indices], digits[indices], weights[indices]
        source = self._source(*digits_used)
        return {
            "draw": lambda epoch: self._draw(source, self.sequences_per_epoch, seed, epoch),
            "draws_anew": True,
            "drawn_from": (*digits_used, self.style, self._style(), self.sequences_per_epoch),
            "validation": validation,
            "batch_size": self._batch_size(self.sequences_per_epoch),
        }

    def _check_overlap(self, digit_width: int) -> None:
        """Raise if digits may overlap so much that the network has too few frames."""
        style = self._style()
        numbers, shares = style.length_weights()
        numbers = numbers[shares > 0]
        widths = digit_width + (numbers - 1) * (digit_width + style.gaps()[0])
        crowded = (numbers > 1) & (READER_SPEC.n_frames(widths) < 2 * numbers - 1)
        if crowded.any():
            n, width = numbers[crowded][0], widths[crowded][0]
            raise ValueError(
                f"gap={self.gap!r} lets {n} digits of {digit_width} pixels overlap to {width} "
                f"pixels in all; {2 * n - 1} times {COLUMNS_PER_FRAME} are needed to read "
                "them, two for each digit and two between equal ones. Use a wider gap."
            )

    def _source(
        self, images: np.ndarray, digits: np.ndarray, weights: np.ndarray | None
    ) -> DigitSource | Writer:
        """What sequences are drawn from."""
        if self.style == "tiles":
            return DigitSource(images, digits, weights)
        from skdigits.synthesis.handwriting import Writer
        from skdigits.synthesis.shapes import Shapes

        return Writer(Shapes(images, digits, weights), self.style)

    def _draw(self, source: Any, n_sequences: int, seed: int, number: int) -> Samples:
        """Make sequences."""
        seed = epoch_seed(seed, number)
        draw = self._draw_tiles if self.style == "tiles" else self._write
        return draw(source, n_sequences, seed)

    def _write(self, writer: Writer, n_sequences: int, seed: int) -> Samples:
        rng = np.random.default_rng(seed)
        lines = writer.write_many(n_sequences, self._style(), rng)
        margins = rng.integers(0, 4 * HEIGHT, (n_sequences, 2))
        margins[rng.random(n_sequences) > WITH_MARGINS] = 0
        images = [
            np.pad(line.image, [(0, 0), margin]) if any(margin) else line.image
            for line, margin in zip(lines, margins.tolist(), strict=True)
        ]
        return _wide_enough(images, np.array([line.text for line in lines]))

    def _draw_tiles(self, source: DigitSource, n_sequences: int, seed: int) -> Samples:
        rng = np.random.RandomState(seed)
        style = self._style()
        drawn = source.draw(n_sequences, style, rng)
        width = max(style.widest(source.width), 4 * source.width)
        has_margins = rng.uniform(size=n_sequences) < WITH_MARGINS
        margins = rng.randint(0, width - drawn.widths + 1) * has_margins
        images = drawn.paint(width, rng.randint(0, margins + 1), rng)
        labels = _as_rows(drawn.target(), drawn.widths + margins, style.longest)
        return Samples(images.reshape(n_sequences, -1), labels)

    def _describe_sequences(
        self,
        lines: LineImages,
        sequences: np.ndarray,
        weights: np.ndarray | None,
        fraction: float | None,
        held_out: tuple[LineImages, np.ndarray] | None,
        seed: int,
    ) -> dict[str, Any]:
        """The part of a task that trains on sequences as they are."""
        indices = None if weights is None else np.flatnonzero(weights)
        weights = None if weights is None else weights / weights[weights > 0].mean()
        training = replace(_sequence_samples(lines, sequences), weight=weights, indices=indices)
        validation = None
        if fraction is not None:
            classes = np.zeros(len(sequences))
            chosen = split_validation(training.used(), classes, fraction, seed)
            validation = replace(training, indices=chosen[1])
            training = replace(training, indices=chosen[0])
        elif held_out is not None:
            validation = _sequence_samples(held_out[0], as_sequences(held_out[1]))
        return {
            "draw": lambda epoch: training,
            "draws_anew": False,
            "validation": validation,
            "batch_size": self._batch_size(len(training.used())),
        }

    def _describe_adapting(
        self, lines: LineImages, sequences: np.ndarray, training: Samples, seed: int
    ) -> dict[str, Any]:
        """The part of a task that mixes few sequences, slightly changed, with generated ones."""
        from skdigits.synthesis.handwriting import Writer, handwritten_type
        from skdigits.synthesis.paper import varied

        used = training.used()
        shares = None if training.weight is None else training.weight[used]
        shares = None if shares is None else shares / shares.sum()
        writer = Writer(handwritten_type(), "mixed")
        style = make_style("mixed", self.lengths, {}, {})

        def draw(epoch: int) -> Samples:
            rng = np.random.default_rng(epoch_seed(seed, epoch))
            chosen = rng.choice(used, ADAPT_SEQUENCES, p=shares)
            written = writer.write_many(ADAPT_SEQUENCES, style, rng)
            images = [varied(lines.images[i], rng) for i in chosen]
            images += [line.image for line in written]
            texts = [*sequences[chosen].tolist(), *(line.text for line in written)]
            return _wide_enough(images, np.array(texts))

        return {
            "draw": draw,
            "draws_anew": True,
            "drawn_from": (lines.images, sequences, used, shares, style),
            "batch_size": self._batch_size(2 * ADAPT_SEQUENCES),
        }

    def _batch_size(self, n_sequences: int) -> int:
        if self.batch_size != "auto":
            return min(int(self.batch_size), n_sequences)
        return int(np.clip(n_sequences // 20, 1, SEQUENCE_BATCH))

    # -- reading -------------------------------------------------------------------------

    def predict(self, X: Images) -> np.ndarray:
        """Recognize sequences.

        Parameters
        ----------
        X : array-like or list of array-like
            Images, as for `fit`; of any width.

        Returns
        -------
        ndarray of shape (n_samples,), str
            The digits from left to right; ``""`` for an image without a digit.
        """
        return self.predict_top_k(X, k=1)[0][:, 0]

    def predict_confidence(self, X: Images) -> np.ndarray:
        """Compute the probability of each predicted sequence, to reject uncertain predictions.

        Parameters
        ----------
        X : array-like or list of array-like
            Images, as for `fit`; of any width.

        Returns
        -------
        ndarray of shape (n_samples,)
            Probabilities of the sequences that `predict` returns.
        """
        return self.predict_top_k(X, k=1)[1][:, 0]

    def predict_top_k(self, X: Images, k: int = 3) -> tuple[np.ndarray, np.ndarray]:
        """Find the `k` most probable sequences for each image.

        Parameters
        ----------
        X : array-like or list of array-like
            Images, as for `fit`; of any width.
        k : int, default=3
            Number of sequences per image, from 1 to 10.

        Returns
        -------
        sequences : ndarray of shape (n_samples, k), str
            The sequences, the most probable first.
        probability : ndarray of shape (n_samples, k)
            Probabilities of these sequences; over all possible sequences they sum to 1.

        Raises
        ------
        ValueError
            If `k` is not a whole number in this range.
        """
        check_is_fitted(self)
        k = check_top(k, ctc.MOST_SEQUENCES)
        return self._read(*self._check(X), k)

    @available_if(keeps_epochs)
    def staged_predict(self, X: Images) -> Iterator[np.ndarray]:
        """Recognize sequences with the weights after each kept epoch.

        Parameters
        ----------
        X : array-like or list of array-like
            Images, as for `fit`; of any width.

        Yields
        ------
        ndarray of shape (n_samples,), str
            The digits.
        """
        check_is_fitted(self)
        network, lines = self._check(X)
        for weights in self._kept_weights():
            yield self._read(replace(network, weights=weights), lines, 1)[0][:, 0]

    def locate(self, X: Images) -> np.ndarray:
        """Find the bounding boxes of the predicted digits.

        Parameters
        ----------
        X : array-like or list of array-like
            Images, as for `fit`; of any width.

        Returns
        -------
        ndarray of shape (n_samples, max_length, 4), int64
            Left, top, right and bottom of the ink of each digit, in pixels of the given images;
            right and bottom are the first column and row outside of the ink. -1 after the last
            digit.
        """
        check_is_fitted(self)
        network, lines = self._check(X)
        if not all(np.isfinite(w).all() for w in network.weights):
            raise ValueError("The weights have diverged, so that no digit can be located.")
        sequences = self._read(network, lines, 1)[0][:, 0]
        scores = score_frames(network, lines, engine=engine_of(network))
        boxes = np.full((len(lines), max(1, max(map(len, sequences))), 4), -1)
        for i, (sequence, frame_scores) in enumerate(zip(sequences, scores, strict=True)):
            centres = ctc.digit_centres(frame_scores, [int(digit) for digit in sequence])
            pixels = centres * network.key.spec.columns_per_frame
            boxes[i, : len(sequence)] = lines.boxes(i, pixels)
        return boxes

    def score(self, X: Images, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Exact match: share of sequences that are recognized without a mistake.

        Parameters
        ----------
        X : array-like or list of array-like
            Images, as for `fit`; of any width.
        y : array-like of shape (n_samples,)
            Strings of digits, or whole numbers for one digit each.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the sequences.

        Returns
        -------
        float
            Between 0 and 1.
        """
        return exact_match_score(y, self.predict(X), sample_weight=sample_weight)

    def _read(
        self, network: TrainedNetwork, lines: LineImages, k: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """The `k` most probable sequences as strings, and their probabilities."""
        read = read_views if self.test_time_augmentation else read_sequences
        digits, log_probability = read(network, lines, top=k, engine=engine_of(network))
        spelled = _spell(digits.reshape(-1, digits.shape[2]))
        return spelled.reshape(-1, k), np.exp(log_probability)

    def _check(self, X: Any) -> tuple[TrainedNetwork, LineImages]:
        """The network, and images as bytes, in the range of those seen in fit."""
        network = self._network
        self._check_not_one_image(X)
        lines = self._check_images(X, reset=False)
        _warn_if_other_range(lines, network)
        return network, self._as_bytes(lines, network)

    def _as_bytes(self, lines: LineImages, network: TrainedNetwork) -> LineImages:
        seen = network.pixel_range or BLANK
        return lines.as_bytes(seen.low, seen.high)

    def _check_not_one_image(self, X: Any) -> None:
        """Raise if one image of a line is given where rows of pixels are expected."""
        shape: tuple[int, ...] = getattr(X, "shape", ())
        rows = "no" if self.image_shape is None else math.prod(self.image_shape)
        expected = getattr(self, "n_features_in_", rows)
        if len(shape) == 2 and shape[1] != expected:
            raise ValueError(
                f"X has {shape[1]} features, but {type(self).__name__} is expecting {expected} "
                f"features as input. If it is one image of {shape[0]}×{shape[1]} pixels, pass "
                "X[np.newaxis]; if it is rows of pixels, reshape them to (n, height, width)."
            )

    def _check_images(self, X: Any, reset: bool) -> LineImages:
        """Validated images; the number and names of features only where there are rows."""
        if getattr(X, "ndim", None) == 2 or hasattr(X, "columns"):
            validate_data(self, X, reset=reset, skip_check_array=True)
        elif reset:
            for name in ("n_features_in_", "feature_names_in_"):
                self.__dict__.pop(name, None)
        shape = self.image_shape
        if not reset and hasattr(self, "image_shape_"):
            height, width = self.image_shape_
            if height * width == self.n_features_in_:  # else rows are padded to a square
                shape = self.image_shape_
        lines = LineImages.check(X, shape)
        if reset:
            self.__dict__.pop("image_shape_", None)
            if lines.shape is not None:
                self.image_shape_ = lines.shape
                self.n_features_in_ = lines.n_features
                warn_if_padded(lines.n_features, (*lines.shape, 1))
        return lines

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.three_d_array = True
        # Rows are accepted too, but only with labels that scikit-learn's checks do not make.
        tags.input_tags.two_d_array = False
        return tags


def _warn_if_other_range(lines: LineImages, network: TrainedNetwork) -> None:
    first = lines[np.arange(min(len(lines), 100))]
    warn_if_other_range(first.pixel_range(), network.pixel_range)


def _check_labels(y: Any, n_samples: int) -> np.ndarray:
    """Strings of digits, or whole numbers 0–9."""
    if y is None:
        raise ValueError("fit requires y to be passed, but the target y is None.")
    y = np.asarray(y)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y.ravel()
    if y.shape != (n_samples,):
        raise ValueError(
            f"Found input variables with inconsistent numbers of samples: {n_samples} images and "
            f"labels of shape {y.shape}; y should have one label per image."
        )
    y = without_objects(y)
    if y.dtype.kind in "biuf":
        return check_digits(y)
    y = as_sequences(y)
    for i, text in enumerate(y.tolist()):
        if not (text.isascii() and text.isdigit()) and text:
            raise ValueError(f"Label {i} is {text!r}; it should have no other characters than 0–9.")
    return y


def _sequence_samples(lines: LineImages, sequences: np.ndarray) -> Samples:
    """Images of sequences as samples; raise if one is too narrow for its label."""
    rows, widths = lines.rows()
    labels = _as_rows(sequences, widths)
    needed = ctc.needed_frames(labels[:, 1:])
    narrow = np.flatnonzero(READER_SPEC.n_frames(widths) < needed)
    if len(narrow):
        i = narrow[0]
        raise ValueError(
            f"Image {i} is too narrow for its label {str(sequences[i])!r}: at a height of "
            f"{HEIGHT} pixels it is {widths[i]} pixels wide, and {needed[i]} times "
            f"{COLUMNS_PER_FRAME} are needed, two for each digit and two between equal ones."
        )
    return Samples(rows, labels)


def _wide_enough(images: list[np.ndarray], sequences: np.ndarray) -> Samples:
    """Generated images of sequences as samples; those that are too narrow get a margin."""
    widths = np.array([image.shape[1] for image in images])
    needed = COLUMNS_PER_FRAME * ctc.needed_frames(_as_rows(sequences, widths)[:, 1:])
    for i in np.flatnonzero(needed > widths):
        images[i] = np.pad(images[i], [(0, 0), (0, needed[i] - widths[i])])
    return _sequence_samples(LineImages(images), sequences)


def _as_rows(sequences: np.ndarray, widths: np.ndarray, longest: int | None = None) -> np.ndarray:
    """Rows of a width, the digits, and -1 after them."""
    longest = max(map(len, sequences.tolist())) if longest is None else longest
    labels = np.full((len(sequences), 1 + max(1, longest)), -1, np.int32)
    labels[:, 0] = widths
    for row, text in zip(labels, sequences.tolist(), strict=True):
        row[1 : 1 + len(text)] = list(map(int, text))
    return labels


def _spell(digits: np.ndarray) -> np.ndarray:
    """Strings from rows of digits with -1 after them."""
    characters = np.where(digits >= 0, digits + ord("0"), 0).astype(np.uint32)
    return np.ascontiguousarray(characters).view(f"<U{digits.shape[1]}")[:, 0]
