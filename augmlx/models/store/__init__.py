"""The model store: where models lie, which have short names, how they are fetched, and what this
machine can run.
"""
