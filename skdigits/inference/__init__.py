"""How a trained network recognizes sequences."""
