"""DigitSequenceRecognizer: a convolutional network that recognizes sequences of digits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Never, Self

import numpy as np

from skdigits.estimator import ADAPT_RATE, CheckedFit, NetworkEstimator
from skdigits.metrics import as_sequences
from skdigits.networks.architectures import READER
from skdigits.networks.labels import DIGITS
from skdigits.networks.spec import NetworkSpec
from skdigits.networks.trained import TrainedNetwork
from skdigits.pictures.line_images import HEIGHT, LineImages
from skdigits.sequence_checks import (
    BLANK,
    as_bytes,
    check_fit,
    check_signs,
    warn_if_lines_differ,
)
from skdigits.sequence_predictions import SequencePredictions
from skdigits.sklearn_compat import Interval, StrOptions, with_callbacks
from skdigits.synthesis.composition import STYLES, TileLayout, make_layout
from skdigits.synthesis.generators import AdaptingGenerator, make_generator
from skdigits.training.sequence_samples import check_room, generated_samples, sequence_samples
from skdigits.training.task import Samples, TrainingTask, split_validation

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from skdigits.typing import Configurable, Images, ImageShape, Lengths, RandomState, StrPath

SEQUENCE_BATCH = 64
VALIDATION_DRAW = 2**31  # epoch number of validation sequences; no real epoch has it
TILES: dict[str, Any] = {  # defaults of the style "tiles"
    "gap": (-6, 8),
    "shift": 2,
    "rotation": 15,
    "scale": 0.15,
}
ADAPT_SEQUENCES = 1000  # number of given sequences per epoch, and of generated sequences


class DigitSequenceRecognizer(SequencePredictions):
    """Convolutional network that recognizes sequences of digits of any length.

    It is trained on images of sequences or of single digits. From single digits, it generates new
    sequences for every epoch. The network computes scores for every two columns of pixels and is
    trained with connectionist temporal classification (CTC). Its receptive field is limited to 60
    columns, so it can recognize sequences that are longer than the training sequences.

    Parameters
    ----------
    filters : int, default=None
        Number of filters of the first convolution; None means 16. Later convolutions have up to
        eight times as many.
    dropout : float, default=None
        Dropout rate, in [0, 1); None means 0.2.
    l2 : float, default=0.0
        L2 penalty on the kernels.
    optimizer : {"adadelta", "adagrad", "adam", "adamax", "adamw", "nadam", "rmsprop", "sgd"} or \
