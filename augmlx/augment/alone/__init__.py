"""Sentences -> statements that stand alone, by a model, before anything is augmented.

Grammar says beforehand what a sentence may become; the model writes it; what is not the same is not
taken, and never goes without a reason.
"""
