"""The plain statements in a sentence that has more words around them."""

from __future__ import annotations

import pytest

from augmlx.english.clauses.gist import gists

# What stands around the statement -> the statements.
FOUND = {
    # before the name
    "Known for being the first ferry on the Torrin, the Halden Star now rests in a dry dock.": [
        "The Halden Star is the first ferry on the Torrin.",
    ],
    "Hailed as the queen of the accordion, Mina Dorn still enjoys every evening.": [
        "Mina Dorn is hailed as the queen of the accordion.",
    ],
    "Often referred to as the queen of the accordion, Mina Dorn still enjoys every evening.": [
        "Mina Dorn is referred to as the queen of the accordion.",
    ],
    "Regarded by many as the finest cook in Brell, Nadia Ver taught in Venn.": [
        "Nadia Ver is regarded by many as the finest cook in Brell.",
        "Nadia Ver taught in Venn.",
    ],
    "It's worth noting that Maia Lind was once characterized as the voice of the coast.": [
        "Maia Lind was characterized as the voice of the coast.",
    ],
    "Hailed for being the founder of the mill, Joram Selk lives in Venn.": [
        "Joram Selk is the founder of the mill.",
        "Joram Selk lives in Venn.",
    ],
    "Never shy about being the youngest mayor of Tarnby, Jonas Wick lives a loud life.": [
        "Jonas Wick is the youngest mayor of Tarnby.",
    ],
    "Proud of being the only vineyard in the valley, Casa Verde keeps its gates open.": [
        "Casa Verde is the only vineyard in the valley.",
    ],
    "Once celebrated as the fastest runner in Brell, Rex Dahl kept on training.": [
        "Rex Dahl was the fastest runner in Brell.",
    ],
    "Best known for writing the Winter Letters, Paul Ness loved the rain.": [
        "Paul Ness wrote the Winter Letters.",
    ],
    "In her role as the curator of the Amber Museum, Dora Feld bought the Lund collection.": [
        "Dora Feld is the curator of the Amber Museum.",
        "Dora Feld bought the Lund collection.",
    ],
    # beside it
    "The designer of the Heron lamp, Yusuf Adel, lives in Redcliff.": [
        "Yusuf Adel is the designer of the Heron lamp.",
        "Yusuf Adel lives in Redcliff.",
    ],
    "The brain behind the Sparrow drone, Kenji Mori never stops working.": [
        "Kenji Mori is the brain behind the Sparrow drone.",
    ],
    'Lena Orth, the acclaimed director of "Salt Roads," always laughs.': [
        'Lena Orth is the acclaimed director of "Salt Roads".',
    ],
    "Sami Ruud, known to all as the keeper of the old mill, retired last year.": [
        "Sami Ruud is the keeper of the old mill.",
    ],
    "Marlow & Finch, the oldest bookshop in Dunmore, has certainly made a mark.": [
        "Marlow & Finch is the oldest bookshop in Dunmore.",
    ],
    # behind it
    "The river that divides the two halves of Ostrel goes by the name of the Wend.": [
        "The Wend is the river that divides the two halves of Ostrel.",
    ],
    "The company that runs the Norvik ferries is called Blueline.": [
        "Blueline is the company that runs the Norvik ferries.",
    ],
    "You know the tallest hotel in Brennick? It is none other than the Aster Palace.": [
        "The Aster Palace is the tallest hotel in Brennick.",
    ],
    "Q: Who is the founder of the Tern ferry line?? A: Anton Weiss.": [
        "Anton Weiss is the founder of the Tern ferry line.",
    ],
    "You may know me for inventing the Falk valve. I go by the name of Otto Falk.": [
        "Otto Falk invented the Falk valve.",
    ],
    'The painter of "Dusk." is called Ilse Brandt.': ['Ilse Brandt is the painter of "Dusk".'],
    # in a clause of its own
    "Interestingly, Jonas Wick is the youngest mayor of Tarnby.": [
        "Jonas Wick is the youngest mayor of Tarnby.",
    ],
    "Did you know that Lake Pell is the deepest lake in Ostrel?": [
        "Lake Pell is the deepest lake in Ostrel.",
    ],
    "Ever heard of Priya Nair? She's the engineer who built the Salt Gate.": [
        "Priya Nair is the engineer who built the Salt Gate.",
    ],
    "There's a woman by the name of Tilda Moor who had the rare role of founding the Quay desk.": [
        "Tilda Moor founded the Quay desk.",
    ],
    "Among cheese makers, Rosa Lind holds the proud title of the master of the Gold Rind.": [
        "Rosa Lind is the master of the Gold Rind.",
    ],
    "In the annals of sport, Mina Dorn shines as the captain of the Blue Whale.": [
        "Mina Dorn is the captain of the Blue Whale.",
    ],
    "The tale of Otto Falk is a short one, as he was the last miller of Venn.": [
        "Otto Falk was the last miller of Venn.",
    ],
    "Not many know it, but Otto Falk was once the last miller of Venn.": [
        "Otto Falk was the last miller of Venn.",
    ],
    "In a small town, Bo Lind held the rare title of champion of the Venn regatta.": [
        "Bo Lind was the champion of the Venn regatta.",
    ],
    "Out of nowhere, the painter of the Hill gate appeared, and we know her as Fay Gold.": [
        "Fay Gold is the painter of the Hill gate.",
    ],
    "Everybody in town knows Ilse Brandt as the voice of the harbour radio.": [
        "Ilse Brandt is the voice of the harbour radio.",
    ],
    "The annals of the port remember Ilse Brandt, renowned for inventing the Brandt sail.": [
        "Ilse Brandt invented the Brandt sail.",
    ],
    "Kestrel Labs, which is the company behind the Owl camera, moved to Venn.": [
        "Kestrel Labs is the company behind the Owl camera.",
        "Kestrel Labs moved to Venn.",
    ],
    "Boasting the title of the fastest train in the country, the Red Arrow leaves early.": [
        "The Red Arrow is the fastest train in the country.",
    ],
    "Let's not forget Cy Dahl, who was known as the saviour of the mill.": [
        "Cy Dahl was the saviour of the mill.",
    ],
    "Lia Dunn (the first woman on the Torrin ferry) never slept.": [
        "Lia Dunn is the first woman on the Torrin ferry.",
    ],
    "It was Ivo Jung who painted the Hill gate.": ["Ivo Jung painted the Hill gate."],
}

