"""DigitClassifier: a convolutional network as a scikit-learn classifier."""

from __future__ import annotations

import copy
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import ClassifierMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    check_is_fitted,
    column_or_1d,
    validate_data,
)

from skdigits.compatibility import Interval, StrOptions, with_callbacks
from skdigits.estimator import NetworkEstimator, keeps_epochs
from skdigits.networks.spec import ARCHITECTURES, NetworkSpec
from skdigits.validation import (
    check_known,
    check_name,
    check_top,
    check_weights,
    infer_image_shape,
    pixel_dtype,
    split_images,
    split_validation,
)

LOSS = "sparse_categorical_crossentropy"


# ClassifierMixin stands left of BaseEstimator, so that its tags win.
class DigitClassifier(
    ClassNamePrefixFeaturesOutMixin, ClassifierMixin, TransformerMixin, NetworkEstimator
):
    """Convolutional network for images of digits, or of anything else that is small.

    It takes images or flat rows of pixels and behaves as every scikit-learn classifier does.
    Inside, a SciKeras ``KerasClassifier`` trains a Keras network.

    Parameters
    ----------
    architecture : {"compact", "tiny", "lenet", "deep"} or callable, default="compact"
        The network: a name, or a function ``(image_shape, n_classes, …) -> keras.Model`` that
        maps images of shape (n, height, width, channels) to class probabilities. Those of
        `filters`, `kernel_size`, `dropout`, `l2` and `dtype` that it has parameters for are
        passed to it by keyword. It builds a new model in each call, and is hashable; weights that
        it sets stay, all others are drawn with `random_state`. Images with a side below 28 pixels
        are enlarged to 20, if smaller, with black up to 28 around. For 28×28 images and ten
        classes ``"compact"`` has 4,518 parameters, ``"tiny"`` 4,738, ``"lenet"`` 21,518 and
        ``"deep"`` 111,258.
    filters : int, default=None
        Filters of the first convolution; None is the architecture's own number.
    kernel_size : int, default=None
        Side of the convolution kernels, in pixels; None is the architecture's own.
    dropout : float, default=None
        Dropout rate, in [0, 1); None is the architecture's own.
    l2 : float, default=0.0
        L2 penalty on the kernels.
    optimizer : {"adadelta", "adagrad", "adam", "adamax", "adamw", "nadam", "rmsprop", "sgd"}, \
default="adamw"
        Keras optimizer, with Keras's settings but for the learning rate; ``"adamw"`` has a weight
        decay of 0.05.
    learning_rate : float or "auto", default="auto"
        The highest learning rate. ``"auto"`` is a rate tuned for the schedule with Adam and
        AdamW, and Keras's default otherwise.
    schedule : {"averaged", "one_cycle"} or None, default="averaged"
        ``"averaged"``: constant rate after a short warm-up; predictions use the weights
        averaged over about the last tenth of the steps so far. ``"one_cycle"``: the rate rises
        and falls once over all epochs. None: constant rate. Only ``"one_cycle"`` depends on
        the total number of epochs.
    epochs : int, default=15
        Passes over the training images.
    batch_size : int or "auto", default="auto"
        Images per gradient step. ``"auto"`` gives about 250 steps per epoch, within 16 to 256.
    image_shape : tuple of int, default=None
        Height, width and optionally channels of the images in flat rows. None takes the shape
        of 3-D or 4-D input, and for flat rows a square, padded with zeros if need be.
    rescale : bool, default=True
        Whether pixels are divided by the largest absolute value in the first images trained on.
    validation_fraction : float, default=None
        Share of the training images, stratified, on which ``val_loss`` and ``val_accuracy``
        are measured after each epoch instead of training on them. None is 0.1 with
        `early_stopping`, else no validation.
    early_stopping : bool, default=False
        Whether to stop when ``val_loss`` has not improved for `patience` epochs, and to go
        back to the best weights.
    patience : int, default=5
        Epochs without improvement before stopping early.
    class_weight : dict, "balanced" or None, default=None
        Weights per class, multiplied with `sample_weight`.
    warm_start : bool, default=False
        Whether `fit` goes on from the previous fit for `epochs` more epochs. Network, scale of
        the pixels and random state stay those of the first fit.
    keep_epochs : bool or list of int, default=False
        Epochs (from 1) whose weights are kept for `staged_predict`; True keeps all.
    callbacks : list of keras.callbacks.Callback, default=None
        Keras callbacks; copies of them are used. Those with hooks for batches make training
        slower, as each batch is then a call of its own.
    augment : bool or float, default=False
        Whether training images are rotated (by up to 5°), zoomed (5 %) and shifted (4 % of the
        side) at random. A number in [0, 10] is a factor of these limits: with 2, ``"deep"`` goes
        on improving over many epochs; it is more than the smallest networks can learn.
    dtype : {"float32", "float64"}, default="float32"
        Type of weights, arithmetic and probabilities.
    verbose : int, default=0
        0 is silent, 1 shows a progress bar per epoch, 2 prints a line per epoch.
    random_state : int, RandomState instance or None, default=None
        An int gives bit-identical weights in every fit on the same machine with as many threads.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels.
    history_ : dict of str to list of float
        ``loss`` and ``accuracy`` in training per epoch, and ``val_loss`` and ``val_accuracy``
        if there is a validation set (NaN for epochs without one).
    n_iter_ : int
        Epochs trained.
    image_shape_ : tuple of int
        Height, width and channels.
    n_features_in_ : int
        Pixels per image.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names, if fitted on a DataFrame.
    keras_classifier_ : scikeras.wrappers.KerasClassifier
        The SciKeras estimator, fitted, with a Keras model of its own that takes images. It is
        put together on first access.

    See Also
    --------
    skdigits.ImageReshaper : Between flat rows and images.
    skdigits.save : Write a fitted classifier to a file that is safe to load.

    Examples
    --------
    >>> from sklearn.model_selection import cross_val_score
    >>> from skdigits import DigitClassifier
    >>> from skdigits.datasets import load_digits
    >>> X, y = load_digits(return_X_y=True)
    >>> cross_val_score(DigitClassifier(random_state=0), X, y, cv=3).mean() > 0.95
    np.True_
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **NetworkEstimator._parameter_constraints,
        "architecture": [str, callable],
        "kernel_size": [Interval(Integral, 1, None, closed="left"), None],
        "rescale": ["boolean"],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "augment": ["boolean", Interval(Real, 0, 10, closed="both")],
    }

    def __init__(
        self,
        architecture="compact",
        *,
        filters=None,
        kernel_size=None,
        dropout=None,
        l2=0.0,
        optimizer="adamw",
        learning_rate="auto",
        schedule="averaged",
        epochs=15,
        batch_size="auto",
        image_shape=None,
        rescale=True,
        validation_fraction=None,
        early_stopping=False,
        patience=5,
        class_weight=None,
        warm_start=False,
        keep_epochs=False,
        callbacks=None,
        augment=False,
        dtype="float32",
        verbose=0,
        random_state=None,
    ):
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
        self.augment = augment
        self.dtype = dtype
        self.verbose = verbose
        self.random_state = random_state

    # -- fitting -------------------------------------------------------------------------

    @with_callbacks
    def fit(self, X, y, sample_weight=None):
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
(n_samples, height, width, channels)
            Images, of any real dtype; a DataFrame of pixels is welcome.
        y : array-like of shape (n_samples,)
            Labels: integers, strings, booleans, or floats that are whole numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples, none negative; only their ratios matter.

        Returns
        -------
        self : DigitClassifier
            The fitted classifier.

        Raises
        ------
        ValueError
            If a parameter, the images or the labels cannot be used; before any training.
        """
        self._check_parameters()
        own = self._copied_callbacks()
        resume = self.warm_start and self.__sklearn_is_fitted__()
        if not resume:
            self.n_iter_ = 0  # whatever fails from here on, the last fit is over
        rows, pixels, labels = self._check_images(X, y, reset=not resume)
        classes = self.classes_ if resume else np.unique(labels)
        weights = check_weights(sample_weight, self.class_weight, labels, classes)
        if weights is not None:
            if len(np.unique(labels[weights > 0])) < 2:
                raise ValueError(
                    "Only one class has samples with a sample_weight above 0; "
                    "at least 2 classes are needed."
                )
            weights = weights / weights[weights > 0].mean()
        if resume:
            self._check_resumable(labels)
        else:
            self._start(classes)
        fit_input = X, y, sample_weight
        return self._train(rows, pixels, labels, weights, self.epochs, own, fit_input)

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Train for one epoch on these images, going on from where the last call stopped.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
(n_samples, height, width, channels)
            Images.
        y : array-like of shape (n_samples,)
            Labels.
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever come; needed in the first call.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples, as they are: 1 is the weight of a sample without any.

        Returns
        -------
        self : DigitClassifier
            The classifier, one epoch further.

        Raises
        ------
        ValueError
            If the first call names no classes, or a label is not among them.
        """
        self._check_parameters()
        own = self._copied_callbacks()
        if isinstance(self.class_weight, str):
            raise ValueError(
                "class_weight='balanced' needs all samples at once, so partial_fit cannot use it; "
                "pass a dict of weights."
            )
        first = not self.__sklearn_is_fitted__()
        if first and classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        if classes is not None:
            classes = np.unique(column_or_1d(classes))
            if not first and not np.array_equal(classes, self.classes_):
                raise ValueError(
                    f"`classes={classes!r}` is not the same as on the first call to partial_fit, "
                    f"{self.classes_!r}."
                )
        rows, pixels, labels = self._check_images(X, y, reset=first)
        classes = classes if first else self.classes_
        check_known(labels, classes)
        weights = check_weights(sample_weight, self.class_weight, labels, classes)
        if first:
            self._start(classes)
        return self._train(rows, pixels, labels, weights, 1, own)

    def _check_parameters(self):
        """Raise before any work if a parameter cannot be used."""
        super()._check_parameters()
        if isinstance(self.architecture, str):
            check_name("architecture", self.architecture, ARCHITECTURES)
        try:
            hash(self.architecture)
        except TypeError:
            raise ValueError(
                f"architecture should be hashable; {type(self.architecture).__name__} is not. "
                "A dataclass is with @dataclass(frozen=True)."
            ) from None

    def _check_images(self, X, *y, reset):
        """Validated rows of pixels, the type they take, and the labels if `y` is given."""
        flat, image_shape = split_images(X)
        labels = None
        if y:
            flat, labels = validate_data(self, flat, *y, reset=reset)
            check_classification_targets(labels)
        else:
            flat = validate_data(self, flat, reset=reset)
        if reset:
            self.image_shape_ = infer_image_shape(flat.shape[1], image_shape, self.image_shape)
        elif image_shape not in (None, self.image_shape_):
            raise ValueError(
                f"X holds images of shape {image_shape}, but {type(self).__name__} was fitted "
                f"on images of shape {self.image_shape_}."
            )
        pixels = pixel_dtype(flat, self.dtype if y else self._spec.dtype)
        return flat, pixels, labels

    def _check_resumable(self, labels):
        """A warm start needs the network and the labels of the first fit."""
        check_known(labels, self.classes_)
        names = "architecture, filters, kernel_size, dropout, l2 and dtype"
        self._check_same_network(self._network_spec(len(self.classes_)), names)

    def _network_spec(self, n_classes):
        given = self._network_options("filters", "kernel_size", "dropout", "l2")
        return NetworkSpec(self.architecture, self.image_shape_, n_classes, given, self.dtype)

    def _start(self, classes):
        """Set everything that a first fit decides, and draw the initial weights."""
        if len(classes) < 2:
            raise ValueError(
                f"{type(self).__name__} needs samples of at least 2 classes; "
                f"got 1 class, {classes.tolist()}."
            )
        self._begin(self._network_spec(len(classes)))
        self.classes_ = classes
        self._scale = None

    def _find_scale(self, rows, weights):
        """Set the factor of the pixels, at the first images that are not all blank."""
        used = True if weights is None else (weights > 0)[:, np.newaxis]
        extremes = rows.max(initial=0, where=used), rows.min(initial=0, where=used)
        largest = max(abs(float(value)) for value in extremes) if self.rescale else 1.0
        self._scale = 1.0 / largest if largest else None

    def _train(self, rows, pixels, labels, weights, epochs, own, fit_input=None):
        """Train on checked images and labels."""
        if self._scale is None:
            self._find_scale(rows, weights)
        indices = np.searchsorted(self.classes_, labels)
        samples, validation = self._split(indices, weights, validate=fit_input is not None)
        batch_size = self._batch_size(len(samples))

        def fit(model, **arguments):
            return self._fit_scikeras(
                model,
                rows,
                indices,
                batch_size=batch_size,
                loss_weight=weights,
                samples=samples,
                validation_samples=validation,
                **arguments,
            )

        return self._run(fit, pixels, epochs, own, fit_input)

    def _fit_scikeras(self, model, x, y, *, batch_size, callbacks, **fit_arguments):
        """Train `model` through SciKeras; return its history."""
        estimator = _wrap(
            model,
            np.zeros((len(self.classes_), x.shape[1]), x.dtype),
            np.arange(len(self.classes_)),
            batch_size=batch_size,
            callbacks=callbacks,
            verbose=min(int(self.verbose), 2),
            warm_start=True,
        )
        estimator.fit(x, y, **fit_arguments)
        return estimator.history_

    def _split(self, indices, weights, *, validate):
        """Samples with a weight, divided into what trains and what validates (or None)."""
        samples = np.arange(len(indices)) if weights is None else np.flatnonzero(weights)
        fraction = self._validation_share()
        if fraction is None or not validate:
            return samples, None
        return split_validation(samples, indices, fraction, self._seed)

    def _batch_size(self, n_samples):
        if self.batch_size != "auto":
            return min(int(self.batch_size), n_samples)
        return int(np.clip(n_samples // 250, 16, 256))

    # -- predicting ----------------------------------------------------------------------

    def predict_proba(self, X):
        """Class probabilities.

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
        check_is_fitted(self)
        rows, pixels, _ = self._check_images(X, reset=False)
        return self._predict_rows(rows, pixels, self._state["weights"])

    def predict(self, X):
        """Labels.

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
        probability = self.predict_proba(X)
        return self.classes_[probability.argmax(axis=1)]

    def predict_top_k(self, X, k=3):
        """Find the `k` most probable labels of each image.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
