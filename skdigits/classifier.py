"""DigitClassifier: a convolutional network as a scikit-learn classifier."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Never, Self

import numpy as np
from sklearn.base import ClassifierMixin, ClassNamePrefixFeaturesOutMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    check_is_fitted,
    column_or_1d,
    validate_data,
)

from skdigits.checks.images import (
    check_no_files,
    check_not_one_image,
    check_same_shape,
    infer_image_shape,
    split_images,
    warn_if_padded,
)
from skdigits.checks.labels import check_known, check_not_one_hot
from skdigits.checks.parameters import check_name, check_top
from skdigits.checks.pixels import pixel_dtype, pixel_range, warn_if_other_range
from skdigits.checks.weights import check_weights
from skdigits.estimator import ADAPT_RATE, NetworkEstimator, engine_of, keeps_epochs
from skdigits.inference.classification import classify
from skdigits.metrics import plain_labels
from skdigits.networks.architectures import ARCHITECTURES
from skdigits.networks.spec import NetworkSpec
from skdigits.networks.trained import RESTYLED, TrainedNetwork
from skdigits.sklearn_compat import (
    Interval,
    StrOptions,
    TransformerMixin,
    available_if,
    with_callbacks,
)
from skdigits.training.task import Samples, TrainingTask, split_validation
from skdigits.training.type_samples import SHARE, takes_type, with_type

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from skdigits.typing import Configurable, ImageShape, RandomState, StrPath

ADAPT_SAMPLES = 512  # at least, per epoch of adapting
ADAPT_TYPE = 0.5  # share of digits of type among them


# ClassifierMixin stands left of BaseEstimator, so that its tags win.
class DigitClassifier(
    ClassNamePrefixFeaturesOutMixin, ClassifierMixin, TransformerMixin, NetworkEstimator
):
    """Convolutional network that classifies images of digits, or other small images.

    It accepts images or flat rows of pixels and behaves like every scikit-learn classifier.
    Internally, a SciKeras ``KerasClassifier`` trains a Keras network.

    Parameters
    ----------
    architecture : {"compact", "tiny", "lenet", "deep"} or callable, default="lenet"
        The network: a name, or a function ``(image_shape, n_classes, …) -> keras.Model`` that
        maps images of shape (n, height, width, channels) to class probabilities. `filters`,
        `kernel_size`, `dropout`, `l2` and `dtype` are passed to the function by keyword if it has
        parameters of these names. The function must be hashable and build a new model in each call;
        weights that it sets are kept, all others are drawn with `random_state`. Sides of images
        below 20 pixels are enlarged to 20 pixels, then sides below 28 pixels are padded with black
        to 28 pixels. For 28×28 images and ten classes ``"compact"`` has 4,518 parameters,
        ``"tiny"`` 4,738, ``"lenet"`` 21,518 and ``"deep"`` 111,258.
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
        A name selects the Keras optimizer with the default settings of Keras, except for the
        learning rate and, for ``"adamw"``, a weight decay of 0.05. A Keras optimizer is copied from
        its configuration.
    learning_rate : float or "auto", default="auto"
        Maximum learning rate. ``"auto"`` is a rate tuned for the schedule if `optimizer` is
        ``"adam"`` or ``"adamw"``, and the default of the optimizer otherwise.
    schedule : {"averaged", "one_cycle"} or None, default="averaged"
        ``"averaged"``: constant learning rate after a short warm-up; predictions use the weights
        averaged over about the last tenth of the steps taken. ``"one_cycle"``: the learning rate
        rises and falls once over all epochs. None: constant learning rate. Only ``"one_cycle"``
        depends on the total number of epochs.
    epochs : int, default=15
        Number of epochs, that is, of passes over the training images.
    batch_size : int or "auto", default="auto"
        Images per gradient step. ``"auto"`` gives about 250 steps per epoch, and is between 16 and
        256.
    image_shape : tuple of int, default=None
        Height, width and optionally channels of the images in flat rows. None means the shape of
        3-D or 4-D input; flat rows become square images, padded with zeros if necessary.
    rescale : bool, default=True
        Whether pixels are divided by the largest absolute value in the first training images.
    validation_fraction : float, default=None
        Share of the training images that is held out, stratified by label, to compute ``val_loss``
        and ``val_accuracy`` after each epoch. None means 0.1 with `early_stopping`, otherwise no
        validation. It cannot be combined with `X_val`.
    early_stopping : bool, default=False
        Whether to stop when ``val_loss`` has not improved for `patience` epochs, and to restore the
        best weights.
    patience : int, default=5
        Number of epochs without improvement after which training stops.
    class_weight : dict, "balanced" or None, default=None
        Weight of each class, multiplied by `sample_weight`.
    warm_start : bool or "adapt", default=False
        Whether `fit` continues from the previous fit for `epochs` more epochs. The network, the
        scale of the pixels and the random state remain those of the first fit. ``"adapt"`` is for
        few samples of another hand or camera: the learning rate is a tenth, an epoch repeats the
        samples to at least 512, and as many digits of type are added if the images are digits,
        grey and square, so that other digits are not forgotten.
    keep_epochs : bool or list of int, default=False
        Epochs (from 1) whose weights are kept for `staged_predict`; True keeps all.
    callbacks : list of keras.callbacks.Callback, default=None
        Keras callbacks; each fit uses copies. Callbacks with methods for batches make training
        slower, because each batch is then a separate call. ``BackupAndRestore`` raises an error.
    checkpoint : str or path-like, default=None
        Folder where the state of `fit` is written after each epoch. A fit with the same parameters,
        data and seed that was broken off goes on from there, and ends bit for bit as an undisturbed
        one; at the end the file is removed. Other fits may have the same folder. The state of
        `callbacks` is not written, nor does `skdigits.save` save this parameter.
    augment : bool, float or {"handwritten", "mixed"}, default=False
        Whether training images are rotated (by up to 5°), zoomed (5 %) and shifted (4 % of the
        side) at random. A number in [0, 10] multiplies these limits: with 2, ``"deep"`` continues
        to improve over many epochs, but the smallest networks underfit. ``"handwritten"`` is for
        pictures of other writers, pens and cameras than those of the training images: it also
        slants and stretches digits, changes the thickness of strokes, blurs and breaks them, and
        adds rests of lines. ``"mixed"`` does so, too, and a third of the samples of each epoch,
        drawn anew and with weight 1, are printed, seven-segment and handwriting-like digits of 136
        faces, printed ones that are cut off at a side or have a box around them, and drawn digits
        of other hands; images must be square and grey, and some labels digits. Images are then
        copied in memory.
    dtype : {"float32", "float64"}, default="float32"
        Dtype of weights, computations and probabilities.
    verbose : int, default=0
        0 is silent, 1 shows a progress bar per epoch, 2 prints a line per epoch.
    random_state : int, RandomState instance or None, default=None
        An int gives bit-identical weights in every fit on the same machine with the same number of
        threads.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels.
    history_ : dict of str to list of float
        Training ``loss`` and ``accuracy`` per epoch, and ``val_loss`` and ``val_accuracy``
        if there is a validation set (NaN for epochs without one).
    n_iter_ : int
        Number of epochs trained.
    image_shape_ : tuple of int
        Height, width and channels.
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

    classes_: np.ndarray
    image_shape_: tuple[int, int, int]
    n_features_in_: int

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **NetworkEstimator._parameter_constraints,
        "architecture": [str, callable],
        "kernel_size": [Interval(Integral, 1, None, closed="left"), None],
        "rescale": ["boolean"],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "augment": [
            "boolean",
            Interval(Real, 0, 10, closed="both"),
            StrOptions({RESTYLED, "mixed"}),
        ],
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
        augment: bool | float | Literal["handwritten", "mixed"] = False,
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

        If an exception is raised, whatever its cause, the classifier does not change.

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
            Images to validate on after each epoch, instead of a share of `X`. They have no
            weights, whatever `class_weight` is.
        y_val : array-like of shape (n_val,), default=None
            Labels of `X_val`.
        **unknown
            Any other argument raises an error that says where to pass it.

        Returns
        -------
        self : DigitClassifier
            The fitted classifier.

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

    def partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Train for one epoch on these images, starting from the weights of the last call.

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
            If `classes` is missing in the first call, a label is not among the classes, or a
            parameter is set that needs all samples at once.
        """
        self._check_parameters()
        user_callbacks = self._copy_callbacks()
        checked = copy.copy(self)
        y, classes = plain_labels(y), plain_labels(classes)
        task = checked._describe_partial_fit(X, y, classes, sample_weight)
        return self._train(checked, task, user_callbacks)

    def _describe_fit(
        self, X: Any, y: Any, sample_weight: Any, X_val: Any, y_val: Any
    ) -> TrainingTask:
        """Check the arguments of fit, and return the training task."""
        resume, adapts = self._resumes()
        fraction = self._validation_share(X_val, y_val)
        rows, labels = self._check_images(X, y, reset=not resume)
        if resume:
            check_known(labels, self.classes_)
        else:
            self.classes_ = self._check_classes(np.unique(labels))
        weights = check_weights(sample_weight, self.class_weight, labels, self.classes_)
        if weights is not None:
            if len(np.unique(labels[weights > 0])) < 2:
                raise ValueError(
                    "Only one class has samples with a sample_weight above 0; "
                    "at least 2 classes are needed."
                )
            weights = weights / weights[weights > 0].mean()
        training = self._samples(rows, labels, weights)
        start = self._start_on(training, resume, adapts)
        validation = None
        if fraction is not None:
            training, validation = _divide(training, fraction, start.seed)
        elif X_val is not None:
            rows_val, labels_val = self._check_images(X_val, y_val, reset=False)
            check_known(labels_val, self.classes_)
            _warn_if_other_range(rows_val, start)
            validation = self._samples(rows_val, labels_val, None)
        if not adapts:
            return self._samples_task(start, training, validation)
        used = training.used()
        training = replace(training, indices=np.resize(used, max(ADAPT_SAMPLES, len(used))))
        return self._samples_task(start, training, validation, ADAPT_TYPE, rate_factor=ADAPT_RATE)

    def _describe_partial_fit(
        self, X: Any, y: Any, classes: Any, sample_weight: Any
    ) -> TrainingTask:
        """Check the arguments of partial_fit, and return the training task."""
        for name in ("early_stopping", "validation_fraction"):
            if getattr(self, name):
                raise ValueError(
                    f"partial_fit does not support {name}={getattr(self, name)!r}: it needs a "
                    f"validation set. Set {name} back to its default, or use fit."
                )
        if isinstance(self.class_weight, str):
            raise ValueError(
                "class_weight='balanced' needs all samples at once, so partial_fit cannot use it; "
                "pass a dict of weights."
            )
        resume = self.__sklearn_is_fitted__()
        if not resume and classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        if classes is not None:
            classes = np.unique(column_or_1d(classes))
            if resume and not np.array_equal(classes, self.classes_):
                raise ValueError(
                    f"`classes={classes!r}` is not the same as on the first call to partial_fit, "
                    f"{self.classes_!r}."
                )
        rows, labels = self._check_images(X, y, reset=not resume)
        if not resume:
            self.classes_ = self._check_classes(classes)
        check_known(labels, self.classes_)
        weights = check_weights(sample_weight, self.class_weight, labels, self.classes_)
        training = self._samples(rows, labels, weights)
        # The total number of epochs is unknown, so a constant rate replaces the one-cycle schedule.
        schedule = None if self.schedule == "one_cycle" else self.schedule
        start = self._start_on(training, resume)
        options: dict[str, Any] = {
            "epochs": 1,
            "schedule": schedule,
            "patience": None,
            "checkpoint": None,
        }
        return self._samples_task(start, training, None, **options)

    def _check_parameters(self) -> None:
        """Raise an error before any work if a parameter is not valid."""
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

    def _check_images(self, X: Any, *y: Any, reset: bool) -> tuple[np.ndarray, Any]:
        """Return validated rows of pixels, and the labels if `y` is given."""
        check_no_files(X)
        X = X if hasattr(X, "shape") else np.asarray(X)
        if not reset:
            check_not_one_image(X, self.image_shape_, self.n_features_in_)
        flat, image_shape = split_images(X)
        labels = None
        if y:
            check_not_one_hot(*y)
            flat, labels = validate_data(self, flat, *y, reset=reset)
            check_classification_targets(labels)
        else:
            flat = validate_data(self, flat, reset=reset)
        if reset:
            self.image_shape_ = infer_image_shape(flat.shape[1], image_shape, self.image_shape)
            warn_if_padded(flat.shape[1], self.image_shape_)
        else:
            check_same_shape(self, image_shape)
        return flat, labels

    def _check_classes(self, classes: Any) -> np.ndarray:
        if len(classes) < 2:
            raise ValueError(
                f"{type(self).__name__} needs samples of at least 2 classes; "
                f"got 1 class, {classes.tolist()}."
            )
        return classes

    def _samples(self, rows: np.ndarray, labels: np.ndarray, weights: np.ndarray | None) -> Samples:
        indices = None if weights is None else np.flatnonzero(weights)
        return Samples(rows, np.searchsorted(self.classes_, labels), weights, indices)

    def _start_on(self, training: Samples, resume: bool, adapts: bool = False) -> TrainedNetwork:
        """Return the network to start from, with the pixel range of the first non-blank images."""
        options = self._network_options("filters", "kernel_size", "dropout", "l2")
        spec = NetworkSpec.of(
            self.architecture, self.image_shape_, len(self.classes_), options, self.dtype
        )
        parameters = "architecture, filters, kernel_size, dropout, l2 and dtype"
        start = self._start(spec, resume, parameters, adapts)
        if start.pixel_range is not None:
            _warn_if_other_range(training.x, start)
            return start
        used = True if training.weight is None else (training.weight > 0)[:, np.newaxis]
        seen = pixel_range(training.x, used)
        scale = 1 / seen.largest if seen and self.rescale else 1.0
        dtype = pixel_dtype(training.x, self.dtype).name
        return replace(start, pixel_range=seen, pixel_dtype=dtype, scale=scale)

    def _samples_task(
        self,
        start: TrainedNetwork,
        training: Samples,
        validation: Samples | None,
        type_share: float | None = None,
        **options: Any,
    ) -> TrainingTask:
        if self.augment == "mixed" or (type_share and takes_type(self.classes_, self.image_shape_)):
            kind = self.classes_, self.image_shape_, start.pixel_range
            training = with_type(training, *kind, share=type_share or SHARE)
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

    # -- predicting ----------------------------------------------------------------------

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
            Natural logarithms, in the order of `classes_`; -inf where a probability is 0.
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
        """Compute the accuracy: share of images whose label is predicted.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
