"""Networks as data: layers, architectures, and trained weights."""
