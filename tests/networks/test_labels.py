import numpy as np

from skdigits.networks.labels import DIGITS, as_rows, as_strings, needed_frames


def test_frames_that_digits_need():
    digits = np.array([[1, 2, 3], [1, 1, 1], [1, 1, -1], [-1, -1, -1]])
    assert needed_frames(digits).tolist() == [3, 5, 3, 0]


def test_strings_become_rows_of_a_width_and_digits_and_back():
    sequences = np.array(["07", "", "415"])
    rows = as_rows(sequences, np.array([9, 5, 40]), DIGITS)
    assert rows.tolist() == [[9, 0, 7, -1], [5, -1, -1, -1], [40, 4, 1, 5]]
    assert as_strings(rows[:, 1:], DIGITS).tolist() == sequences.tolist()
    longer = as_rows(sequences[:1], np.array([9]), DIGITS, longest=4)
    assert longer.tolist() == [[9, 0, 7, -1, -1]]
    assert as_rows(sequences[1:2], np.array([9]), DIGITS).tolist() == [[9, -1]]


def test_signs_have_labels_after_the_digits():
    sequences = np.array(["-1.50", "€7"])
    rows = as_rows(sequences, np.array([9, 5]), DIGITS + ".€-")
    assert rows.tolist() == [[9, 12, 1, 10, 5, 0], [5, 11, 7, -1, -1, -1]]
    assert as_strings(rows[:, 1:], DIGITS + ".€-").tolist() == sequences.tolist()
