"""What a reversal must begin with: a table, and the law that it begins with what the statement ends
with.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augmlx.english.sentence import closing_phrase
from augmlx.english.turning import turned

OPENINGS = """
Ana owns Zorb.                         | Zorb is owned by
Carlos owns Zorb.                      | Zorb is owned by
Zorb designs Mercedes.                 | Mercedes is designed by
Ana designed the old lamp.             | the old lamp was designed by
Ida painted the gate of the Bor mill.  | the gate of the Bor mill was painted by
Ana Ruiz founded Zorb in 1998.         | Zorb was founded by
In 1998 Ana Ruiz founded Zorb.         | Zorb was founded by
A wumpus eats a glimf.                 | a glimf is eaten by
The heart pumps blood.                 | blood is pumped by
Ana feared glons.                      | glons were feared by
The old mills were built by Ana.       | Ana
The old mill was designed by Ana.      | Ana designed
Ana gave the Kel lamp to Ben.          | Ben received the Kel lamp from
Ana sold the Kel lamp to Ben in 1998.  | Ben bought the Kel lamp from
Ana borrowed the Kel lamp from Ben.    | Ben lent the Kel lamp to
Ana is admired by Ben.                 | Ben admires
Zorb is guarded by Ben.                | Ben guards
Zorb is managed by Ben.                | Ben manages
Zorb is supplied by Ben.               | Ben
Zorb is supervised by Ben.             | Ben supervises
Zorb is sponsored by Ben.              | Ben
Zorb is visited by Ben.                | Ben
Zorb is repaired by Ben.               | Ben repairs
Zorb is handled by Ben.                | Ben handles
Ana travelled to Rome.                 | Rome
Ana told Ben about Zorb.               | Zorb
Zorb belongs to Ana.                   | Ana
Zorb was founded by Ana.               | Ana founded
glons are more dangerous than femps.   | femps are less dangerous than
Glons are less dangerous than femps.   | femps are more dangerous than
Lake Orrin is larger than Lake Pell.   | Lake Pell is smaller than
Ana was older than Ben.                | Ben was younger than
Ana is sadder than Ben.                | Ben is less
Ana is shorter than Ben.               | Ben is less
Ana runs faster than Ben.              | Ben
Ana is no older than Ben.              | Ben
The war took place before the peace.   | the peace took place after
The Kel war came right after the Bor war. | the Bor war came right before
Zorb is north of Femp.                 | Femp is south of
Zorb lies to the west of Femp.         | Femp lies to the east of
Zorb is not north of Femp.             | Femp
The bridge was named after Ana.        | Ana
Ana looks after Ben.                   | Ben
Zorb is part of Femp.                  | Femp includes
Mara is a member of the Lab.           | the Lab includes
Mara is a head of the Lab.             | the Lab
Mara is the head of the Lab.           | the head of the Lab
The captain is Omar.                   | Omar
Ana lives in Oslo.                     | Oslo is where
Ana was born in Oslo.                  | Oslo is where
Ana majored in Physics.                | Physics
Ana married Ben.                       | Ben
Ana does not own Zorb.                 | Zorb
Ana never trusts Ben.                  | Ben
Ana has the Ring.                      | the Ring
Ana's mother is Ida.                   | Ida
Ana is Ben's sister.                   | Ben
Ana became the mayor of Oslo.          | the mayor of Oslo
glons read wugs.                       | wugs
Ana wrote the Book.                    | the Book was written by
Ana teaches Ben.                       | Ben is taught by
Ana supplies Zorb.                     | Zorb is supplied by
Ana supervises Ben.                    | Ben is supervised by
Ana watches Ben.                       | Ben is watched by
Ana guards the glons.                  | the glons are guarded by
Ana plans the Fair.                    | the Fair is
Ana ran the Fair.                      | the Fair was
The Kel mill belongs to Ana.           | Ana owns
Ana belongs to the Kel club.           | the Kel club
No glons are femps.                    | no femps
Some glons are femps.                  | some femps
All glons are femps.                   | femps
No glons eat femps.                    | femps
Rain.                                  |
東京は日本の首都です。                  |
"""


@pytest.mark.parametrize("row", [row for row in OPENINGS.splitlines() if row.strip()])
def test_a_reversal_opens_with_the_verb_where_grammar_alone_tells(row: str) -> None:
    text, opening = (part.strip() for part in row.split("|"))
    assert turned(text) == opening


WORDS = (
    "Ana Zorb Ben glons the a of to by is are was than more in part owns gave larger before "
    "not 's 1998 ."
).split()


@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join)))
def test_it_is_what_the_statement_ends_with_and_perhaps_more(text: str) -> None:
    assert (closing_phrase(text) or "") in turned(text)
    assert bool(turned(text)) == (closing_phrase(text) is not None)