(n_samples, height, width, channels)
            Images of the size seen in fit.
        k : int, default=3
            How many, from 1 to the number of classes.

        Returns
        -------
        labels : ndarray of shape (n_samples, k)
            The labels, the most probable first.
        probability : ndarray of shape (n_samples, k)
            Their probabilities.

        Raises
        ------
        ValueError
            If `k` is another number.
        """
        check_is_fitted(self)
        k = check_top(k, len(self.classes_))
        probability = self.predict_proba(X)
        order = np.argsort(-probability, axis=1, kind="stable")[:, :k]
        return self.classes_[order], np.take_along_axis(probability, order, axis=1)

    def predict_confidence(self, X):
        """Probability of the label that `predict` gives: reject what is below a threshold.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
(n_samples, height, width, channels)
            Images of the size seen in fit.

        Returns
        -------
        ndarray of shape (n_samples,)
            The highest of `predict_proba`.
        """
        return self.predict_proba(X).max(axis=1)

    def transform(self, X):
        """Features of images: what the last layer of the network is given.

        They are what to search for outliers or neighbours in: with
        ``LocalOutlierFactor(metric="cosine", novelty=True)`` behind it, a pipeline tells digits
        from other things.

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
            If the architecture is no Sequential or functional model with one last layer.
        """
        check_is_fitted(self)
        rows, pixels, _ = self._check_images(X, reset=False)
        return self._predict_rows(rows, pixels, self._state["weights"], "features")

    @property
    def _n_features_out(self):
        blank = np.zeros((1, self.n_features_in_), np.uint8)
        features = self._predict_rows(blank, blank.dtype, self._state["weights"], "features")
        return features.shape[1]

    @available_if(keeps_epochs)
    def staged_predict_proba(self, X):
        """Class probabilities after each kept epoch.

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
        check_is_fitted(self)
        if not self._kept:
            raise ValueError(
                f"No epoch was kept: keep_epochs={self.keep_epochs!r} should be set before fit "
                f"and name epochs from 1 to {self.n_iter_}."
            )
        rows, pixels, _ = self._check_images(X, reset=False)
        for epoch in sorted(self._kept):
            yield self._predict_rows(rows, pixels, self._kept[epoch])

    @available_if(keeps_epochs)
    def staged_predict(self, X):
        """Labels after each kept epoch.

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

    def _predict_rows(self, rows, pixels, weights, kind="predict"):
        from skdigits.training import model_cache

        with model_cache.cache.borrow(*self._key) as model:
            return model.predict_rows(weights, rows, pixels, self._scale or 1.0, kind)

    # -- the Keras side ------------------------------------------------------------------

    @property
    def keras_classifier_(self):
        """The fitted SciKeras estimator."""
        check_is_fitted(self)
        if "_keras_classifier" not in vars(self):
            from skdigits.training import schedules

            _, optimizer, _ = self._key
            model = self.to_keras()
            model.compile(
                schedules.OPTIMIZERS[optimizer](learning_rate=self._rate),
                LOSS,
                metrics=["accuracy"],
                jit_compile=False,
            )
            # SciKeras takes only what can be cast to this type.
            blank = np.zeros((len(self.classes_), *self.image_shape_), np.float64)
            parameters = {"optimizer": optimizer, "epochs": self.epochs, "verbose": 0}
            estimator = _wrap(model, blank, self.classes_, **parameters)
            estimator.history_ = copy.deepcopy(self.history_)
            self._keras_classifier = estimator
        return self._keras_classifier

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = []  # features have the network's own
        return tags


def _wrap(model, X, y, **parameters):
    """A SciKeras classifier around a compiled Keras model, told of all classes."""
    from scikeras.wrappers import KerasClassifier

    return KerasClassifier(model=model, loss=LOSS, **parameters).initialize(X, y)
