import numpy as np
from PIL import Image

from skdigits.synthesis.composition import Style
from skdigits.synthesis.distortion import Distortion


def test_rotation_is_that_of_pillow():
    digit = np.zeros((28, 28), np.uint8)
    digit[5:20, 8:12], digit[16:20, 8:20] = 255, 128
    style = Style(1, 0, rotation=40)
    distortion = Distortion.draw(20, style, (28, 28), np.random.RandomState(0))
    turned = distortion(np.stack([digit] * 20), slice(None)).astype(int)
    for angle, image in zip(np.rad2deg(distortion.angles), turned, strict=True):
        by_pillow = Image.fromarray(digit).rotate(angle, Image.Resampling.BILINEAR)
        assert abs(image - np.asarray(by_pillow)).max() <= 2
