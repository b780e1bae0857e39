"""Run: the straight line over one run folder, stage by stage, and what goes over several of them.

It decides what is up to date, in which order stages come, and what is handed from one to the next.
The work itself is done in the rooms below; nothing here writes a text, trains or judges.
"""
