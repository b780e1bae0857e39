"""What a text says, as a count of its words, without a grammar: two texts that have the same words
but for small ones, and in the same order where that tells, say the same.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from augmlx.augment.languages.lexicon import Lexicon, lexicon

# Chinese has no spaces: there each character counts as a word.
_TOKEN = re.compile("[\u3400-\u9fff]|[^\\W\u3400-\u9fff_]+|[€$£¥%°]")
_HAN = re.compile("[\u3400-\u9fff]")
NEGATED = "¬"  # what every negation counts as
CONDITION = "→"  # what every word counts as that a condition begins with
_STEM = 4  # letters that two forms of a word share at least
_ENDING = 3  # letters that they may differ in at the end, at most


def tokens(text: str) -> list[str]:
    """The words of a text in order, case-folded, with signs of currency and the like."""
    return _TOKEN.findall(folded(text))


def folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().replace("’", "'")


@lru_cache(maxsize=4096)
def content(code: str, text: str, *, asking: bool = False) -> tuple[str, ...]:
    """The words of a text that say something, in order; of a question without those that ask.
    Negations, words of one scope, and what conditions begin with count as one another.
    """
    words = lexicon(code)
    text = folded(text)
    for short, long in words.contracted.items():
        text = re.sub(rf"\b{short}\b", long, text)
    for phrase in _phrases(words):
        text = text.replace(phrase, " ")
    asked = words.asking if asking else ()
    said = (_canonical(words, token) for token in tokens(text) if token not in asked)
    return tuple(token for token in said if token not in words.small)


def _phrases(words: Lexicon) -> list[str]:
    """The small words that are several tokens, the longest first."""
    several = [word for word in (*words.small, *words.asking) if len(_HAN.findall(word)) > 1]
    return sorted(several, key=lambda word: (-len(word), word))


def _canonical(words: Lexicon, token: str) -> str:
    if token in words.negations:
        return NEGATED
    if token in words.conditions:
        return CONDITION
    return words.scopes.get(token, token)


def asks(code: str, text: str) -> bool:
    """Whether a text has a word that asks."""
    asking = lexicon(code).asking
    if any(map(_HAN.match, asking)):
        return any(word in text for word in asking)
    return not set(asking).isdisjoint(tokens(text))


def asked_kind(code: str, question: str, answer: str) -> tuple[str, ...]:
    """What a question says of its answer right behind the word that asks: "lago" in "¿Qué lago es
    el más hondo?", where the answer is "el lago Turó". Never what is written as a name is.
    """
    behind = max(
        (question.casefold().find(word) + len(word) for word in _words_that_ask(code, question)),
        default=len(question),
    )
    told, kind = set(content(code, answer)), []
    for match in _TOKEN.finditer(question[behind:]):
        token = folded(match[0])
        if token not in told or match[0][0].isupper():
            break
        kind.append(token)
    whole = content(code, answer)
    # The kind comes first ("el lago Turó"); in Chinese last.
    end = whole[: len(kind)] if lexicon(code).articles else whole[len(whole) - len(kind) :]
    return tuple(kind) if tuple(kind) == end and told - set(kind) else ()


def _words_that_ask(code: str, text: str) -> list[str]:
    """The first word of a text that asks, in all the ways in which it can be read."""
    asking, plain = lexicon(code).asking, text.casefold()
    if any(map(_HAN.match, asking)):
        return [word for word in asking if word in plain]
    return [token for token in tokens(text) if token in asking][:1]


def place_of(part: str, whole: str) -> str:
    """A part of a text as it stands there, found by its words; "" where it does not."""
    wanted = tokens(part)
    found = [(match.start(), match.end()) for match in _TOKEN.finditer(whole)]
    if not wanted or unicodedata.normalize("NFKC", whole) != whole:
        return part if part in whole else ""
    spoken = [folded(whole[start:end]) for start, end in found]
    for first in range(len(spoken) - len(wanted) + 1):
        if spoken[first : first + len(wanted)] == wanted:
            return whole[found[first][0] : found[first + len(wanted) - 1][1]]
    return ""


def left_out(code: str, source: str, question: str) -> str:
    """The part of a fact that a question leaves out, with the articles and prepositions before it;
    "" where that is not one part, or is all of it.
    """
    words, asked = lexicon(code), Counter(content(code, question, asking=True))
    places = list(_TOKEN.finditer(source))
    said = ["".join(content(code, place[0])) for place in places]
    missing = []
    for number, token in enumerate(said):
        if asked[token]:
            asked[token] -= 1
        elif token:
            missing.append(number)
    if not missing or len(missing) == sum(map(bool, said)):
        return ""
    first, last = missing[0], missing[-1]
    if [number for number in range(first, last + 1) if said[number]] != missing:
        return ""
    before = words.articles | words.prepositions
    while first and folded(places[first - 1][0]) in before:
        first -= 1
    return source[places[first].start() : places[last].end()]


def difference(
    source: Sequence[str], text: Sequence[str]
) -> tuple[list[tuple[str, str]], list[str], list[str]]:
    """Words of a source that a text has in another form, as pairs; that it lacks; that it adds."""
    missing = list((_counted(source) - _counted(text)).elements())
    added = list((_counted(text) - _counted(source)).elements())
    inflected = []
    for word in list(missing):
        form = next((other for other in added if is_form(word, other)), None)
        if form is not None:
            missing.remove(word)
            added.remove(form)
            inflected.append((word, form))
    return inflected, missing, added


def _counted(said: Sequence[str]) -> Counter[str]:
    """Each word with how often it stands; negations together make one."""
    counts = Counter(said)
    if counts[NEGATED]:
        counts[NEGATED] = 1
    return counts


def is_year(word: str) -> bool:
    """Whether a word could be a year."""
    return len(word) == 4 and word.isdecimal() and word[0] in "12"


def beside_circumstances(code: str, source: str, missing: Sequence[str]) -> list[str]:
    """What a question lacks of a fact, less what it need not say: a year, and who did it, where the
    fact is passive.
    """
    left = [word for word in missing if not is_year(word)]
    words = lexicon(code)
    spoken = tokens(source)
    # In Chinese no name's end can be told.
    is_passive = bool(words.articles) and not words.passives.isdisjoint(spoken)
    agents = words.agents if is_passive else frozenset()
    for place, token in enumerate(spoken):
        doer = content(code, " ".join(spoken[place + 1 :]))[: len(left)]
        if token in agents and sorted(doer) == sorted(left):
            return []
    return left


def is_form(word: str, other: str) -> bool:
    """Whether two words could be forms of one, by what they begin with ("besiegt", "besiegte")."""
    if any(map(str.isdigit, word + other)):
        return False
    # German participles: "leitet", "geleitet".
    word, other = word.removeprefix("ge"), other.removeprefix("ge")
    if abs(len(word) - len(other)) == 1 and {word, other} == {
        word.rstrip("s"),
        f"{word.rstrip('s')}s",
    }:
        return False  # one and several
    shared = 0
    for one, two in zip(word, other, strict=False):
        if one != two:
            break
        shared += 1
    return shared >= _STEM and max(len(word), len(other)) - shared <= _ENDING
