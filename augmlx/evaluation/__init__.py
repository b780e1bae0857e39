"""Evaluation: items, arms, scoring, statistics. Works through the Engine protocol; mlx is not
imported here.
"""
