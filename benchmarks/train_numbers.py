"""Train the networks that find and read numbers in whole pictures.

    python benchmarks/train_numbers.py DATA FOLDER_OF_FONTS [--photographs FOLDER] [--rounds N]
                                       [--quick]

DATA is a folder of MNIST's IDX files; FOLDER_OF_FONTS is that of `make_glyphs.py`; the photographs
show no numbers. In each round, pages are drawn. The finder learns from the new pages, the reader
from numbers that were cut out of the pages of all rounds. A round takes about two minutes on one
core. The networks are written to `skdigits/pretrained/`: `finder.npz` and `number.skdigits`.
"""

from __future__ import annotations

import math
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
from draw_pages import load_materials
from measuring import MNIST, parser

import skdigits
from skdigits import DigitSequenceRecognizer
from skdigits.inference.finding import USUAL_HEIGHT
from skdigits.networks.architectures import describe
from skdigits.networks.labels import DIGITS
from skdigits.pictures.number_images import OTHER, evened
from skdigits.pretrained import FINDER_OUTPUTS
from skdigits.synthesis.pages.cut_outs import cut_numbers
from skdigits.synthesis.pages.page_samples import IGNORED, draw_sample

FOLDER = Path(skdigits.__file__).parent / "pretrained"
SIGNS = ".,-+/:%$€£# " + OTHER
ROUNDS, PAGES, LINES = 80, 1000, 10_000  # rounds; pages and lines to learn from in each
FINDER_BATCH, FINDER_RATE = 8, 3e-3
READER_RATE = 2e-3
WARM_UP = 200  # steps of the finder until its learning rate is reached
MARKED = 3.0  # weight of the pixels of numbers, which are fewer than others
OVERLAP, HEIGHT = 0.3, 0.3  # weights of the loss of overlap and of the loss of heights
NEGATIVES = 0.25  # share of the batches in which black and white are exchanged
WIDEST = 400  # columns of a cut-out


def main():
    options = parser(__doc__, data=MNIST)
    options.add_argument("fonts", nargs="?", type=Path, help="folder of fonts")
    options.add_argument("--photographs", type=Path, help="folder of pictures without numbers")
    options.add_argument("--rounds", type=int, default=ROUNDS)
    args = options.parse_args()
    materials = load_materials(args)
    rounds, n_pages = (2, 16) if args.quick else (args.rounds, PAGES)
    rng, finder, reader = np.random.default_rng(0), Finder(), Reader()
    with tempfile.TemporaryDirectory() as elsewhere:
        folder = Path(elsewhere) if args.quick else FOLDER
        for number in range(rounds):
            start, rate = time.perf_counter(), cosine(number / rounds)
            samples = [draw_sample(materials, rng) for _ in range(n_pages)]
            losses = finder.learn(samples, rate, rng)
            losses += reader.learn([cut_numbers(sample, rng) for sample in samples], rate, rng)
            seconds = time.perf_counter() - start
            print(f"round {number + 1} of {rounds}, {seconds:.0f} s:", *np.round(losses, 4))
            finder.save(folder / "finder.npz")
            reader.save(folder / "number.skdigits")


def cosine(progress):
    """Return the factor of the learning rates: from 1 to 0."""
    return 0.5 * (1 + math.cos(math.pi * progress)) + 0.01


class Reader:
    """The network that reads numbers, and the cut-outs that it has been given."""

    def __init__(self):
        self.recognizer = DigitSequenceRecognizer(
            signs=SIGNS, dropout=0.1, epochs=1, schedule=None, warm_start=True, random_state=0
        )
        self.images, self.texts = [], []

    def learn(self, pages, rate, rng):
        """Train an epoch; its weights are kept, without the state of the optimizer."""
        for image, text in (cut for cuts in pages for cut in cuts):
            known = set(text) <= set(DIGITS + SIGNS)
            if known and 2 * needed_frames(text) <= image.shape[1] <= WIDEST:
                self.images.append(evened(image))
                self.texts.append(text)
        chosen = rng.permutation(len(self.images))[:LINES]
        seed = int(rng.integers(2**31))  # for the order of the samples
        self.recognizer.set_params(learning_rate=READER_RATE * rate, random_state=seed)
        self.recognizer.set_params(keep_epochs=[getattr(self.recognizer, "n_iter_", 0) + 1])
        self.recognizer.fit([self.images[i] for i in chosen], [self.texts[i] for i in chosen])
        return [self.recognizer.history_["loss"][-1]]

    def save(self, path):
        finished = self.recognizer.at_epoch(self.recognizer.n_iter_)
        finished.set_params(warm_start="adapt", epochs=15, schedule="averaged")
        finished.set_params(learning_rate="auto", keep_epochs=False, random_state=None)
        skdigits.save(finished, path)


