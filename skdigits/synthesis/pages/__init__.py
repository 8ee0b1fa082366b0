"""Drawn pages: receipts, forms, displays, meters and photographs with numbers among words."""
