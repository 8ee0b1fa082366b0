"""Convert photographs and scans to images in MNIST's style, and find the digits on pages."""

from skdigits.pictures.cleaning import clean_line, clean_picture
from skdigits.pictures.grey import to_grey
from skdigits.pictures.layout import find_digits, find_lines, straighten
from skdigits.pictures.opening import open_picture, open_pictures

__all__ = [
    "clean_line",
    "clean_picture",
    "find_digits",
    "find_lines",
    "open_picture",
    "open_pictures",
    "straighten",
    "to_grey",
]
