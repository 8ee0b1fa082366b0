"""Drawn pages with numbers among words: receipts, forms, displays, meters, photographs."""
