"""How a trained network reads."""