keras.optimizers.Optimizer, default="adamw"
        As for `DigitClassifier`.
    learning_rate : float or "auto", default="auto"
        Maximum learning rate. ``"auto"`` means 0.003 for ``"adam"`` and ``"adamw"`` with a
        schedule. Otherwise, it means the rate of the given Keras optimizer, or Keras's default.
    schedule : {"averaged", "one_cycle", None}, default="averaged"
        As for `DigitClassifier`.
    epochs : int, default=15
        Number of epochs.
    batch_size : int or "auto", default="auto"
        Sequences per gradient step. ``"auto"`` means 64, or 1/20 of the sequences of an epoch if
        that is less.
    style : {"tiles", "handwritten", "mixed"}, default="handwritten"
        Style of the sequences that are generated from single digits, as in `make_digit_sequences`.
        ``"tiles"`` puts whole images side by side. ``"handwritten"`` imitates lines by one writer.
        ``"mixed"`` also generates printed and seven-segment digits.
    lengths : int, tuple of (int, int), list of int or dict of int to float, default=(1, 8)
        Lengths of the sequences generated for training, as in `make_digit_sequences`.
    signs : str, default=""
        Characters that are read besides digits, such as ``".,-"``. Generated lines of the styles
        ``"handwritten"`` and ``"mixed"`` contain the signs ``.,-=/$€#*``; their labels contain only
        those in `signs`. If the labels passed to `fit` are strings, `signs` can contain any
        printable characters except letters and digits. The character U+FFFD can stand for
        letters and all other marks.
    gap : int or tuple of (int, int), default=None
        Number of pixels between the images of two digits, or a tuple of the minimum and maximum.
        Images overlap if the number is negative. The gap is measured in images rescaled to a height
        of 28 pixels. None means (-6, 8). This and the next six parameters are for the style
        ``"tiles"`` only.
    shift : int, default=None
        Maximum vertical shift of a digit in pixels, up or down; None means 2.
    rotation : float, default=None
        Maximum rotation of a digit in degrees, in both directions; None means 15.
    scale : float, default=None
        Maximum relative change of the size of a digit, in [0, 1); None means 0.15.
    noise : float, default=None
        Standard deviation of normal noise on every pixel, in grey levels (0–255); None means 0.
    shear : float, default=None
        Maximum shear of a digit in degrees, in both directions; None means 0.
    elastic : float, default=None
        Maximum standard deviation, in pixels, of the smooth random displacement of a digit's
        pixels; None means 0. A displacement improves the accuracy of long training.
    sequences_per_epoch : int, default=10000
        Number of sequences generated from single digits for each epoch.
    image_shape : tuple of int, default=None
        Height and width of the images if `X` holds flat rows of pixels; None means square images.
    validation_fraction : float, default=None
        Share of the digits or sequences to hold out for validation. None means 0.1 with
        `early_stopping`, otherwise no validation. A share cannot be combined with `X_val`.
    early_stopping : bool, default=False
        Whether to stop when ``val_loss`` has not improved for `patience` epochs, and to restore the
        best weights.
    patience : int, default=5
        Number of epochs without improvement after which training stops.
    warm_start : bool or "adapt", default=False
        Whether `fit` continues from the weights of the previous fit. ``"adapt"`` is for a few
        samples of another writer or camera. It divides the ``"auto"`` learning rate by 10. If the
        labels are strings, it also changes the samples: an epoch has 1,000 of the given images,
        with small changes of slant, width and height, and 1,000 generated images. Generated images
        have the style ``"mixed"`` and handwriting-like typefaces, so that the network does not
        forget other digits.
    keep_epochs : bool or list of int, default=False
        Epochs (from 1) whose weights are kept for `staged_predict` and `at_epoch`; True keeps all
        epochs.
    callbacks : list of keras.callbacks.Callback, default=None
        Keras callbacks; each fit uses copies.
    checkpoint : str or path-like, default=None
        Folder where `fit` writes its state after epochs, as for `DigitClassifier`.
    test_time_augmentation : bool, default=False
        Whether the probability of a sequence is the mean over the unmodified image and three
        augmented views. One view is narrower; the others are slanted to the left and to the right.
        Accuracy on real handwriting is higher, and mistakes have a lower confidence. Predictions
        take four times as long.
    dtype : {"float32", "float64"}, default="float32"
        Dtype of weights and computations.
    verbose : int or bool, default=0
        0 prints nothing, 1 shows a progress bar per epoch, 2 prints a line per epoch.
    random_state : int, RandomState instance or None, default=None
        Random generator for initial weights, order of samples, generated sequences and validation
        set. An int gives bit-identical weights in every fit on the same machine with the same
        number of threads.

    Attributes
    ----------
    history_ : dict of str to list of float
        Metrics per epoch. ``loss`` is the mean negative log-probability of the sequences, plus the
        L2 penalty. ``accuracy`` is the share of sequences recognized without a mistake. With
        validation, there are also ``val_loss`` and ``val_accuracy``.
    n_iter_ : int
        Number of epochs trained.
    n_features_in_ : int
        Number of pixels of each image seen in fit, if all images have the same size.
    image_shape_ : tuple of int
        Height and width of the images seen in fit, if all have the same size.

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

    One epoch of 100 sequences takes about a second, but the recognizer is not accurate. To train an
    accurate one, omit `epochs` and `sequences_per_epoch`.

    >>> recognizer = DigitSequenceRecognizer(style="tiles", epochs=1, sequences_per_epoch=100)
    >>> recognizer.fit(digits.images, digits.target).predict(X).shape
    (5,)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **NetworkEstimator._parameter_constraints,
        "style": [StrOptions(set(STYLES))],
        "lengths": [tuple, list, dict, Integral],
        "signs": [str],
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
        signs: str = "",
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
        self.lengths, self.signs = lengths, signs
        self.gap, self.shift, self.rotation, self.scale = gap, shift, rotation, scale
        self.noise, self.shear, self.elastic = noise, shear, elastic
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

        If an exception is raised, the recognizer does not change.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
