import numpy as np
import pytest

from skdigits.inference import finding
from skdigits.inference.finding import find_numbers


def marks_of(*parts, shape=(30, 50), height=18.0):
    """Make the network's outputs: parts of (turn, rows, columns) are marked."""
    outputs = np.zeros((1, *shape, 6), np.float32)
    outputs[..., 0] = 9
    outputs[..., 5] = np.log2(height / 16)
    for turn, rows, columns in parts:
        outputs[0, rows, columns, 0] = 0
        outputs[0, rows, columns, 1 + turn] = 9
    return outputs


def with_margin(outputs):
    """Add the outputs of the margin around a picture, where nothing is marked."""
    n = finding.MARGIN // 4
    framed = marks_of(shape=(outputs.shape[1] + 2 * n, outputs.shape[2] + 2 * n))
    framed[:, n:-n, n:-n] = outputs
    return framed


def found_in(monkeypatch, outputs):
    """Find the numbers of a picture for which the network has these outputs at full size."""
    height, width = outputs.shape[1] * 4, outputs.shape[2] * 4

    def run(network, images):
        size = images.shape[1] - 2 * finding.MARGIN, images.shape[2] - 2 * finding.MARGIN
        assert size[0] % 4 == size[1] % 4 == 0
        if size == (height, width):
            return with_margin(outputs)
        return with_margin(marks_of(shape=(size[0] // 4, size[1] // 4)))

    monkeypatch.setattr(finding, "run", run)
    return find_numbers(None, np.zeros((height, width), np.float32))


def test_marked_pixels_become_boxes(monkeypatch):
    parts = [(0, slice(4, 6), slice(5, 15)), (1, slice(10, 25), slice(30, 32))]
    upright, turned = sorted(found_in(monkeypatch, marks_of(*parts)), key=lambda box: box.x)
    edge = 0.08 * 18
    assert upright.bounds == pytest.approx((20 - edge, 20 - 9, 60 + edge, 20 + 9))
    assert upright.along == pytest.approx((1, 0))
    assert turned.bounds == pytest.approx((124 - 9, 40 - edge, 124 + 9, 100 + edge))
    assert turned.along == pytest.approx((0, -1))
    assert turned.score > 0.99


def test_a_tilted_number_has_its_own_direction(monkeypatch):
    outputs = marks_of()
    for column in range(5, 40):
        row = 4 + column // 5
        outputs[0, row : row + 2, column, :2] = 0, 9
    (box,) = found_in(monkeypatch, outputs)
    assert np.degrees(np.arctan2(box.along[1], box.along[0])) == pytest.approx(11.3, abs=1)


def test_nothing_marked_gives_no_box(monkeypatch):
    assert found_in(monkeypatch, marks_of()) == []


def test_a_number_found_at_two_sizes_is_one(monkeypatch):
    def run(network, images):
        rows, columns = (side // 4 - finding.MARGIN // 2 for side in images.shape[1:3])
        outputs = marks_of(shape=(rows, columns), height=0.8 * rows)
        middle = slice(round(0.45 * rows), round(0.55 * rows) + 1)
        outputs[0, middle, columns // 4 : columns // 2, :2] = 0, 9
        return with_margin(outputs)

    monkeypatch.setattr(finding, "run", run)
    (box,) = find_numbers(None, np.zeros((400, 400), np.float32))
    assert box.height == pytest.approx(80, rel=0.05)
    assert (box.x, box.y) == pytest.approx((150, 200), abs=20)


@pytest.mark.parametrize(
    ("longest", "height", "sizes"),
    [
        (30, 18, [30]),
        (30, 12, [30, 60]),
        (200, 40, [200, 76]),
        (200, 12, [200, 76, 400]),
        (1200, 12, [1200, 460, 176, 68, 1600]),
        (3200, 12, [1600, 616, 236, 92]),
    ],
)
def test_pictures_are_searched_at_several_sizes(monkeypatch, longest, height, sizes):
    seen = []

    def run(network, images):
        seen.append(images.shape[2] - 2 * finding.MARGIN)
        parts = [(0, slice(1, 2), slice(1, 4))]
        shape = [side // 4 - finding.MARGIN // 2 for side in images.shape[1:3]]
        return with_margin(marks_of(*parts, shape=shape, height=height))

    monkeypatch.setattr(finding, "run", run)
    find_numbers(None, np.zeros((longest, longest), np.float32))
    assert seen == pytest.approx(sizes, abs=4)
