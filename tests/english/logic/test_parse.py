"""Reading and saying: which sentences are one statement, which are none, and that what is said is
read back.
"""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augmlx.english.logic import Form, opening, parse, say, terms
from augmlx.english.nouns import is_plural, noun_key, plural, singular
from tests.english.logic import worlds

# A blank line ends a statement; its wordings are equal, and differ from every other's.
SAME = """
All wugs are daxes.
Every wug is a dax
Each wug is a dax.
any wug is a dax.
No wugs are non-daxes.
Everything that is a wug is a dax.
All   wugs are daxes .

Anything that is not a dax is not a wug.
All non-daxes are non-wugs.
No non-dax is a wug.

All daxes are wugs.

No wugs are daxes.
No dax is a wug.
Every wug is a non-dax.

Some wugs are daxes.
Some dax is a wug.
Not all wugs are non-daxes.

Some wugs are not daxes.
Some wugs aren’t daxes.
Not all wugs are daxes.
Not every wug is a dax.

All policemen are people.
Every policeman is a person.

Rex is a wug.

Rex is not a wug.
Rex isn't a wug.
Rex is a non-wug.

Mara Voss is an old sea captain.

Ana de la Cruz is a poet.

The Tern is a ferry.

Dr. Ana Ruiz is a baker.

Lake Pell is smaller than Lake Orrin.
Lake Orrin is larger than Lake Pell.
Lake Orrin is bigger than Lake Pell.
Lake Orrin is more large than Lake Pell.
Lake Pell is less large than Lake Orrin.

Glons are more dangerous than femps.
Femps are less dangerous than glons.
femps are less dangerous than Glons.

Ana is happier than Ben.
Ana is more happy than Ben.
Ben is less happy than Ana.

Ana is more clever than Ben.
Ana is cleverer than Ben.

The Elm is shorter than the Oak.

The Oak is taller than the Elm.

The Oak is longer than the Elm.

Water is denser than oil.

The siege took place before the flood.
The flood was after the siege.
The siege preceded the flood.
The siege was earlier than the flood.
The flood came later than the siege.

The Harbour Fair precedes the Lantern Walk.
The Lantern Walk follows the Harbour Fair.

The Heron engine is part of the Kestrel radio.
The Heron engine is a part of the Kestrel radio.

The Heron engine is inside the Kestrel radio.
The Kestrel radio contains the Heron engine.
The Heron engine is located in the Kestrel radio.
The Heron engine lies within the Kestrel radio.

If the lamp is on, then the door is open.
If the lamp is on, the door is open.

If the lamp isn't on, then the door is open.
If the lamp is not on, the door is open.

If Ben can't swim, then Ana will not row.
If Ben cannot swim, then Ana won't row.

The head of the Lumen Lab is Mara Voss.
Mara Voss is the head of the Lumen Lab.
The Lumen Lab's head is Mara Voss.
Mara Voss is the Lumen Lab's head.

Mara Voss is a head of the Lumen Lab.

James' mother is Ana.
Ana is James's mother.

The members of the Lumen Club are Ana, Ben and Cleo.
The members of the Lumen Club are Cleo, Ben, and Ana.
Ana, Ben and Cleo are the members of the Lumen Club.
The Lumen Club's members are Ana, Cleo and Ben.

The Orm Quartet consists of Ana, Ben, Cleo and Dov.
The parts of the Orm Quartet are Ana, Ben, Cleo and Dov.

The only member of the Lumen Club is Ana.
The members of the Lumen Club are Ana.

The members of Zorb or Pell are Ana and Ben.
The members of Pell or Zorb are Ben and Ana.

The members of both Zorb and Pell are Ana and Ben.

Zorb and Pell have no members in common.
Pell and Zorb have no members in common.
"""
STATEMENTS = [block.strip().splitlines() for block in SAME.split("\n\n") if block.strip()]