(n_samples, height, width, channels)
            Images of the size seen in fit.
        y : array-like of shape (n_samples,)
            Their labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the images.

        Returns
        -------
        float
            Between 0 and 1.
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
            If `k` is not a whole number in this range.
        """
        check_is_fitted(self)
        k = check_top(k, len(self.classes_))
        classes, probability = self._predict_proba(X)
        order = np.argsort(-probability, axis=1, kind="stable")[:, :k]
        return classes[order], np.take_along_axis(probability, order, axis=1)

    def predict_confidence(self, X: ArrayLike) -> np.ndarray:
        """Compute the probability of each predicted label, to reject uncertain predictions.

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

        The features can be used to find outliers and neighbours: a pipeline of a classifier and
        ``LocalOutlierFactor(metric="cosine", novelty=True)`` separates digits from other images.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
(n_samples, height, width, channels)
            Images of the size seen in fit.

        Returns
        -------
        ndarray of shape (n_samples, n_features_out)
            64 features with ``"deep"``, 44 with ``"lenet"``, 12 with ``"tiny"`` and 400 with
            ``"compact"``, for 28×28 images.

        Raises
        ------
        ValueError
            If the architecture is not a Sequential or functional model with one last layer.
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
            Probabilities, one array per kept epoch, first epoch first.
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
            Labels, one array per kept epoch, first epoch first.
        """
        for probability in self.staged_predict_proba(X):
            yield self.classes_[probability.argmax(axis=1)]

    def _predict_proba(self, X: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """Return the classes, and their probabilities."""
        network, classes, rows = self._check(X)
        return classes, classify(network, rows, engine=engine_of(network))

    def _check(self, X: Any) -> tuple[TrainedNetwork, np.ndarray, np.ndarray]:
        """Return the network, its classes, and validated rows of pixels to predict."""
        if not self.__sklearn_is_fitted__():
            check_is_fitted(self)  # raises; it takes longer than the network
        fitted = vars(self)  # which a fit in another thread replaces
        network, classes = fitted["_network"], fitted["classes_"]
        if self._are_images_of_bytes(X):
            rows = X.reshape(len(X), -1)
        else:
            rows, _ = self._check_images(X, reset=False)
        pixel_dtype(rows, network.key.spec.dtype)  # raises if the values are too large
        _warn_if_other_range(rows, network)
        return network, classes, rows

    def _are_images_of_bytes(self, X: Any) -> bool:
        """Whether `X` can have no fault, so that checks, which take longer, are not needed."""
        if type(X) is not np.ndarray or X.dtype != np.uint8 or hasattr(self, "feature_names_in_"):
            return False
        height, width, channels = self.image_shape_
        n, *shape = X.shape or (0,)
        forms = [[self.n_features_in_]]
        if height * width * channels == self.n_features_in_:  # else rows were padded
            forms += [[height, width, channels], [height, width]][: 2 if channels == 1 else 1]
        return n > 0 and shape in forms

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


def _warn_if_other_range(rows: np.ndarray, network: TrainedNetwork) -> None:
    # The first images are enough: a memory-mapped file is not read completely.
    warn_if_other_range(pixel_range(rows[:1000]), network.pixel_range)


def _divide(samples: Samples, fraction: float, seed: int) -> tuple[Samples, Samples]:
    """Divide samples into training and validation samples."""
    training, validation = split_validation(samples.used(), samples.y, fraction, seed)
    return replace(samples, indices=training), replace(samples, indices=validation)
