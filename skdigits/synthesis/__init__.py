"""Generate images of lines of digits from images of single digits."""
