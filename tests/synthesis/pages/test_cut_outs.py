import numpy as np
import pytest
from written_pages import SANS, page_with, sample_of

from skdigits.pictures.number_images import OTHER
from skdigits.synthesis.pages import cut_outs


@pytest.mark.parametrize(
    ("text", "expected"),
    [("12.50", "12.50"), ("RM5.00", OTHER + "5.00"), ("14:05", "14:05"), ("45%", "45%")],
)
def test_cut_outs_have_the_characters_that_are_seen(text, expected):
    sample = sample_of(page_with(text, left=55))
    cuts = cut_outs.cut_numbers(sample, np.random.default_rng(1), margin=(1.0, 1.0))
    assert expected in [found for _, found in cuts]
    for image, _ in cuts:
        assert image.shape[0] == 28
        assert image.dtype == np.uint8


def test_a_cut_out_between_two_lines_is_left_out():
    page = page_with("1250", top=90)
    page.write("8833", 60, 100, 16, SANS, 0)
    assert cut_outs._visible(page.runs, 60, 100, 104, 16) is None


@pytest.mark.parametrize(("share", "expected"), [(0.0, "12"), (0.45, "12" + OTHER), (0.9, "125")])
def test_a_digit_that_is_cut_off_is_another_character(share, expected):
    page = page_with("125")
    (run,) = page.runs
    start, end = run.left + run.edges[2]
    found = cut_outs._visible(page.runs, run.left, start + share * (end - start), 98, 16)
    assert found == expected
