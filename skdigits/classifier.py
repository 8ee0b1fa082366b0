"""DigitClassifier: a convolutional network as a scikit-learn classifier."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Never, Self

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin
from sklearn.utils.validation import (
    check_is_fitted,
)

from skdigits.checks.parameters import check_name
from skdigits.checks.pixel_ranges import pixel_dtype, pixel_range
from skdigits.classifier_checks import check_fit, check_partial_fit, warn_if_rows_differ
from skdigits.classifier_predictions import ClassifierPredictions
from skdigits.estimator import ADAPT_RATE, CheckedFit, NetworkEstimator
from skdigits.networks.architectures import ARCHITECTURES
from skdigits.networks.spec import NetworkSpec
from skdigits.networks.trained import ProgramKey, TrainedNetwork
from skdigits.sklearn_compat import (
    Interval,
    StrOptions,
    TransformerMixin,
    with_callbacks,
)
from skdigits.training.printed_samples import SHARE, takes_printed_digits, with_printed_digits
from skdigits.training.task import Samples, TrainingTask, split_validation

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from skdigits.typing import Configurable, ImageShape, RandomState, StrPath

ADAPT_SAMPLES = 512  # minimum number of the user's samples per epoch with warm_start="adapt"
ADAPT_PRINTED = 0.5  # share of printed digits in these epochs


class DigitClassifier(ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClassifierPredictions):
    """Convolutional network that classifies images of digits, or other small images.

    It accepts images or flat rows of pixels and behaves like every scikit-learn classifier.
    Internally, a SciKeras ``KerasClassifier`` trains a Keras network.

    Parameters
    ----------
    architecture : {"compact", "tiny", "lenet", "deep"} or callable, default="lenet"
        The network: a name or a function. For 28×28 images and ten classes, ``"compact"`` has 4,518
        parameters, ``"tiny"`` 4,738, ``"lenet"`` 21,518 and ``"deep"`` 111,258. A function
        ``(image_shape, n_classes, …) -> keras.Model`` builds a new model in each call; the model
        maps images of shape (n, height, width, channels) to class probabilities. The function is
        called with the keywords `filters`, `kernel_size`, `dropout` and `l2` if these are set, and
        with `dtype` if it has this parameter. The function must be hashable. Weights that it sets
        are kept; all others are initialized with `random_state`. For every network, small images
        are enlarged: sides below 20 pixels are resized to 20 pixels, and sides below 28 pixels are
        then padded with zeros to 28 pixels.
    filters : int, default=None
        Number of filters of the first convolution; None means the architecture's default.
    kernel_size : int, default=None
        Side of the convolution kernels, in pixels; None means the architecture's default.
    dropout : float, default=None
        Dropout rate, in [0, 1); None means the architecture's default.
    l2 : float, default=0.0
        L2 penalty on the kernels.
    optimizer : {"adadelta", "adagrad", "adam", "adamax", "adamw", "nadam", "rmsprop", "sgd"} or \
