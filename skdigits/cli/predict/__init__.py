"""``skdigits predict``: predict labels of images, and write them as CSV."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from skdigits.cli.options import Dask, Jobs, Model
from skdigits.cli.progress import progress_line
from skdigits.cli.start_up import start_tensorflow
from skdigits.cli.workers import workers

Data = Annotated[
    str,
    typer.Argument(
        metavar="DATA", help="A file or folder of images, in any format that train accepts."
    ),
]
Output = Annotated[
    Path, typer.Option("-o", "--output", metavar="FILE", help="The CSV file to write.")
]
RejectBelow = Annotated[
    float,
    typer.Option(
        metavar="P", min=0, max=1, help="Leave a label empty if its probability is below P."
    ),
]


def predict(
    model: Model,
    data: Data,
    output: Output = Path("submission.csv"),
    reject_below: RejectBelow = 0.0,
    jobs: Jobs = None,
    dask: Dask = None,
) -> None:
    """Predict labels with a saved model, and write them as CSV.

    The columns are ImageId and Label, as Kaggle expects. ImageId is the number of an image, from 1;
    for pictures, it is the file name. DATA is processed in chunks, and can be larger than memory. A
    model of sequences needs pictures of lines.
    """
    from skdigits import DigitSequenceRecognizer, load
    from skdigits.cli.predict.totals import print_totals
    from skdigits.cli.predict.writing import cleaning_of, write_predictions
    from skdigits.datasets.sources import iter_chunks
    from skdigits.estimator import network_of
    from skdigits.files import check_destination
    from skdigits.wrappers import network_estimator

    check_destination(output)
    estimator = load(model)
    last = network_estimator(estimator)
    lines = isinstance(last, DigitSequenceRecognizer)
    cleaning = cleaning_of(estimator)
    with progress_line() as watch:
        chunks = iter_chunks(data, lines=lines, cleaning=cleaning, watch=watch)
        if dask is None and not network_of(last).key.spec.has_onnx_model:
            start_tensorflow()
        with workers(dask, n_jobs=jobs):
            totals = write_predictions(
                estimator, chunks, output, reject_below=reject_below, cluster=dask is not None
            )
    print_totals(totals, output, reject_below)
    if totals.n_unreadable:
        raise typer.Exit(1)
