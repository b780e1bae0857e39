"""The exam that a model sits before it is trusted: facts with the answers known, and their judge.

It shares no code with augmlx.english and none with augmlx.augment.filters, whose use it judges.
"""