keras.optimizers.Optimizer, default="adamw"
        A name selects the Keras optimizer with Keras's default settings, except for the learning
        rate; ``"adamw"`` has a weight decay of 0.05. A Keras optimizer is copied from its
        configuration.
    learning_rate : float or "auto", default="auto"
        Maximum learning rate. For ``"adam"`` and ``"adamw"`` with a schedule, ``"auto"`` means a
        rate tuned for the architecture. Otherwise, it means the rate of the given Keras optimizer,
        or Keras's default.
    schedule : {"averaged", "one_cycle"} or None, default="averaged"
        Learning-rate schedule. With ``"averaged"``, the rate is constant after a warm-up of 50
        steps, and predictions use weights averaged over about the last tenth of all steps. With
        ``"one_cycle"``, the rate rises and falls once over all epochs. With None, the rate is
        constant. Only ``"one_cycle"`` depends on the total number of epochs.
    epochs : int, default=15
        Number of epochs (passes over the training images).
    batch_size : int or "auto", default="auto"
        Images per gradient step. ``"auto"`` gives about 250 steps per epoch, with a batch size from
        16 to 256.
    image_shape : tuple of int, default=None
        Height, width and optionally channels of the images in flat rows. None means the shape of
        3-D or 4-D input, or square images for flat rows, padded with zeros if necessary.
    rescale : bool, default=True
        Whether to divide pixels by the largest absolute value in the training images of the first
        fit.
    validation_fraction : float, default=None
        Share of the training images to hold out for validation, stratified by label. These images
        give ``val_loss`` and ``val_accuracy`` after each epoch. None means 0.1 with
        `early_stopping`, otherwise no validation. A share cannot be combined with `X_val`.
    early_stopping : bool, default=False
        Whether to stop when ``val_loss`` has not improved for `patience` epochs, and to restore the
        best weights.
    patience : int, default=5
        Number of epochs without improvement after which training stops.
    class_weight : dict, "balanced" or None, default=None
        Weight of each class, multiplied by `sample_weight`; ``"balanced"`` means the same as in
        scikit-learn.
    warm_start : bool or "adapt", default=False
        Whether `fit` continues from the previous fit, for `epochs` more epochs. The network, the
        scale of the pixels and the seed remain those of the first fit. ``"adapt"`` is for a few
        samples of another writer or camera. It divides the ``"auto"`` learning rate by 10, and
        repeats the samples until an epoch has at least 512. If the images are square grey images of
        digits, the same number of printed digits is added, so that the network does not forget
        other digits.
    keep_epochs : bool or list of int, default=False
        Epochs (from 1) whose weights are kept for `staged_predict` and `at_epoch`; True keeps all
        epochs.
    callbacks : list of keras.callbacks.Callback, default=None
        Keras callbacks; each fit uses copies. Callbacks with methods for batches make training
        slower, because every batch then needs a separate call. ``BackupAndRestore`` is not
        supported.
    checkpoint : str or path-like, default=None
        Folder where `fit` writes its state after epochs. If a fit is interrupted, a new fit with
        the same parameters, data and seed resumes from this state; the weights are bit-identical to
        those of an uninterrupted fit. After training, the files are removed. Several fits can share
        a folder. The state of `callbacks` is not written, and `skdigits.save` does not save this
        parameter.
    augment : bool or float, default=False
        Whether training images are randomly rotated (by up to 5°), zoomed (up to 5 %) and shifted
        (up to 4 % of the side). A number in [0, 10] multiplies these limits. With 2, ``"deep"``
        continues to improve over many epochs, but the smallest networks underfit.
    style : {"handwritten", "mixed"} or None, default=None
        Augmentation that imitates other writers, pens and cameras; None means no style
        augmentation. ``"handwritten"`` rotates, slants, stretches and bends digits, changes the
        thickness of strokes, blurs and breaks strokes, and adds remnants of lines. ``"mixed"`` does
        the same, and adds generated digits: a third of the samples of each epoch, with weight 1.
        The generated digits are digits of 136 printed, seven-segment and handwriting-like fonts,
        drawn digits, and printed digits that are cut off at one side or have a box around them.
        ``"mixed"`` requires square grey images and at least one digit among the labels; it copies
        the images in memory.
    dtype : {"float32", "float64"}, default="float32"
        Dtype of weights, computations and probabilities.
    verbose : int, default=0
        0 prints nothing, 1 shows a progress bar per epoch, 2 prints a line per epoch.
    random_state : int, RandomState instance or None, default=None
        An int gives bit-identical weights in every fit on the same machine with the same number of
        threads.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels.
    history_ : dict of str to list of float
        Training ``loss`` and ``accuracy`` per epoch, and ``val_loss`` and ``val_accuracy``
        if there is a validation set (NaN for epochs without it).
    n_iter_ : int
        Number of epochs trained.
    image_shape_ : tuple of int
        Height, width and channels of the images.
    n_features_in_ : int
        Number of pixels per image.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names, if fitted on a DataFrame.
    keras_classifier_ : scikeras.wrappers.KerasClassifier
        The fitted SciKeras estimator, with a separate Keras model that accepts images. It is
        created on first access.

    See Also
    --------
    skdigits.ImageReshaper : Convert flat rows of pixels to images, and back.
    skdigits.save : Write a fitted classifier to a file that is safe to load.

    Examples
    --------
    >>> from skdigits import DigitClassifier
    >>> from skdigits.datasets import load_digits
    >>> X, y = load_digits(return_X_y=True)
    >>> classifier = DigitClassifier(epochs=5, random_state=0).fit(X[:1000], y[:1000])
    >>> classifier.score(X[1000:], y[1000:]) > 0.9
    True
    >>> classifier.predict(X[:3]).tolist()
    [0, 1, 2]
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **NetworkEstimator._parameter_constraints,
        "architecture": [str, callable],
        "kernel_size": [Interval(Integral, 1, None, closed="left"), None],
        "rescale": ["boolean"],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "augment": ["boolean", Interval(Real, 0, 10, closed="both")],
        "style": [StrOptions({"handwritten", "mixed"}), None],
    }

    def __init__(
        self,
        architecture: str | Callable[..., Any] = "lenet",
        *,
        filters: int | None = None,
        kernel_size: int | None = None,
        dropout: float | None = None,
        l2: float = 0.0,
        optimizer: str | Configurable = "adamw",
        learning_rate: float | Literal["auto"] = "auto",
        schedule: Literal["averaged", "one_cycle"] | None = "averaged",
        epochs: int = 15,
        batch_size: int | Literal["auto"] = "auto",
        image_shape: ImageShape | None = None,
        rescale: bool = True,
        validation_fraction: float | None = None,
        early_stopping: bool = False,
        patience: int = 5,
        class_weight: dict[Any, Any] | Literal["balanced"] | None = None,
        warm_start: bool | Literal["adapt"] = False,
        keep_epochs: bool | Sequence[int] | np.ndarray = False,
        callbacks: Sequence[Any] | None = None,
        checkpoint: StrPath | None = None,
        augment: bool | float = False,
        style: Literal["handwritten", "mixed"] | None = None,
        dtype: Literal["float32", "float64"] = "float32",
        verbose: int = 0,
        random_state: RandomState = None,
    ) -> None:
        self.architecture = architecture
        self.filters = filters
        self.kernel_size = kernel_size
        self.dropout = dropout
        self.l2 = l2
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.epochs = epochs
        self.batch_size = batch_size
        self.image_shape = image_shape
        self.rescale = rescale
        self.validation_fraction = validation_fraction
        self.early_stopping = early_stopping
        self.patience = patience
        self.class_weight = class_weight
        self.warm_start = warm_start
        self.keep_epochs = keep_epochs
        self.callbacks = callbacks
        self.checkpoint = checkpoint
        self.augment = augment
        self.style = style
        self.dtype = dtype
        self.verbose = verbose
        self.random_state = random_state

    # -- fitting -------------------------------------------------------------------------

    @with_callbacks
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        X_val: ArrayLike | None = None,
        y_val: ArrayLike | None = None,
        **unknown: Never,
    ) -> Self:
        """Train the network.

        If an exception is raised, the classifier does not change.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
(n_samples, height, width, channels)
            Images of any real dtype; flat rows may be a DataFrame.
        y : array-like of shape (n_samples,)
            Labels: integers, strings, booleans, or floats that are whole numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Sample weights of 0 or more; only their ratios matter.
        X_val : array-like of shape (n_val, …), default=None
            Images to validate on after each epoch, instead of a share of `X`. They have equal
            weights, even if `class_weight` is set.
        y_val : array-like of shape (n_val,), default=None
            Labels of `X_val`.
        **unknown
            Any other argument raises a TypeError, with a hint where to pass it.

        Returns
        -------
        self : DigitClassifier
            The fitted classifier.

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

    def partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Train for one epoch, starting from the weights of the previous call.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
(n_samples, height, width, channels)
            Images.
        y : array-like of shape (n_samples,)
            Labels.
        classes : array-like of shape (n_classes,), default=None
            All labels that can occur in any call; required in the first call.
        sample_weight : array-like of shape (n_samples,), default=None
            Sample weights, which are not normalized; None means a weight of 1 for every sample.

        Returns
        -------
        self : DigitClassifier
            The classifier after one more epoch.

        Raises
        ------
        ValueError
            If `classes` is missing in the first call, if a label is not among the classes, or if a
            parameter is set that needs all samples at once.
        """
        self._check_call()
        checked = check_partial_fit(self, X, y, classes, sample_weight)
        # The one-cycle schedule needs the total number of epochs, which is unknown.
        schedule = None if self.schedule == "one_cycle" else self.schedule
        task = self._describe(checked, epochs=1, schedule=schedule, patience=None, checkpoint=None)
        network = self._train(task, checked)
        return self._publish(checked, network)

    # -- describing a fit ------------------------------------------------------------------

    def _describe(self, checked: CheckedFit, **options: Any) -> TrainingTask:
        """Return the training task of a fit; `options` replace fields of the task."""
        training, validation, adapts = checked.training, checked.validation, checked.adapts
        start = checked.estimator._start_on(training, checked.resume, adapts)
        if checked.fraction is not None:
            training, validation = _divide(training, checked.fraction, start.seed)
        elif validation is not None:
            warn_if_rows_differ(validation.x, start)
        if adapts:
            used = training.used()
            training = replace(training, indices=np.resize(used, max(ADAPT_SAMPLES, len(used))))
            options["rate_factor"] = ADAPT_RATE
        return checked.estimator._task_on(start, training, validation, adapts, **options)

    def _start_on(self, training: Samples, resume: bool, adapts: bool) -> TrainedNetwork:
        """Return the network that training starts from.

        The first training images that are not blank set the network's pixel range.
        """
        options = self._network_options("filters", "kernel_size", "dropout", "l2")
        spec = NetworkSpec.of(
            self.architecture, self.image_shape_, len(self.classes_), options, self.dtype
        )
        parameters = "architecture, filters, kernel_size, dropout, l2 and dtype"
        start = self._start(spec, resume, parameters, adapts)
        if start.pixel_range is not None:
            warn_if_rows_differ(training.x, start)
            return start
        used = True if training.weight is None else (training.weight > 0)[:, np.newaxis]
        seen = pixel_range(training.x, used)
        scale = 1 / seen.largest if seen and self.rescale else 1.0
        dtype = pixel_dtype(training.x, self.dtype).name
        return replace(start, pixel_range=seen, pixel_dtype=dtype, scale=scale)

    def _task_on(
        self,
        start: TrainedNetwork,
        training: Samples,
        validation: Samples | None,
        adapts: bool,
        **options: Any,
    ) -> TrainingTask:
        adds_printed = adapts and takes_printed_digits(self.classes_, self.image_shape_)
        if self.style == "mixed" or adds_printed:
            kind = self.classes_, self.image_shape_, start.pixel_range
            training = with_printed_digits(
                training, *kind, share=ADAPT_PRINTED if adapts else SHARE
            )
        dtypes = {pixel_dtype(s.x, self.dtype) for s in (training, validation) if s is not None}
        count = training.n_per_epoch
        batch_size = self.batch_size
        if batch_size == "auto":
            batch_size = int(np.clip(count // 250, 16, 256))
        return self._task(
            start,
            draw=lambda epoch: training,
            draws_anew=False,
            validation=validation,
            batch_size=min(int(batch_size), count),
            pixel_dtype=dtypes.pop() if len(dtypes) == 1 else np.dtype(self.dtype),
            **options,
        )

    def _program_key(self, spec: NetworkSpec) -> ProgramKey:
        return replace(
            super()._program_key(spec),
            augment=float(self.augment),
            restyle=self.style is not None,
        )

    def _check_parameters(self) -> None:
        super()._check_parameters()
        if isinstance(self.architecture, str):
            check_name("architecture", self.architecture, ARCHITECTURES)
        try:
            hash(self.architecture)
        except TypeError:
            raise ValueError(
                f"architecture should be hashable; {type(self.architecture).__name__} is not. "
                "For a dataclass, use @dataclass(frozen=True)."
            ) from None

    # -- the Keras side ------------------------------------------------------------------

    @property
    def keras_classifier_(self) -> Any:
        """The fitted SciKeras estimator."""
        check_is_fitted(self)
        network, classifier = vars(self).get("_keras_classifier", (None, None))
        if network is not self._network:
            from skdigits.training.keras_classifier import make_fitted

            classifier = make_fitted(
                self._network, self.classes_, self.image_shape_, epochs=self.epochs
            )
            self._keras_classifier = self._network, classifier
        return classifier

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = []  # features have the dtype of the network
        return tags


def _divide(samples: Samples, fraction: float, seed: int) -> tuple[Samples, Samples]:
    """Divide samples into training and validation samples."""
    training, validation = split_validation(samples.used(), samples.y, fraction, seed)
    return replace(samples, indices=training), replace(samples, indices=validation)
