"""Checks of the user's input, by subject."""
