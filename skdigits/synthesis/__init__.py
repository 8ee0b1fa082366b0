"""Lines of digits made of single digits."""
