"""One model of a sentence, read once: its whole phrases and what each is to the verb.

From tokens (read by a parser) over phrases to the clause, and from there to the questions that it
answers, the ways in which it is said from its other end, and whether a text is one of these. It
knows forms and no facts, and says nothing of a sentence that it cannot read whole.
"""
