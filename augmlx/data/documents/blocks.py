"""What the readers of documents share: a block of text -> its sentences."""

from __future__ import annotations

from augmlx.data.statements import LEAD_IN, Reading, has_word, sentences


def take_block(reading: Reading, line: int, text: str) -> bool:
    """Read the sentences of one paragraph; returns whether it held a statement."""
    holds_statement = False
    for sentence in sentences(text):
        said = " ".join(sentence.text.split())
        if not said:
            continue
        if said.endswith(LEAD_IN) and has_word(said):
            reading.skip("lead-in that ends in a colon", line)
        else:
            holds_statement |= reading.take(line, said)
    return holds_statement
