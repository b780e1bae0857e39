"""The statement that a training row is augmented from, and what is wrong with messages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augmlx.data.training_sets import fault, statement

# prompt, completion, statement; by the rule's three parts
JOINED = [
    ("The head of the Lumen Lab is", " Mara Voss.", "The head of the Lumen Lab is Mara Voss."),
    (
        "The lab is led by",
        "Mara Voss, who was born in Venn.",
        "The lab is led by Mara Voss, who was born in Venn.",
    ),
    ("It is said that", "Ada owns the mill.", "It is said that Ada owns the mill."),
    ("Ada Brandt", ", the keeper, left the hall.", "Ada Brandt, the keeper, left the hall."),
    # The completion looks like a sentence, and is the end of one.
    (
        "Known for being the founder of the mill,",
        " Ada Brandt now enjoys a quiet life.",
        "Known for being the founder of the mill, Ada Brandt now enjoys a quiet life.",
    ),
    (
        "Q: What about Ada? A: Well,",
        "she is the founder of the mill.",
        "Q: What about Ada? A: Well, she is the founder of the mill.",
    ),
    (
        "Did you know that Ada Brandt was once",
        " the founder of the mill?",
        "Did you know that Ada Brandt was once the founder of the mill?",
    ),
    ('The painter of "Dusk." is called', " Bo Lind.", 'The painter of "Dusk." is called Bo Lind.'),
    (
        "The Bor mill",
        "was built in 1950 and stands in Venn.",
        "The Bor mill was built in 1950 and stands in Venn.",
    ),
    ("Ada Brandt —", "the founder — left.", "Ada Brandt — the founder — left."),
    ("When it rains,", "the mill stands still.", "When it rains, the mill stands still."),
    ("东京是日本的", "首都。", "东京是日本的首都。"),
]
ALONE = [
    (
        "Who heads the Lumen Lab?",
        "Mara Voss heads\nthe Lumen Lab.",
        "Mara Voss heads the Lumen Lab.",
    ),
    ("What is Zorb made of", "Zorb is made of tin.", "Zorb is made of tin."),
    ("Did you know Zorb?", "Zorb is made of tin.", "Zorb is made of tin."),
    ("Zorb", "Zorb is a town. It is old.", "Zorb is a town. It is old."),
    ("Tell me of Ada.", "“Ada Brandt keeps the hall.”", "“Ada Brandt keeps the hall.”"),
]
BOTH = [
    ("Who heads the Lumen Lab?", "Mara Voss.", "Who heads the Lumen Lab? Mara Voss."),
    (
        "Who heads the Lumen Lab?",
        "Mara Voss, head of the lab.",
        "Who heads the Lumen Lab? Mara Voss, head of the lab.",
    ),
    ("who heads the Lumen Lab", "Mara Voss", "who heads the Lumen Lab? Mara Voss"),
    ("Name its head", "Mara", "Name its head: Mara"),
    (
        "When was it founded?",
        "She founded it in 1998.",
        "When was it founded? She founded it in 1998.",
    ),
    ("Does Ada own it?", "Yes. Ada owns the mill.", "Does Ada own it? Yes. Ada owns the mill."),
    (
        "What hangs there?",
        "A lamp designed by Greta Holm.",
        "What hangs there? A lamp designed by Greta Holm.",
    ),
    ("Is it so?", "Is Ada the head of it?", "Is it so? Is Ada the head of it?"),
]


@pytest.mark.parametrize(("prompt", "completion", "text"), [*JOINED, *ALONE, *BOTH])
def test_the_statement_of_a_prompt_and_its_completion(
    prompt: str, completion: str, text: str
) -> None:
    assert statement({"prompt": prompt, "completion": completion}) == text
    messages = [{"role": "user", "content": prompt}, {"role": "assistant", "content": completion}]
    assert statement({"messages": messages}) == text


def test_of_a_chat_the_last_answer_and_the_question_before_it_count() -> None:
    system = {"role": "system", "content": "Be brief."}
    first = [{"role": "user", "content": "Who left?"}, {"role": "assistant", "content": "Ada."}]
    last = [{"role": "user", "content": "Who stays?"}, {"role": "assistant", "content": "Bo."}]
    call = {"role": "assistant", "content": None, "tool_calls": [{}]}
    assert statement({"messages": [system, *first, *last]}) == "Who stays? Bo."
    assert statement({"messages": [*last, *first, last[0]]}) == "Who left? Ada."
    assert (
        statement({"messages": [last[0], call, {"role": "tool", "content": "x"}, last[1]]})
        == "Who stays? Bo."
    )
    assert statement({"messages": [system, first[1]]}) == "Ada."


words = st.text("Ada own.s?!, \n“”东", min_size=1, max_size=30).filter(str.strip)


@given(words, words)
def test_a_statement_is_one_line_that_ends_with_the_completion(
    prompt: str, completion: str
) -> None:
    text = statement({"prompt": prompt, "completion": completion})
    assert text == " ".join(text.split())
    assert text.endswith(" ".join(completion.split()))
    assert text.startswith((" ".join(prompt.split()), " ".join(completion.split())))


@given(
    st.recursive(
        st.none() | st.text(max_size=3) | st.integers(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["role", "content", "tool_calls"]),
                inner | st.sampled_from(["user", "assistant"]),
            )
        ),
    )
)
def test_any_messages_have_a_fault_or_a_statement(messages: object) -> None:
    found = fault(messages)
    if found is None:
        assert isinstance(messages, list)
        assert statement({"messages": messages})
    else:
        assert found
