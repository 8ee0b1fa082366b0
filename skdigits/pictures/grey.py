"""Convert pictures to upright grey levels from 0 to 255, without transparency."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from skdigits.pictures.decoding import decoding

if TYPE_CHECKING:
    from PIL import Image

    from skdigits.typing import Picture

LONGEST = 1600  # pixels; a larger picture is reduced, since digits need no higher resolution
WHITE = 255
RANGES = (1, 255, 1023, 4095, 16383, 65535)  # maximum values of pictures of 1 to 16 bits
COLOUR_GAIN = 1.3  # a colour channel is preferred if its contrast is higher by this factor
ORIENTATION = 274  # key in EXIF data
TURNS = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}  # transposition for each value of the EXIF orientation
EXPECTED = "(height, width) or (height, width, channels) with 1 to 4 channels"


def to_grey(picture: Picture, *, longest: int = LONGEST) -> np.ndarray:
    """Convert a picture to grey levels.

    The picture is rotated as its EXIF orientation says. Transparent pixels get the grey level of
    the paper; if most pixels are transparent, they get black or white, in contrast to the ink. If
    one colour channel has a much higher contrast than the brightness, this channel is used, so that
    red ink on green paper does not disappear.

    Parameters
    ----------
    picture : PIL.Image.Image or array-like of shape (height, width) or (height, width, channels)
        The picture, of any size; one channel is grey, two are grey and alpha, three are RGB, four
        are RGBA. Values are bool, integers of up to 16 bits, or floats in [0, 1] or [0, 255].
    longest : int, default=1600
        Maximum height and width of the result in pixels; a larger picture is reduced by an integer
        factor.

    Returns
    -------
    ndarray of shape (height, width), float32
        Grey levels from 0 (black) to 255 (white).

    Raises
    ------
    ValueError
        If an array has another shape or other values, or a picture cannot be decoded.
    """
    from PIL import Image

    if not isinstance(picture, Image.Image):
        picture = _from_array(np.asarray(picture))
    with decoding(getattr(picture, "filename", "") or "the picture"):
        picture = _reduced(_in_known_mode(upright(picture)), longest)
    if picture.mode == "L":
        return np.asarray(picture, np.float32)
    if picture.mode == "RGBA":
        return _without_alpha(picture)
    return _best_channel(np.asarray(picture, np.float32))


def upright(picture: Image.Image) -> Image.Image:
    """Rotate and flip a picture as its EXIF orientation says.

    Parameters
    ----------
    picture : PIL.Image.Image
        The picture.

    Returns
    -------
    PIL.Image.Image
        The upright picture; unchanged if it is upright, or if its EXIF data are damaged.
    """
    from PIL.Image import Transpose

    picture.load()
    try:
        turn = TURNS.get(picture.getexif().get(ORIENTATION, 1))
    except Exception:  # Pillow raises any exception for damaged EXIF data
        turn = None
    return picture.transpose(Transpose[turn]) if turn else picture


def _in_known_mode(picture: Any) -> Any:
    """Convert a picture to grey, RGB or RGBA, with 8 bits per channel."""
    picture = _with_8_bits(picture)
    if picture.mode == "L":
        return picture
    return picture.convert("RGBA" if picture.has_transparency_data else "RGB")


def _from_array(pixels: np.ndarray) -> Image.Image:
    """Check the pixels of an array, and convert them to a picture of 8 bits."""
    from PIL import Image

    channels = pixels.shape[2:]
    if pixels.ndim not in (2, 3) or channels not in ((), (1,), (2,), (3,), (4,)) or not pixels.size:
        got = f"shape {pixels.shape}" if pixels.ndim else type(pixels.item()).__name__
        raise ValueError(f"picture should be an array of shape {EXPECTED}; got {got}.")
    if pixels.dtype.kind not in "biuf":
        raise ValueError(f"picture should hold numbers from 0 to 255; got dtype {pixels.dtype}.")
    low, high = pixels.min(), pixels.max()
    most = RANGES[1] if pixels.dtype.kind == "f" else RANGES[-1]
    if not (low >= 0 and high <= most):
        raise ValueError(
            "picture should hold bytes, integers of 16 bits, or floats in [0, 1] or [0, 255]; got "
            f"{pixels.dtype} from {low:g} to {high:g}."
        )
    if channels == (1,):
        pixels = pixels[..., 0]
    return Image.fromarray(_as_bytes(pixels))


def _as_bytes(pixels: np.ndarray) -> np.ndarray:
    """Scale pixels to bytes; the smallest of `RANGES` that contains all of them becomes 255."""
    most = pixels.max()
    white = next((white for white in RANGES if most <= white), most)
    if white == WHITE:
        return pixels if pixels.dtype == np.uint8 else np.rint(pixels).astype(np.uint8)
    return np.rint(pixels * np.float32(WHITE / white)).astype(np.uint8)


def _with_8_bits(picture: Image.Image) -> Image.Image:
    """Scale a grey picture of 16 or 32 bits to 8 bits; Pillow would clip its values at 255."""
    from PIL import Image

    if picture.mode[0] not in "IF":
        return picture
    grey = np.nan_to_num(np.asarray(picture, np.float32)).clip(0)
    return Image.fromarray(_as_bytes(grey))


def _reduced(picture: Image.Image, longest: int) -> Image.Image:
    factor = -(-max(picture.size) // longest)
    return picture.reduce(factor) if factor > 1 else picture


def _without_alpha(picture: Image.Image) -> np.ndarray:
    """Give transparent pixels the median grey level of the paper, or black or white around ink."""
    pixels = np.asarray(picture, np.float32)
    alpha = pixels[..., 3] / WHITE
    grey = _best_channel(pixels[..., :3])
    visible = alpha.sum()
    if visible < 1:
        return np.full_like(grey, WHITE)
    if visible > alpha.size / 2:  # a scan with transparent corners, not only ink
        paper = np.median(grey[alpha > 0.5])
    else:
        paper = 0 if (grey * alpha).sum() > visible * WHITE / 2 else WHITE
    return grey * alpha + paper * (1 - alpha)


def _best_channel(pixels: np.ndarray) -> np.ndarray:
    """Return the brightness, or a colour channel whose contrast is much higher."""
    grey = pixels @ np.array([0.299, 0.587, 0.114], np.float32)
    step = max(1, max(grey.shape) // 80)
    sample = pixels[::step, ::step]
    if np.abs(np.diff(sample, axis=2)).max() < WHITE / 16:
        return grey
    contrasts = [_contrast(sample[..., channel]) for channel in range(3)]
    best = int(np.argmax(contrasts))
    if contrasts[best] > COLOUR_GAIN * _contrast(grey[::step, ::step]):
        return pixels[..., best]
    return grey


def _contrast(grey: np.ndarray) -> float:
    """Compute the 98th percentile of the distances from the median, minus the median distance."""
    distance = np.abs(grey - np.median(grey))
    return np.percentile(distance, 98) - np.median(distance)
