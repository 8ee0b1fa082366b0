"""Pages with one text, for tests."""

from pathlib import Path

import matplotlib
import numpy as np

from skdigits.synthesis.pages import page_samples
from skdigits.synthesis.pages.page import Page

FONTS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
SANS = FONTS / "DejaVuSans.ttf"
SIDE = 128
# From a picture to a page that is larger by 32 pixels on each side.
SHIFTED = np.array([[1.0, 0.0, 32.0], [0.0, 1.0, 32.0]])


def sample_of(page, turn=0):
    box = (32, 32, 32 + SIDE, 32 + SIDE)
    picture = page.picture.crop(box)
    target, heights = page_samples._target(page, SHIFTED, turn, picture, picture)
    return page_samples.Sample(picture, picture, target, heights, page.runs, SHIFTED)


def page_with(text, left=60, top=90, height=16, **options):
    page = Page(SIDE + 64, SIDE + 64)
    page.write(text, left, top, height, SANS, 0, **options)
    return page
