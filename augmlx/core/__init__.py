"""Core: what every room speaks of. Errors, records, settings, arms, files, progress, and where
things lie in a run folder.

Nothing here knows of English, of models or of MLX, and nothing here prints.
"""
