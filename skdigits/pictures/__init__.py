"""Conversion of a user's picture to images in MNIST's style."""

from skdigits.pictures.cleaning import clean_line, clean_picture

__all__ = ["clean_line", "clean_picture"]
