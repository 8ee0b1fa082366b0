"""``skdigits export``: export a network for programs without skdigits."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from skdigits.cli.console import print_line
from skdigits.cli.options import Model
from skdigits.cli.packages import TRAINING, check_packages
from skdigits.cli.start_up import start_tensorflow

Output = Annotated[
    Path,
    typer.Option(
        "-o",
        "--output",
        metavar="FILE",
        help="The file to write, which ends in .onnx, .keras or .tflite.",
    ),
]


def export(model: Model, output: Output = Path("model.onnx")) -> None:
    """Export the network of a model for programs without skdigits.

    The exported network takes images with the same range of pixel values as in training, and
    returns probabilities.
    """
    import skdigits.persistence
    from skdigits.files import check_destination

    check_destination(output, skdigits.persistence.EXPORT_FORMATS)
    needs_tensorflow = output.suffix.lower() != ".onnx"
    if needs_tensorflow:
        check_packages(*TRAINING)
    estimator = skdigits.load(model)
    if needs_tensorflow:
        start_tensorflow()
    print_line(f"Wrote {skdigits.export(estimator, output)}")