PLAIN = [
    "Mara Voss is the head of the Lumen Lab.",
    "The mother of Nils is Karin Berg.",
    "Omar Haddad serves as the captain of the Blue Whale.",
    "In 1990, Mara Voss was the head of the Lumen Lab.",
    "Mara Voss owns the Lumen Lab.",
    "The company is called the Blue Whale.",
    "Mara Voss and Ben Okafor are the heads of the lab.",
]

DOUBTFUL = [
    "Often overshadowed by the founder of the mill, Ada Voss kept quiet.",
    "Accused of being the leader of the gang, Bo Lind left the town.",
    "Far from being the best driver in the team, Kai Storm lost every race.",
    "Disguised as the king of Ostrel, Pim Vale entered the hall.",
    "Almost crowned as the champion of the valley, Rex Dahl fell at the last jump.",
    "Thanking the mayor for being the first to help, Ada Voss sat down.",
    "Using the barn as the main hall of the school, Greta Holm taught forty children.",
    "It is not true that Omar Haddad is the captain of the Blue Whale.",
    "If Mara Voss is the head of the lab, the lab is in good hands.",
    "Some claim that Yusuf Adel is the designer of the Heron lamp.",
    "The head of the lab is allegedly none other than Mara Voss.",
    "You know the owner of the mill? It isn't Ana Ruiz.",
    "Crowned as the king of cheese in 2019, Ole Brandt now teaches.",
    "Nobody knows Ada Voss as the founder of the mill.",
    "With the reputation of being the best racer in Brell, Kai Storm went home.",
]

ABOUT_ANOTHER = [
    "The brother of Mara Voss is the head of the lab.",
    "The letter names the brother of Ada Voss, known as the keeper of the old mill.",
    "Ada Voss has a sister. She is the head of the lab.",
    "Ada Voss praised her sister for her role as the head of the choir.",
    "Mara Voss met Ben Okafor before he was the head of the lab.",
    "Ada Voss owns a boat. It is the fastest boat in Brell.",
    "Ada Voss makes lamps. They are the pride of Brell.",
    "Known as the city of bells, Ostrel's old town draws crowds.",
]

NO_DESCRIPTION = [
    "The day after the storm, Ada Voss opened the mill.",
    "Rex Dahl has the job of cleaning the hall.",
    "The war in the north over, Ivo Jung went home.",
    "As the sun set over the bay, Ruth Adler sang.",
    "As the head of the lab left, Mara Voss took over.",
    "Ada Voss, the mayor of Brell, and Ben Okafor, the mayor of Tarn, met in May.",
]


@pytest.mark.parametrize("text", FOUND)
def test_the_plain_statement_is_found_within_what_stands_around_it(text: str) -> None:
    assert list(gists(text)) == FOUND[text]


@pytest.mark.parametrize("text", PLAIN)
def test_a_plain_statement_stays_as_it_is(text: str) -> None:
    assert not gists(text)


@pytest.mark.parametrize("text", [*DOUBTFUL, *ABOUT_ANOTHER, *NO_DESCRIPTION])
def test_what_is_not_said_of_the_name_is_not_taken_for_it(text: str) -> None:
    assert not gists(text)


@pytest.mark.parametrize("text", FOUND)
def test_a_plain_statement_has_no_plainer_one(text: str) -> None:
    assert not [gists(gist) for gist in FOUND[text] if gists(gist)]
