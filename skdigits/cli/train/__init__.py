"""``skdigits train``: train a classifier or recognizer, or adapt a saved model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from skdigits.cli.options import Data, Seed
from skdigits.cli.packages import TRAINING, check_packages

Output = Annotated[
    Path,
    typer.Option(
        "-o", "--output", metavar="FOLDER", help="Folder for the model, metrics and figures."
    ),
]
Sequences = Annotated[
    bool,
    typer.Option("--sequences", help="Train on sequences of digits generated from the images."),
]
Architecture = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Network: lenet (default), compact or tiny (smaller), or deep (larger).",
    ),
]
Epochs = Annotated[
    int | None,
    typer.Option(
        metavar="N", min=1, help="Number of epochs; by default 15, or as in MODEL with --from."
    ),
]
SequencesPerEpoch = Annotated[
    int | None,
    typer.Option(
        metavar="N", min=1, help="Sequences per epoch, with --sequences; 10,000 by default."
    ),
]
BatchSize = Annotated[str, typer.Option(metavar="N", help="Images per gradient step, or auto.")]
LearningRate = Annotated[str, typer.Option(metavar="RATE", help="Maximum learning rate, or auto.")]
Augment = Annotated[
    int,
    typer.Option(
        "--augment",
        count=True,
        max=10,
        show_default=False,
        help="Rotate, zoom and shift training images at random. Repeat the option for stronger "
        "changes.",
    ),
]
Style = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Style augmentation, for writers, pens and cameras that DATA does not contain: "
        "handwritten, or mixed, which adds printed and seven-segment digits. With --sequences, "
        "handwritten is the default; a third style, tiles, places whole images side by side.",
    ),
]
Signs = Annotated[
    str,
    typer.Option(
        metavar="SIGNS", help="Characters to read besides digits, such as .,- (with --sequences)."
    ),
]
EarlyStopping = Annotated[
    bool,
    typer.Option(
        "--early-stopping",
        help="Stop when the validation loss no longer improves; by default, a tenth of the "
        "training images is held out for validation.",
    ),
]
ValidationFraction = Annotated[
    float | None,
    typer.Option(
        metavar="SHARE",
        min=0.01,
        max=0.9,
        help="Share of the training images held out for validation.",
    ),
]
From = Annotated[
    Path | None,
    typer.Option(
        "--from",
        metavar="MODEL",
        help="Adapt a model to the images of DATA. MODEL is a file model.skdigits, or the name of "
        "a pretrained model: digit or sequence.",
    ),
]
TestFraction = Annotated[
    float,
    typer.Option(
        metavar="SHARE",
        min=0,
        max=0.9,
        help="Share of the images held out for testing; 0 trains on all images without testing.",
    ),
]


def train(
    data: Data = None,
    output: Output = Path("skdigits-train"),
    sequences: Sequences = False,
    architecture: Architecture = None,
    epochs: Epochs = None,
    sequences_per_epoch: SequencesPerEpoch = None,
    batch_size: BatchSize = "auto",
    learning_rate: LearningRate = "auto",
    augment: Augment = 0,
    style: Style = None,
    signs: Signs = "",
    early_stopping: EarlyStopping = False,
    validation_fraction: ValidationFraction = None,
    model: From = None,
    test_fraction: TestFraction = 0.2,
    seed: Seed = 0,
) -> None:
    """Train a classifier, and save the model, metrics and figures.

    The classifier is tested on held-out images. With --sequences, a recognizer of digit sequences
    is trained instead. Each epoch generates new sequences from the training images. The test
    sequences are generated from the held-out images.

    With --from, a saved model is adapted to the images of DATA; a few images are enough. A model of
    single digits needs images of single digits; a model of sequences needs pictures of lines. Put
    pictures into folders named after their labels, or list them in a file labels.csv.

    To resume an interrupted training, run the same command again.
    """
    from skdigits.cli.train.fits import FitOptions, adapt_model, train_classifier, train_recognizer

    check_packages("matplotlib", *TRAINING)
    _check_combination(sequences, architecture, sequences_per_epoch, augment, style, signs, model)
    options = FitOptions(
        data=data,
        output=output,
        test_fraction=test_fraction,
        seed=seed,
        batch_size=batch_size,
        learning_rate=learning_rate,
        epochs=epochs,
        early_stopping=early_stopping,
        validation_fraction=validation_fraction,
    )
    if model is not None:
        adapt_model(options, model)
    elif sequences:
        given = {"style": style, "signs": signs, "sequences_per_epoch": sequences_per_epoch}
        train_recognizer(options, **{name: value for name, value in given.items() if value})
    else:
        train_classifier(
            options, architecture=architecture or "lenet", augment=augment, style=style
        )


def _check_combination(
    sequences: bool,
    architecture: str | None,
    sequences_per_epoch: int | None,
    augment: int,
    style: str | None,
    signs: str,
    model: Path | None,
) -> None:
    """Raise an error if options cannot be combined."""
    from skdigits.checks.parameters import check_name
    from skdigits.synthesis.composition import STYLES

    if sequences_per_epoch and not sequences:
        raise ValueError(
            "--sequences-per-epoch needs --sequences; add --sequences, or omit "
            "--sequences-per-epoch."
        )
    if signs and not sequences:
        raise ValueError("--signs needs --sequences; add --sequences, or omit --signs.")
    if model is not None:
        if sequences or architecture or augment or style:
            raise ValueError(
                "--from keeps the network and the style of MODEL; omit --sequences, "
                "--architecture, --augment and --style."
            )
        return
    if sequences and (augment or architecture):
        raise ValueError(
            "--architecture and --augment are for single digits; omit them, or omit --sequences."
        )
    if style is not None:
        check_name("--style", style, STYLES if sequences else ("handwritten", "mixed"))
    if style and augment:
        raise ValueError("--style includes the changes of --augment; omit --augment.")