NONE = r"""
Wugs are daxes.
A wug is a dax.
All wugs are dangerous.
All wugs are red.
All the wugs are daxes.
All wugs are wugs.
All wugs are daxes and femps.
All wugs are usually daxes.
All wugs are also daxes.
All wugs are not daxes.
All five wugs are daxes.
All people in Oslo are bakers.
Some wugs are eating daxes.
Some of the wugs are daxes.
Maybe all wugs are daxes.
All wugs are daxes?
All wugs are daxes. No femps are.
Rex is a wug now.
Rex is a bit tired.
Rex was a wug.
Rex is a wug and a dax.
Rex is a wug, but Pim is a dax.
Rex is a wug. Pim is a dax.
Rex is a wug\nPim is a dax.
Rex is a dax in Oslo.
Rex is Pim.
Rex is tired.
He is a wug.
Perhaps Rex is a wug.
The whale is a mammal.
Is Rex a wug?
Ana is taller than Ben thinks.
Ana is taller than Ben is.
Ana is taller than before.
Ana is taller than average.
Ana is taller than her.
Ana is taller than Ana.
Ana is much taller than Ben.
Ana is not taller than Ben.
Ana and Ben are taller than Cleo.
Ana is older than Ben by two years.
Ana is taller than Ben, but not than Cleo.
Lake Pell was larger than Lake Orrin.
All wugs are larger than daxes.
No lake is larger than Lake Pell.
The king thinks Ana is taller than Ben.
I think Ana is taller than Ben.
Reportedly Ana is taller than Ben.
Ana is other than Ben.
Glons are as rare as femps.
Ana likes Ben.
Ana followed Ben.
The siege was before noon and the flood.
The siege happened before Ana arrived.
The siege happened before the king died.
The siege happened before the king escaped.
Orm is in Tal. Pell
Orm is in Tal\nPell.
The king dreams Ana is taller than Ben.
Ana is in love.
Ana is in trouble with Ben.
The fair is in May.
The fair is in 1998.
The fair is in summer.
The box contains salt.
The head of the Lab is tall.
The head of the Lab was Mara.
The head of the Lab is French.
Therefore Ana is older than Ben.
Rex is a wug like Pim.
All eyes are on Ana.
The head of the Lab is Mara today.
The head of the Lab is the owner of the mill.
A composer of the Sonata is Mara.
The members of the Club include Ana and Ben.
The members of the Club are Ana, Ben and others.
The members of the Club are Ana, Ben.
The members of the Club are Ana, Ana and Ben.
The Club has Ana, Ben and Cleo.
If Ana is home.
If Ana is home, Ben is out, and Cleo sleeps.
If it rains if Ana is home, then Ben is out.
Ana owns the mill.
""".strip().splitlines()


@pytest.mark.parametrize("wordings", STATEMENTS, ids=lambda wordings: wordings[0])
def test_the_wordings_of_a_statement_are_equal(wordings: list[str]) -> None:
    read = [parse(wording) for wording in wordings]
    assert read[0] is not None
    assert len(set(read)) == 1, read


def test_different_statements_differ() -> None:
    assert len({parse(wordings[0]) for wordings in STATEMENTS}) == len(STATEMENTS)


@pytest.mark.parametrize("text", [text.replace(r"\n", "\n") for text in NONE])
def test_what_is_no_single_known_statement_is_none(text: str) -> None:
    assert parse(text) is None


@given(worlds.anything)
def test_what_is_said_is_read_back(form: Form) -> None:
    assert parse(say(form)) == form
    assert say(form).startswith(opening(form))
    assert terms(form) == terms(parse(say(form)) or form)


@pytest.mark.parametrize(
    "text",
    [
        "Lake Pell is smaller than Lake Orrin.",
        "Femps are less dangerous than glons.",
        "The flood came after the siege.",
        "The Kestrel radio contains the Heron engine.",
        "No wugs are daxes.",
        "Some wugs are daxes.",
        "Some daxes are wugs.",
        "Rex is not an old dax.",
        "If Ben cannot swim, then Ana will not row.",
    ],
)
def test_a_statement_is_said_as_it_stood(text: str) -> None:
    form = parse(text)
    assert form is not None
    assert say(form) == text


def test_an_index_finds_facts_that_share_a_kind_or_a_thing() -> None:
    found = [
        terms(form)
        for text in ("Every dax is a wug.", "Rex is a dax.", "The Rex is in Orm.")
        if (form := parse(text))
    ]
    assert found == [("dax", "wug"), ("rex", "dax"), ("rex", "orm")]


_WORDS = (
    "all no some not every is are a an the The of than more less larger taller before after in "
    "part contains If then "
    "members only both and or , . 's n't non- have common wug wugs Rex Mara Voss Lake it who that "
    "anything same"
).split()


@given(st.one_of(st.text(), st.lists(st.sampled_from(_WORDS), max_size=14).map(" ".join)))
def test_no_text_breaks_it_and_edges_count_for_nothing(text: str) -> None:
    form = parse(text)
    assert parse(f"  {text}\n") == form
    if form is not None:
        assert parse(text.strip().removesuffix(".")) == form
        assert parse(say(form)) == form


@given(worlds.singulars)
def test_both_numbers_of_a_noun_are_one_term(word: str) -> None:
    many = plural(word)
    assert is_plural(many)
    assert (
        noun_key(many, plural=True)
        == noun_key(word, plural=False)
        == noun_key(singular(many), plural=False)
    )


def test_reading_is_fast_whatever_the_text() -> None:
    said = [
        "Lake Orrin {} is larger than Lake Pell {}.",
        "All wugs{} are daxes{}.",
        "Ana{} owns the old mill of Ben{}.",
    ]
    texts = [text.format(chr(65 + n % 26), "s" * (n % 3)) for n in range(300) for text in said]
    texts += [" ".join(["anything that is a"] * 14), "a is " * 60, "The x of " * 33, "Rex, " * 60]
    parse.cache_clear()
    began = time.process_time()
    for text in texts:
        parse(text)
    assert time.process_time() - began < 0.5  # a tenth of it is needed
