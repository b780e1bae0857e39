"""Exporting: an adapter in the forms that other tools read."""
