"""English: what is known of the language, as pure functions over texts.

Words, names and stems; the roles and the other end of a relation; when two sentences say the same;
statements as logic. It objects only where it recognises something. It never reads a file of the
user's, asks a model, or decides what is kept.
"""
