"""How trained networks predict."""
