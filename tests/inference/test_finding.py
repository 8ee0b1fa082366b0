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


def found_in(monkeypatch, outputs):
    """Find the numbers of a picture for which the network has these outputs at full size."""
    height, width = outputs.shape[1] * 4, outputs.shape[2] * 4

    def run(network, images):
        assert images.shape[1] % 4 == images.shape[2] % 4 == 0
        if images.shape[1:3] == (height, width):
            return outputs
        return marks_of(shape=(images.shape[1] // 4, images.shape[2] // 4))

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
        rows, columns = images.shape[1] // 4, images.shape[2] // 4
        outputs = marks_of(shape=(rows, columns), height=0.2 * images.shape[1])
        middle = slice(round(0.45 * rows), round(0.55 * rows) + 1)
        outputs[0, middle, columns // 4 : columns // 2, :2] = 0, 9
        return outputs

    monkeypatch.setattr(finding, "run", run)
    (box,) = find_numbers(None, np.zeros((400, 400), np.float32))
    assert (box.x, box.y) == pytest.approx((150, 200), abs=20)


@pytest.mark.parametrize(
    ("longest", "factors"),
    [(30, [0.5]), (100, [0.5, 1, 2.6][:2]), (200, [1, 2.6]), (3200, [2, 5.2, 13.52, 35.152])],
)
def test_pictures_are_searched_at_several_sizes(longest, factors):
    assert finding._factors(longest) == pytest.approx(factors)
