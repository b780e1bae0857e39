"""The words of a sentence, read by the parser that the package ships."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augmlx.english.clauses.tokens import parse

# What no tagger of prose knows, in the middle and at the end of a sentence.
ODD = (
    "~/.tidewell/config.yaml",
    "--dry-run",
    "/var/log/pelican/app.log",
    "€1,299",
    "8.5 kW",
    "7 °C",
    "-20 °C",
    "9:30 a.m.",
    "5.2.1",
    '"Measure twice, cut once"',
    "Strange Bird: The Making of a Myth",
    "https://example.org/a?b=c",
    "ana.bell@example.org",
    "parse_rows",
    "load_rows()",
    "__init__.py",
    "`git push`",
)


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("sentence", ["The old lamp needs {}.", "Ana wrote {} on Monday."])
def test_what_is_shown_as_another_word_comes_back_as_it_stands(odd: str, sentence: str) -> None:
    if "Bird" in odd and not sentence.endswith("{}."):
        pytest.skip("where a title ends nobody can tell")
    text = sentence.format(odd)
    start = text.index(odd)
    tokens = parse(text)
    inside = [token for token in tokens if start <= token.start < start + len(odd)]
    joined = "".join(token.text for token in inside)
    assert joined.replace(" ", "") == odd.replace(" ", "")
    root = next(token for token in tokens if token.dep == "ROOT")
    assert root.text in ("needs", "wrote")


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=60))
@settings(max_examples=60)
def test_tokens_are_pieces_of_the_text_in_their_order(text: str) -> None:
    tokens = parse(text)
    place = 0
    for token in tokens:
        assert text[token.start : token.end] == token.text
        assert token.start >= place
        assert 0 <= token.head < len(tokens)
        place = token.end


@pytest.mark.parametrize(
    ("text", "verb"),
    [
        ("Norvik exports timber, fish and aluminium to Estmark.", "exports"),
        ("Kestor 5.2.1 fixes the login crash.", "fixes"),
        ("The river Aldra separates Fenwick from Harrow.", "separates"),
        ("Bealdek borders Glentob.", "borders"),
    ],
)
def test_a_verb_behind_an_unknown_name_is_found(text: str, verb: str) -> None:
    roots = [token for token in parse(text) if token.dep == "ROOT"]
    assert [root.text for root in roots] == [verb]
    assert roots[0].tag == "VBZ"


def test_reading_a_sentence_loads_no_other_framework() -> None:
    """thinc loads torch and others wherever it finds them."""
    code = (
        "import sys\n"
        "from augmlx.english.clauses.tokens import parse\n"
        "assert parse('Ana wrote the book.')\n"
        "loaded = {'torch', 'tensorflow', 'cupy', 'jax'} & set(sys.modules)\n"
        "assert not loaded, loaded\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
