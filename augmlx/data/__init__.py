"""Data: the user's files -> facts and questions; facts and augmentations -> rows to train on.

Whatever is wrong with a file is an error with its place and a way out. Nothing here guesses at a
broken row, changes one of the user's, or quotes it in a message.
"""
