"""Predict with trained networks."""