def needed_frames(text):
    """Return the number of frames that CTC needs, with one to spare."""
    return len(text) + sum(a == b for a, b in pairwise(text)) + 1


class Finder:
    """The network that finds numbers."""

    def __init__(self):
        from skdigits.training import keras_layers
        from skdigits.training.tensorflow import keras

        keras.utils.set_random_seed(0)
        layers = describe("finder", FINDER_OUTPUTS)
        self.model = keras_layers.build(
            layers, (None, None, 1), "finder", dtype="float32", faster=True
        )
        self.optimizer = keras.optimizers.AdamW(FINDER_RATE, weight_decay=1e-3)
        self.step, self.n_steps = self.compiled(), 0

    def compiled(self):
        """Return a function from pictures, targets and heights to losses; it trains a step."""
        from skdigits.training.tensorflow import tf

        @tf.function(jit_compile=False)
        def step(pictures, target, levels):
            with tf.GradientTape() as tape:
                losses = finder_losses(self.model(pictures, training=True), target, levels)
                loss = losses[0] + OVERLAP * losses[1] + HEIGHT * losses[2]
            variables = self.model.trainable_variables
            gradients = tape.gradient(loss, variables)
            self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
            return losses

        return step

    def learn(self, samples, rate, rng):
        pictures = np.stack([np.asarray(sample.picture) for sample in samples])[..., np.newaxis]
        targets = np.stack([sample.target for sample in samples])
        heights = np.stack([sample.heights for sample in samples])
        levels = np.log2(np.maximum(heights, 1) / USUAL_HEIGHT).astype(np.float32)
        order, losses = rng.permutation(len(samples)), []
        for chosen in order[: len(order) // FINDER_BATCH * FINDER_BATCH].reshape(-1, FINDER_BATCH):
            self.n_steps += 1
            warm = min(1, self.n_steps / WARM_UP)
            self.optimizer.learning_rate.assign(FINDER_RATE * rate * warm)
            sign = -1 if rng.random() < NEGATIVES else 1
            batch = sign * (pictures[chosen] / np.float32(127.5) - 1)
            losses.append(self.step(batch, targets[chosen].astype(np.int32), levels[chosen]))
        return list(np.mean(losses, axis=0))

    def save(self, path):
        variables = *self.model.trainable_variables, *self.model.non_trainable_variables
        np.savez(path, *(variable.numpy().astype(np.float16) for variable in variables))


def finder_losses(outputs, target, levels):
    """Return the losses of classes, of overlap (Dice) and of heights."""
    from skdigits.training.tensorflow import tf

    counted = tf.cast(target != IGNORED, tf.float32)
    classes = tf.where(target == IGNORED, 0, target)
    marked = tf.cast(classes > 0, tf.float32)
    logits = outputs[..., :-1]
    entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(classes, logits)
    weights = counted * (1 + (MARKED - 1) * marked)
    found = (1 - tf.nn.softmax(logits)[..., 0]) * counted
    n_marked = tf.reduce_sum(marked) + 1
    both, either = tf.reduce_sum(found * marked), tf.reduce_sum(found) + n_marked
    distances = tf.abs(outputs[..., -1] - levels) * marked
    return (
        tf.reduce_sum(entropy * weights) / (tf.reduce_sum(counted) + 1),
        1 - (2 * both + 1) / either,
        tf.reduce_sum(distances) / n_marked,
    )


if __name__ == "__main__":
    main()
