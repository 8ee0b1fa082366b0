"""Tables are drawn as boxes; no picture is needed."""

import time
import tracemalloc

import numpy as np
import pytest

from skdigits.pictures.tables import find_cells, find_rows

WIDTHS = np.array([18, 90, 45, 60, 30, 75])  # of numbers in a cell of 100 pixels
HEIGHT, ROW, COLUMN = 24, 40, 130


def table(n_rows, n_columns, align="right", jitter=0.0, degrees=0.0, seed=0):
    """Boxes of a table, row by row, and their rows and columns."""
    rng = np.random.default_rng(seed)
    rows, columns = np.indices((n_rows, n_columns)).reshape(2, -1)
    width = rng.choice(WIDTHS, rows.size)
    free = {"left": 0, "right": 1, "centre": 0.5}[align] * (100 - width)
    x = 50 + COLUMN * columns + free + rng.uniform(-jitter, jitter, rows.size) * HEIGHT
    y = 70 + ROW * rows + rng.uniform(-jitter, jitter, rows.size) * HEIGHT
    centres = np.stack([x + width / 2, y + HEIGHT / 2])
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    x, y = turn @ centres
    boxes = np.stack([x - width / 2, y - HEIGHT / 2, x + width / 2, y + HEIGHT / 2], axis=1)
    return np.rint(boxes).astype(int), rows, columns


def assert_cells(boxes, rows, columns):
    shuffled = np.random.default_rng(1).permutation(len(boxes))
    found_rows, found_columns = find_cells(boxes[shuffled])
    np.testing.assert_array_equal(found_rows, rows[shuffled])
    np.testing.assert_array_equal(found_columns, columns[shuffled])
    np.testing.assert_array_equal(find_rows(boxes[shuffled]), rows[shuffled])


@pytest.mark.parametrize("align", ["left", "right", "centre"])
@pytest.mark.parametrize("degrees", [-2, 0, 2])
@pytest.mark.parametrize("shape", [(8, 3), (40, 3), (8, 10)])
@pytest.mark.parametrize("seed", range(3))
def test_rows_and_columns_of_a_rotated_table_with_jitter(align, degrees, shape, seed):
    assert_cells(*table(*shape, align, jitter=0.2, degrees=degrees, seed=seed))


@pytest.mark.parametrize("degrees", [-2, 0, 2])
@pytest.mark.parametrize("seed", range(5))
def test_cells_can_be_empty(degrees, seed):
    boxes, rows, columns = table(8, 4, jitter=0.15, degrees=degrees, seed=seed)
    kept = np.random.default_rng(seed).permutation(len(boxes))[:20]
    kept = np.union1d(kept, np.flatnonzero((rows == columns) | (columns == 0)))
    kept = np.setdiff1d(kept, np.flatnonzero((rows == 7) & (columns < 3)))  # begins far right
    kept = np.union1d(kept, [31])
    assert_cells(boxes[kept], rows[kept], columns[kept])


def test_a_column_of_one_number_is_kept():
    boxes, rows, columns = table(8, 3, "left")
    boxes[3 * 4 + 1, 2] = boxes[3 * 4 + 2, 0] + 4  # and reaches a little into the next column
    kept = (columns != 1) | (rows == 4)
    assert_cells(boxes[kept], rows[kept], columns[kept])


def test_a_number_as_wide_as_two_columns_joins_neither_them_nor_rows():
    boxes, rows, columns = table(8, 3, "left")
    boxes[3 * 4 + 1, ::2] = boxes[3 * 4 + 1, 0] + 3, boxes[2::3, 2].max()  # two found as one
    kept = np.arange(len(boxes)) != 3 * 4 + 2
    assert_cells(boxes[kept], rows[kept], columns[kept])


def test_a_number_as_tall_as_two_rows_joins_them_not():
    boxes, rows, columns = table(8, 3)
    boxes[3 * 4 + 1, 3] = boxes[3 * 5 + 1, 3]
    kept = np.arange(len(boxes)) != 3 * 5 + 1
    found_rows, found_columns = find_cells(boxes[kept])
    is_ordinary = np.arange(len(boxes))[kept] != 3 * 4 + 1
    np.testing.assert_array_equal(found_rows[is_ordinary], rows[kept][is_ordinary])
    np.testing.assert_array_equal(found_columns, columns[kept])


def test_a_heading_across_two_columns_splits_no_column():
    boxes, rows, columns = table(8, 2)
    heading = [[60, 20, 90, 44], [105, 20, 140, 44]]  # "30 11" above the first column
    found_rows, found_columns = find_cells(np.concatenate([heading, boxes]))
    assert found_rows.tolist() == [0, 0, *(1 + rows)]
    assert found_columns.tolist() == [0, 0, *columns]


@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (9, 1), (2, 2)])
@pytest.mark.parametrize("degrees", [0, 2])
def test_small_tables(shape, degrees):
    assert_cells(*table(*shape, jitter=0.1, degrees=degrees))


def test_no_number_has_no_cell():
    rows, columns = find_cells(np.empty((0, 4), int))
    assert rows.shape == columns.shape == find_rows([]).shape == (0,)
    assert rows.dtype == columns.dtype == np.int64


def test_two_numbers_do_not_turn_a_page():
    assert find_rows([[50, 100, 110, 124], [1000, 140, 1060, 164]]).tolist() == [0, 1]


def test_rows_can_be_curved():
    boxes, rows, columns = table(20, 16)
    bend = np.rint(25 * np.sin(boxes[:, 0] / 600)).astype(int)[:, np.newaxis]
    assert_cells(boxes + bend * [0, 1, 0, 1], rows, columns)


@pytest.mark.parametrize("shape", [(500, 10), (10, 500), (5000, 1), (1, 5000)])
def test_thousands_of_numbers_need_little_time_and_memory(shape):
    boxes, rows, columns = table(*shape)
    start = time.perf_counter()
    found = find_cells(boxes)
    assert time.perf_counter() - start < 5
    np.testing.assert_array_equal(found, [rows, columns])
    tracemalloc.start()
    find_cells(boxes)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5000 * 5000  # a byte for each pair of numbers