(n_samples, height, width, 1), or list of array-like of shape (height, width)
            Images of any real dtype, with bright digits on a dark background. They are rescaled to
            a height of 28 pixels.
        y : array-like of shape (n_samples,)
            Labels. For images of sequences, they are strings of digits and `signs`. For images of
            single digits, they are whole numbers 0–9; sequences are generated from these images.
        sample_weight : array-like of shape (n_samples,), default=None
            Sample weights of 0 or more; only their ratios matter. A digit with twice the weight is
            drawn twice as often.
        X_val : array-like or list of array-like, default=None
            Images to validate on after each epoch, instead of a share of `X`.
        y_val : array-like of shape (n_val,), default=None
            Labels of `X_val`: strings, or whole numbers 0–9. If both `y` and `y_val` are whole
            numbers, validation sequences are generated from these digits.
        **unknown
            Any other argument raises a TypeError, with a hint where to pass it.

        Returns
        -------
        self : DigitSequenceRecognizer
            The fitted recognizer.

        Raises
        ------
        ValueError
            If a parameter, the images or the labels are not valid. This is checked before training
            starts.
        TypeError
            If there is any other argument.
        """
        self._check_call(unknown)
        checked = check_fit(self, X, y, sample_weight, X_val, y_val)
        task = self._describe(checked)
        network = self._train(task, checked, (X, y, sample_weight))
        return self._publish(checked, network)

    # -- describing a fit ------------------------------------------------------------------

    def _describe(self, checked: CheckedFit) -> TrainingTask:
        """Return the training task of a fit."""
        (lines, labels, weights), held_out = checked.training, checked.validation
        start = self._start_on(lines, checked)
        lines = as_bytes(lines, start)
        if held_out is not None:
            warn_if_lines_differ(held_out[0], start)
            held_out = as_bytes(held_out[0], start), held_out[1]
        describe = self._describe_sequences if labels.dtype.kind == "U" else self._describe_digits
        options = describe(lines, labels, weights, held_out, checked.fraction, start.seed)
        if checked.adapts:
            options["rate_factor"] = ADAPT_RATE
            if labels.dtype.kind == "U":
                options |= self._describe_adapting(lines, labels, options["draw"](0), start.seed)
        return self._task(start, pixel_dtype=np.dtype(np.uint8), **options)

    def _start_on(self, lines: LineImages, checked: CheckedFit) -> TrainedNetwork:
        """Return the network that training starts from.

        The training images of the first fit set its pixel range.
        """
        name = self._network.key.spec.architecture if checked.resume else READER
        options = self._network_options("filters", "dropout", "l2")
        n_outputs = len(checked.estimator.characters_) + 1
        spec = NetworkSpec.of(name, (HEIGHT, None, 1), n_outputs, options, self.dtype)
        parameters = "filters, dropout, l2, signs and dtype"
        start = self._start(spec, checked.resume, parameters, checked.adapts)
        if checked.resume:
            warn_if_lines_differ(lines, start)
            return start
        seen = lines.pixel_range() or BLANK
        return replace(start, pixel_range=seen, pixel_dtype=lines.dtype.name, scale=1 / 255)

    def _check_parameters(self) -> None:
        super()._check_parameters()
        check_signs(self.signs)
        self._layout()

    def _layout(self) -> TileLayout:
        names = ("gap", "shift", "rotation", "scale", "noise", "shear", "elastic")
        tiles = {name: getattr(self, name) for name in names}
        return make_layout(self.style, self.lengths, TILES, tiles)

    def _describe_digits(
        self,
        lines: LineImages,
        digits: np.ndarray,
        weights: np.ndarray | None,
        held_out: tuple[LineImages, np.ndarray] | None,
        fraction: float | None,
        seed: int,
    ) -> dict[str, Any]:
        """Return the fields of a task that trains on sequences generated from single digits."""
        images, layout, n_sequences = lines.same_width(), self._layout(), self.sequences_per_epoch
        if self.style == "tiles":
            numbers, shares = layout.length_weights()
            check_room(images.shape[2], numbers[shares > 0], layout.gaps()[0])
        weights = np.ones(len(digits)) if weights is None else weights
        indices = np.flatnonzero(weights)
        validation = None
        if fraction is not None:
            indices, chosen = split_validation(indices, digits, fraction, seed)
            held_out_digits = images[chosen], digits[chosen], weights[chosen]
            n_validation = max(1, round(fraction * n_sequences))
            validation = self._draw(held_out_digits, n_validation, seed)
        elif held_out is not None and held_out[1].dtype.kind != "U":
            held_out_digits = held_out[0].same_width(), held_out[1], None
            validation = self._draw(held_out_digits, max(1, n_sequences // 10), seed)
        elif held_out is not None:
            validation = sequence_samples(*held_out, self._characters())
        used = images[indices], digits[indices], weights[indices]
        generator = make_generator(self.style, *used, layout, self.signs)
        return {
            "draw": self._drawing(generator, n_sequences, seed),
            "draws_anew": True,
            "drawn_from": (*used, self.style, layout, self.signs, n_sequences),
            "validation": validation,
            "batch_size": self._batch_size(n_sequences),
        }

    def _draw(self, digits: tuple[Any, Any, Any], n_sequences: int, seed: int) -> Samples:
        """Generate the sequences for validation."""
        generator = make_generator(self.style, *digits, self._layout(), self.signs)
        return self._drawing(generator, n_sequences, seed)(VALIDATION_DRAW)

    def _drawing(self, generator: Any, n_lines: int, seed: int) -> Callable[[int], Samples]:
        """Return the function that generates the samples of an epoch."""
        characters = self._characters()
        return lambda epoch: generated_samples(generator.draw(n_lines, seed, epoch), characters)

    def _characters(self) -> str:
        return DIGITS + self.signs

    def _describe_sequences(
        self,
        lines: LineImages,
        sequences: np.ndarray,
        weights: np.ndarray | None,
        held_out: tuple[LineImages, np.ndarray] | None,
        fraction: float | None,
        seed: int,
    ) -> dict[str, Any]:
        """Return the fields of a task that trains on the given sequences."""
        indices = None if weights is None else np.flatnonzero(weights)
        weights = None if weights is None else weights / weights[weights > 0].mean()
        samples = sequence_samples(lines, sequences, self._characters())
        training = replace(samples, weight=weights, indices=indices)
        validation = None
        if fraction is not None:
            classes = np.zeros(len(sequences))
            chosen = split_validation(training.used(), classes, fraction, seed)
            validation = replace(training, indices=chosen[1])
            training = replace(training, indices=chosen[0])
        elif held_out is not None:
            texts = as_sequences(held_out[1])
            validation = sequence_samples(held_out[0], texts, self._characters())
        return {
            "draw": lambda epoch: training,
            "draws_anew": False,
            "validation": validation,
            "batch_size": self._batch_size(len(training.used())),
        }

    def _describe_adapting(
        self, lines: LineImages, sequences: np.ndarray, training: Samples, seed: int
    ) -> dict[str, Any]:
        """Return the fields of a task that trains on varied copies of images and on new lines."""
        used = training.used()
        shares = None if training.weight is None else training.weight[used]
        shares = None if shares is None else shares / shares.sum()
        layout, n_lines = make_layout("mixed", self.lengths, {}, {}), 2 * ADAPT_SEQUENCES
        generator = AdaptingGenerator(lines.images, sequences, used, shares, layout, self.signs)
        return {
            "draw": self._drawing(generator, n_lines, seed),
            "draws_anew": True,
            "drawn_from": (lines.images, sequences, used, shares, layout, self.signs),
            "batch_size": self._batch_size(n_lines),
        }

    def _batch_size(self, n_sequences: int) -> int:
        if self.batch_size != "auto":
            return min(int(self.batch_size), n_sequences)
        return int(np.clip(n_sequences // 20, 1, SEQUENCE_BATCH))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.three_d_array = True
        # Rows are accepted too, but scikit-learn's checks have no suitable labels for them.
        tags.input_tags.two_d_array = False
        return tags
