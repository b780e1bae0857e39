"""A reply is read for the one sentence that it means, and a clean one is left as it is."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from augmlx.english.replies import Reply, read_pair, read_reply

SOURCE = "Lake Orrin is larger than Lake Pell."
MEANT = "Lake Pell is smaller than Lake Orrin."
ASKED = "What is Lake Orrin larger than?"

# reply: what is taken off, in this order
STATEMENTS = {
    MEANT: (),
    f"  {MEANT}\n": (),
    f"Result: {MEANT}": ("label",),
    f"Other way round: {MEANT}": ("label",),
    f"**Result:** {MEANT}": ("markup", "label"),
    f"**Result**: {MEANT}": ("markup", "label"),
    f"The reversed sentence is: {MEANT}": ("label",),
    f"Sure! Here is the reversed sentence: {MEANT}": ("label",),
    f"Sure! Here is the sentence:\n\n{MEANT}": ("talk",),
    f"Certainly! {MEANT}": ("talk",),
    f"Here's the fact the other way round:\n> {MEANT}": ("talk", "markup"),
    f"I have turned the fact round for you.\n\n{MEANT}": ("talk",),
    f'"{MEANT}"': ("quotes",),
    f"“{MEANT}”": ("quotes",),
    f'Result: "{MEANT}"': ("label", "quotes"),
    f"1. {MEANT}": ("numbering",),
    f"1) {MEANT}\n2) Lake Pell is less large than Lake Orrin.": ("rest", "numbering"),
    f"- {MEANT}": ("numbering",),
    f"- **{MEANT}**": ("markup", "numbering"),
    f"## Result\n\n{MEANT}": ("talk",),
    f"**Result**\n{MEANT}": ("talk",),
    f"Result:\n{MEANT}": ("talk",),
    f"```\n{MEANT}\n```": ("talk", "rest"),
    f"`{MEANT}`": ("markup",),
    "**Lake Pell** is smaller than *Lake Orrin*.": ("markup",),
    f"{MEANT}\n\nExplanation: the order is changed.": ("rest",),
    f"{MEANT} (Note: the order is changed.)": ("rest",),
    f"{MEANT}**": ("markup",),
    f'{MEANT}"': ("quotes",),
    f"<think>\nSmaller?\n</think>\n\n{MEANT}": ("thinking",),
    f"It is smaller, so\n</think>\n{MEANT}": ("thinking",),
}
QUESTIONS = {
    ASKED: (),
    f"Question: {ASKED}": ("label",),
    f"Q: {ASKED}\nA: Lake Pell": ("rest", "label"),
    f"Q1: {ASKED} A1: Lake Pell": ("label", "rest"),
    f"Question: {ASKED}\nAnswer: Lake Pell\n\nQuestion: What is small?\nAnswer: It": (
        "rest",
        "label",
    ),
    f"Sure! Here is a question:\n1. {ASKED}\n2. Which lake is small?": (
        "talk",
        "rest",
        "numbering",
    ),
    f"Answer: Lake Pell\nQuestion: {ASKED}": ("talk", "label"),
    f"{ASKED} Lake Pell.": ("rest",),
    f'"{ASKED}"': ("quotes",),
    f"**{ASKED}**": ("markup",),
}


@pytest.mark.parametrize("reply", STATEMENTS)
def test_the_sentence_that_is_meant_is_found(reply: str) -> None:
    assert read_reply(reply, SOURCE) == Reply(MEANT, STATEMENTS[reply])


@pytest.mark.parametrize("reply", QUESTIONS)
def test_the_first_question_that_is_meant_is_found(reply: str) -> None:
    assert read_reply(reply, SOURCE, asks=True) == Reply(ASKED, QUESTIONS[reply])


@pytest.mark.parametrize("reply", ["", "  \n", "Result:", "**Answer:**", "<think>\nHm", "---\n***"])
def test_where_nothing_is_said_there_is_no_text(reply: str) -> None:
    assert read_reply(reply, SOURCE).text == ""


@pytest.mark.parametrize(
    "reply",
    [
        "I'm sorry, but I cannot do that.",
        "Sure Start is a centre.",
        "The head of the lab is: Mara Voss.",
        "Ada, of course, owns it.",
        "The ratio is 3:2 at Lake Pell.",
        "5 * 3 is more than 2 * 3.",
        "snake_case_name is a name.",
        '"Stop" is not "Go".',
    ],
)
def test_what_only_looks_like_talk_is_left(reply: str) -> None:
    assert read_reply(reply, SOURCE) == Reply(reply)


def test_a_label_of_the_prompts_own_is_one() -> None:
    assert read_reply("Verdreht: Pell ist klein.", labels=["Verdreht"]).text == "Pell ist klein."
    assert read_reply("Verdreht: Pell ist klein.").text == "Verdreht: Pell ist klein."


@pytest.mark.parametrize(
    ("source", "reply"),
    [
        ("Note: the lamp is red.", "Note: red is the lamp."),
        ("1. FC Orrin won the cup.", "1. FC Orrin is the winner of the cup."),
        ("`main` is the name of the branch.", "The branch is called `main`."),
        ("The **Tern** is a ferry.", "**A ferry** is what the Tern is."),
        ('"Winter Song" is what Ben calls "Snow"', '"Snow is called Winter Song by Ben"'),
        ("Sure, Ana is a Sure! Reader.", "Sure! Reader is Ana."),
        ("The tag <think>a</think> is old.", "Old is the tag <think>a</think>."),
        ("# is the key of Ana.", "# is the key that Ana has."),
    ],
)
def test_what_the_source_holds_is_never_taken_off(source: str, reply: str) -> None:
    assert read_reply(reply, source) == Reply(reply)


# Laws

WORDS = st.sampled_from(
    "Ada keeps the old lamp of Venn Orrin larger than Pell which was built by Hana".split()
)
CLEAN = st.lists(WORDS, min_size=2, max_size=9).map(lambda words: f"Ada {' '.join(words)}.")
SCRAPS = st.sampled_from(
    [
        *("**", "*", "_", "`", "```", "#", "# ", "> ", "- ", "1. ", "2) ", '"', "“", "”", "'", ":"),
        *("\n", "\n\n", " ", "<think>", "</think>", "Sure! ", "Result: ", "Question: ", "A: "),
        *("Here is the sentence:", "Note: ", "(", ")", "?", ".", "Ada keeps it.", "Who is Ada?"),
    ]
)
MESSY = st.lists(SCRAPS | WORDS | st.text(max_size=5), max_size=14).map("".join)


@given(CLEAN, CLEAN, st.booleans())
def test_a_clean_sentence_is_left_as_it_is(text: str, source: str, asks: bool) -> None:
    assert read_reply(text, source, asks=asks) == Reply(text)


@given(MESSY, CLEAN | MESSY, st.booleans())
def test_what_is_read_reads_as_itself(text: str, source: str, asks: bool) -> None:
    once = read_reply(text, source, asks=asks)
    assert read_reply(once.text, source, asks=asks) == Reply(once.text)
    assert "\n" not in once.text
    assert len(once.text) <= len(text)
    assert len(set(once.removed)) == len(once.removed)
    assert bool(once.removed) == (once.text != text.strip()) or once.text == ""


@given(CLEAN, CLEAN)
def test_whatever_is_put_around_a_sentence_is_taken_off(text: str, source: str) -> None:
    assume(text != source)
    for before, behind in (
        ("Result: ", ""),
        ("Sure! Here is the sentence:\n\n", ""),
        ('"', '"'),
        ("1. **", "**"),
        ("", "\n\nExplanation: it was turned round."),
        ("<think>Hm.\n</think>\n", ""),
    ):
        assert read_reply(f"{before}{text}{behind}", source).text == text


@given(MESSY)
def test_a_text_that_is_its_source_is_left_as_it_is(text: str) -> None:
    line = " ".join(text.split())
    assume(not line.endswith(":"))
    assert read_reply(line, line).text == line


# reply: the question, its answer, what is taken off
PAIRS = {
    "Wer leitet Ulm?\nAntwort: Nele": ("Wer leitet Ulm?", "Nele", ()),
    "Frage: Wer leitet Ulm?\nAntwort: Nele": ("Wer leitet Ulm?", "Nele", ("label",)),
    "Wer leitet Ulm? Nele": ("Wer leitet Ulm?", "Nele", ()),
    "Wer leitet Ulm?\n\n**Antwort:** Nele": ("Wer leitet Ulm?", "Nele", ()),
    "Wer leitet Ulm?\nAntwort： Nele": ("Wer leitet Ulm?", "Nele", ()),
    "Wer leitet Ulm?\nAntwort: Nele\nFrage: Wo?": ("Wer leitet Ulm?", "Nele", ("rest",)),
    "<think>Wer?</think>Wer leitet Ulm?\nNele": ("Wer leitet Ulm?", "Nele", ()),
    "Wer leitet Ulm?": ("Wer leitet Ulm?", "", ()),
    "Nele leitet Ulm.": ("Nele leitet Ulm.", "", ()),
    "": ("", "", ()),
}


@pytest.mark.parametrize("reply", PAIRS)
def test_a_question_is_read_with_its_answer(reply: str) -> None:
    text, answer, removed = PAIRS[reply]
    pair = read_pair(reply, "Nele leitet die Stadt Ulm.", labels=("Frage", "Antwort"))
    assert pair == (Reply(text, removed), answer)
