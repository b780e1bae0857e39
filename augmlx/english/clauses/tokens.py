"""The syntax of a sentence: its words, each with what it is and which word it belongs to.

Read by spaCy with its small English pipeline (MIT; `parser/`, shipped with the package, so that
nothing is fetched). Spans that no tagger of prose knows (paths, flags, units, versions, prices,
titles in quotes) are shown to it as a plain word in their place, and come back as they stand.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, lru_cache
from importlib import resources
from typing import Any, NamedTuple

from augmlx.english.lexicon import word_set
from augmlx.english.text import CACHED_TEXTS, Mention

# What stands in the place of a span: (pattern, word). The first that matches takes the span.
_STAND_INS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\"[^\"]+\"|“[^”]+”|«[^»]+»|`[^`]+`"), "Hamlet"),
    # A title with a subtitle: "Strange Bird: The Making of a Myth".
    (
        re.compile(
            r"(?:[A-Z][\w'’-]*\s)+[A-Z][\w'’-]*:\s[A-Z][\w'’-]*(?:\s(?:[A-Z][\w'’-]*|(?:a|an|and|for|in|of|on|the|to)(?=\s[\w]))|\s(?:a|the)\s[A-Z][\w'’-]*)*(?![\w'’]|,)"
        ),
        "Hamlet",
    ),
    (re.compile(r"[\w.+-]+@[\w-]+\.[\w.]*\w|https?://\S*[\w/]"), "Hamlet"),
    (re.compile(r"(?<!\w)--?[a-zA-Z][\w-]*(?:=\S*\w)?"), "Verbose"),
    (re.compile(r"\b\w+(?:\+\w+)+"), "Hamlet"),  # keys: "Ctrl+Shift+L"
    # Names in code: "parse_rows()", "MAX_ROWS", "_test.py".
    (
        re.compile(r"(?<![\w/.~-])_*[a-zA-Z0-9]*_\w*(?:\.[a-z]{1,4}\d?)?\b(?:\(\))?|\b\w+\(\)"),
        "Hamlet",
    ),
    (re.compile(r"[~.]?(?:/[\w.@~-]*\w)+/?|[A-Z]:\\\S*\w|\w+(?:/[\w.-]*\w){2,}"), "Hamlet"),
    (re.compile(r"\b\d{1,2}(?:[:.]\d{2})?\s?(?:[ap]\.m\.|[ap]m\b)"), "noon"),
    (re.compile(r"\b[\w-]+\.(?:[a-z]{2,4}\d?)\b(?!\.)(?<!a\.m)(?<!p\.m)"), "Hamlet"),
    (re.compile(r"(?<=\d)\s?°\s?[CFK]?\b|(?<=\d)\s?°"), "degrees"),
    (
        re.compile(
            r"\bup to\b(?=\s(?:\d|an?\b|one|two|three|four|five|six|seven|eight|nine|ten|twelve))"
        ),
        "about",
    ),
    (re.compile(r"(?<!\w)[€£¥$]\s?\d[\d.,]*\d?(?:\s(?:million|billion|m|bn))?\b"), "dollars"),
    (re.compile(r"(?<![\w.])[-−+]\d+(?:\.\d+)?\b"), "20"),
    (re.compile(r"\bv?\d+(?:\.\d+){2,}\b"), "7"),
    (re.compile(r"(?<![\w.,:])0\d+\b(?![.,:]\d)"), "Smith"),
    (
        re.compile(
            r"(?<=\d)\s?(?:mg|µg|kg|g|km|cm|mm|m|kWh|kW|MW|W|mV|V|mA|A|kHz|MHz|GHz|Hz|kB|KB|MB|GB|TB"
            r"|ml|cl|l|rpm|psi|bar|mbar|hPa|kPa|ms|px|dpi|lb|oz|ft|mph|km/h|Nm|N)(?![\w'’])"
        ),
        "gram",
    ),
)
_LONGEST = 400  # characters of a sentence
# How a name opens a sentence in which no verb was found: "Norvik exports timber".
_OPENING_NAME = re.compile(
    r"(?:(?:The|A|An|Our|Every|Each)\s(?:[a-z-]+\s){0,2}(?=[A-Z0-9]))?[A-Z0-9][\w.'’&-]*"
    r"(?:\s(?:[A-Z0-9&][\w.'’-]*|de|van|der|von|of(?=\s[A-Z])))*"
)


class Token(NamedTuple):
    """A word of a sentence.

    Attributes:
        text: as it stands, from `start` to `end` of the sentence.
        tag: Penn Treebank's part of speech.
        dep: what it is to its head (ClearNLP's labels), "ROOT" for the root.
        head: the place of its head among the tokens; the root's own.
        lemma: its first form.
        entity: the label of the named entity that it belongs to, or "".
    """

    text: str
    start: int
    end: int
    tag: str
    dep: str
    head: int
    lemma: str
    entity: str

    @property
    def is_verb(self) -> bool:
        return self.tag.startswith("VB") or self.tag == "MD"


@lru_cache(maxsize=CACHED_TEXTS)
def parse(text: str) -> tuple[Token, ...]:
    """The tokens of a sentence, with its root a verb wherever one can be found; none of a text that
    is too long for a sentence.
    """
    if len(text) > _LONGEST:
        return ()
    tokens = _parse(text, _stand_ins(text))
    if _has_verb_root(tokens):
        return tokens
    name = _OPENING_NAME.match(text)
    if name is None:
        return tokens
    spans = [(Mention(name[0], 0, name.end()), "He")]
    spans += [span for span in _stand_ins(text) if span[0].start >= name.end()]
    again = _parse(text, spans)
    return again if _has_verb_root(again) else tokens


def _has_verb_root(tokens: tuple[Token, ...]) -> bool:
    roots = [token for token in tokens if token.dep == "ROOT"]
    return any(root.is_verb and (root.start == 0 or root.text[0].islower()) for root in roots)


def _stand_ins(text: str) -> list[tuple[Mention, str]]:
    """The spans of a text that are shown to the parser as another word, in order."""
    taken: list[tuple[Mention, str]] = []
    for pattern, word in _STAND_INS:
        for match in pattern.finditer(text):
            span = Mention(match[0], match.start(), match.end())
            if all(span.end <= other.start or other.end <= span.start for other, _ in taken):
                taken.append((span, word))
    return sorted(taken, key=lambda one: one[0].start)


def _parse(text: str, spans: list[tuple[Mention, str]]) -> tuple[Token, ...]:
    """The tokens of a text in which each span is shown as its stand-in."""
    shown: list[str] = []
    place = 0  # in the text
    length = 0  # of what is shown
    anchors: list[tuple[int, int, int, int]] = []  # shown start, shown end, start, end
    for span, word in spans:
        between = text[place : span.start]
        needs_space = span.text[0].isspace() or (word in ("degrees", "gram"))
        lead = " " if needs_space and not between.endswith(" ") else ""
        start = span.start + (len(span.text) - len(span.text.lstrip()))
        shown += [between, lead, word]
        length += len(between) + len(lead)
        anchors.append((length, length + len(word), start, span.end))
        length += len(word)
        place = span.end
    rest = text[place:].rstrip()
    # The stop stands by itself, so that no name is read as an abbreviation ("Ben."), and is added
    # where there is none: without one it is no sentence to the parser.
    shown.append(f"{rest.removesuffix('.')} .")
    doc = _pipeline()("".join(shown))
    return _tokens(text, doc, anchors)


def _tokens(text: str, doc: Any, anchors: list[tuple[int, int, int, int]]) -> tuple[Token, ...]:
    words = [word for word in doc if not word.is_space]
    words.pop()  # the stop that was only shown
    places = {word.i: number for number, word in enumerate(words)}
    tokens = []
    for word in words:
        start, end = _origin(word.idx, anchors, opens=True), _origin(word.idx + len(word), anchors)
        tokens.append(
            Token(
                text=text[start:end],
                start=start,
                end=end,
                tag="NNP" if _is_name(word, text[start:end]) else word.tag_,
                dep=word.dep_,
                head=places.get(word.head.i, places[word.i]),
                lemma=word.lemma_.lower(),
                entity=word.ent_type_,
            )
        )
    return tuple(_of_now(tokens, place) for place in range(len(tokens)))


def _of_now(tokens: list[Token], place: int) -> Token:
    """A verb whose past is its first form is one of the present, where it tells of several in
    general: "Copies cost 10 cents.", but not "The tiles cost 10 cents.".
    """
    verb = tokens[place]
    if verb.tag != "VBD" or verb.dep != "ROOT" or verb.text != verb.lemma:
        return verb
    others = [token for token in tokens if token.entity in ("DATE", "TIME")]
    subject = tokens[0]
    is_of_many = subject.tag == "NNS" and subject.head == place and subject.dep == "nsubj"
    return verb._replace(tag="VBP") if is_of_many and not others else verb


def _is_name(word: Any, text: str) -> bool:
    """Whether a word must be a name, whatever it was taken for: "Zorb belongs to Ana."."""
    stands_for_name = word.text == "He" != text
    if word.tag_ == "NN" and _is_titled(word):
        return True
    opens_as_subject = word.i == 0 and word.dep_ in ("nsubj", "nsubjpass")
    is_noun = word.tag_.startswith(("N", "PRP", "DT", "CD", "EX", "W"))
    return stands_for_name or (opens_as_subject and not is_noun and text[:1].isupper())


def _is_titled(word: Any) -> bool:
    """Whether a word is a title that opens the sentence, or the name behind it: "Queen Adelind"."""
    first, *others = word.doc[:2]
    is_pair = first.text.lower() in word_set("titles") and others[0].text[:1].isupper()
    return is_pair and word.i < 2


def _origin(shown: int, anchors: list[tuple[int, int, int, int]], *, opens: bool = False) -> int:
    """Where a place of what is shown stands in the text."""
    shift = 0
    for shown_start, shown_end, start, end in anchors:
        if shown < shown_start or (shown == shown_start and not opens):
            break
        if shown < shown_end or (shown == shown_end and not opens):
            return start if opens else end
        shift = end - shown_end
    return shown + shift


@cache
def _pipeline() -> Any:
    with _without("cupy", "torch", "tensorflow", "mxnet", "jax"):
        import spacy
    return spacy.load(resources.files("augmlx.english").joinpath("parser"))


@contextmanager
def _without(*packages: str) -> Iterator[None]:
    """Import as if these were not installed: spaCy's own backend loads any that it finds
    (thinc/compat.py), which takes seconds and is not needed to run a pipeline.
    """
    hidden = [name for name in packages if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
