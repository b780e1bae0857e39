"""How a statement about a name stands within more words, as patterns over the sentence.

Each says which predicate the sentence gives to the name, and which words stand around it. In what
is looked into titles have no stop within their quotation marks, and the last stops are gone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from augmlx.english.clauses import forms
from augmlx.english.lexicon import AUXILIARIES, PREPOSITIONS, either, word_set
from augmlx.english.text import Mention
from augmlx.english.verbs import looks_like_a_verb

_NAME = "\ue000"  # of private use, so that no text holds it; a "§" in what is said of it here


class Wrapped(NamedTuple):
    """What a sentence says of a name, with more words around it.

    Attributes:
        name: with a "the" before it.
        predicate: such as "is the founder of the mill", "founded the mill".
        around: the words that it stands behind, and those that tie it to the name.
        rest: what the sentence says of the name besides, its verb first, or "".
        is_loose: nothing but a comma ties it to the name.
        is_bare: it begins the sentence, with no words of its own between the name and it.
    """

    name: str
    predicate: str
    around: str
    rest: str
    is_bare: bool
    is_loose: bool


def wrapped(text: str, names: Sequence[Mention]) -> Iterator[Wrapped]:
    """What a text may say of one of its names, the surest first."""
    frames = [(name, f"{text[: name.start]}{_NAME}{text[name.end :]}") for name in names]
    for pattern, holds in _PATTERNS:
        for name, frame in frames:
            found = pattern.fullmatch(frame)
            if found is not None and holds(found) and (predicate := _predicate(found)):
                yield Wrapped(
                    name=_group(found, "article").lower() + name.text,
                    predicate=predicate,
                    around=" ".join(_group(found, part) for part in _AROUND).strip(),
                    rest=_group(found, "rest"),
                    is_loose=pattern.pattern in _LOOSE and not _group(found, "tie"),
                    is_bare=found.groupdict().get("before") == "" and not _group(found, "by"),
                )


def _group(found: re.Match[str], name: str) -> str:
    """What a group holds, "" where there is none."""
    return found.groupdict().get(name) or ""


def _predicate(found: re.Match[str]) -> str:
    """What is said of the name, in the tense in which it is said; "" where that is not known."""
    if thing := _group(found, "thing") or _titled(found):
        thing = (f"the{thing[3:]}" if thing.startswith("The ") else thing).rstrip(" .,")
        return f"{'was' if _is_past(found) else 'is'} {_attribution(found)}{thing}"
    if said := _group(found, "said"):
        return said
    verb = _group(found, "doing") or _group(found, "did")
    deed = forms.first_form(verb)
    if deed not in word_set("deeds") or (found.groupdict().get("did") and not forms.is_past(verb)):
        return ""
    return f"{forms.past(deed)} {found['done']}"


def _attribution(found: re.Match[str]) -> str:
    """The words by which somebody is only taken for something ("hailed by many as "), or ""."""
    is_of_thing = bool(_group(found, "thing"))
    taken_for = is_of_thing and found.string[: found.start("thing")].endswith(" as ")
    words = _group(found, "tie").lower().split() if taken_for else []
    if _group(found, "taking"):
        words = [forms.participle(forms.first_form(words[-1]))]
    place = next((n for n, word in enumerate(words) if word in word_set("attributing")), None)
    if place is None:
        return ""
    said = [word for word in words[place:] if word != "as"]
    return f"{' '.join(said)} as "


def _titled(found: re.Match[str]) -> str:
    """What stands behind "the title of" without an article, with one."""
    title = _group(found, "title")
    return f"the {title}" if title and not title.split()[0].endswith("ing") else ""


def _is_past(found: re.Match[str]) -> bool:
    if word_set("bygone") & set(_group(found, "tie").lower().split()):
        return True
    if _group(found, "perfect"):
        return False
    verb = _group(found, "be") or _group(found, "verb")
    return bool(verb) and forms.is_past(verb.split()[0])


# The parts of the patterns

_AROUND = ("ahead", "before", "tie")  # the groups that hold what stands around

_X = rf"(?P<article>[Tt]he )?{_NAME}"
_OWNER = r"[A-Z][\w-]*(?: [A-Z][\w-]*){0,2}['’]s"
_THING = rf"(?P<thing>(?:[Tt]he|{_OWNER}) \w.*?)"
_DEED = r"(?P<doing>[a-z]+ing) (?P<done>(?:the|an?|[\"“]|[A-Z]).*?)"
_REST = r"(?P<rest> [a-z].*)"
_ADVERB = rf"(?: (?:\w+ly|{either('loose_adverbs')}|in the past))"
_BE = r"(?: (?P<be>is|was|are|were)|['’](?:s|re))"
_NAMED = rf"{_ADVERB}*(?: none other than| called| named| known as)"
_IS_SIMPLY = rf"(?P<tie>{_BE}(?:{_NAMED}|{_ADVERB}+)?)"
_GOES_BY = r" (?:goes? by|bears|carries)(?: the name(?: of)?)?"
_IS_CALLED = rf"(?P<tie>{_BE}{_NAMED}|{_GOES_BY})"
_ROLE = rf"(?:the|an?|their|his|her|its) (?:[\w-]+ ){{0,2}}(?:{either('roles')})"
_RENOWNED = rf"(?:{either('renowned')})(?: to)?"
_PRONOUN = rf"\b(?:[Tt]hey|[Hh]e|[Ss]he|[Ii]t|[Tt]h(?:is|at) (?:{either('standing_in')}))"


# What stands before the name, or beside it

_OPENING = rf"(?P<tie>[^,{_NAME}]*?)\b(?P<link>[Bb]eing|[Aa]s) {_THING}, {_X}{_REST}"
_OPENING_ROLE = rf"(?P<tie>(?P<verb>[A-Z][a-z]+) {_ROLE}) of {_THING}, {_X}{_REST}"
_OPENING_DEED = rf"(?P<tie>[^,{_NAME}]*?\b(?:for|of|[Bb]y|[Aa]fter)) {_DEED}, {_X}{_REST}"
_APPOSED_TO = (
    r"(?P<thing>The [\w' -]+? (?:of|behind|who|which|that|for|in|at|on|to) .+?), "
    rf"{_X},?(?! (?:(?:is|was) (?:called|named|none)|goes by)){_REST}"
)
_LOOSE = {_OPENING, _APPOSED_TO}
_APPOSITION = rf"{_X},(?: (?:who|which) (?P<be>is|was)(?P<tie>{_ADVERB}*))? {_THING},{_REST}"


def _always(found: re.Match[str]) -> bool:
    """Whether the pattern alone tells."""
    return True


def _is_of_subject(found: re.Match[str]) -> bool:
    """Whether what an opening says is said of the subject behind it: "Known as", "Proud of being",
    but not "Thanking them for being".
    """
    words = found["tie"].lower().split()
    if word_set("object_pronouns") & set(words):
        return False
    if found["link"].lower() == "as":
        telling = word_set("renowned") | word_set("standing") | word_set("roles")
        return bool(telling & set(words)) if words else not _holds_verb(found["thing"])
    if not words or words[-1] in word_set("before_being"):
        return True
    return words[-1] in ("for", "by") and not words[0].endswith("ing")


def _holds_verb(thing: str) -> bool:
    """Whether what stands behind "as" may be a clause: "the head of the lab left"."""
    plain = re.split(r" (?:who|which|that) ", thing)[0]
    words = [word for word in plain.split() if word.islower()]
    return any(word in AUXILIARIES or looks_like_a_verb(word) for word in words)


def _is_deed_of_subject(found: re.Match[str]) -> bool:
    """Whether an opening says what the subject behind it did: "After founding", "Known for"."""
    words = found["tie"].lower().split()
    telling = word_set("renowned") | word_set("roles")
    return len(words) == 1 or bool(telling & set(words))


# The name behind what it is the name of

_THE_ONE = rf"(?:The (?:one|person|man|woman) who \w+ {_ROLE} of being )?"
_NAMED_SO = rf"{_THE_ONE}{_THING}{_IS_CALLED} {_X}"
_WHO_IS_NAMED_SO = rf"(?P<before>.*?) by {_THING}, who{_IS_CALLED} {_X}"
_ASKED = (
    rf"(?:.*\b)?(?:Who|What)(?: (?P<be>is|was)|['’]s) {_THING}\?+ (?:\w+: |It['’]s |It is )?{_X}"
)
_GUESSED = rf".*\b(?:know|heard of|remember|meet) {_THING}\?+ {_PRONOUN}{_IS_SIMPLY} {_X}"
_KNOWN_AS = (
    rf".*\b(?:knows?|calls?) (?:them|him|her|it) (?:as )?{_THING}, but .*?"
    rf"{_PRONOUN}{_IS_SIMPLY} {_X}"
)
_DID_AND_IS_KNOWN = (
    rf"(?:[^,{_NAME}]*, )?{_THING} \w+ed, and \w+ (?:knows?|calls?) "
    rf"(?:them|him|her|it)(?: as)? {_X}"
)
_KNOWS_ME = (
    rf".*\bknow me (?:as|for)(?: being)? (?:{_THING}|{_DEED})(?:[.;!]|, but) "
    rf"(?:.*\b)?(?:I go by(?: the name(?: of)?)?|[Mm]y name is|I am|I['’]m) {_X}"
)


# A clause about the name, or about a pronoun that stands for it

_SUBJECT = rf"(?P<before>.*?)(?P<subject>{_X},?(?P<who> who| which)?|{_PRONOUN})"
_IS = rf"(?P<tie>{_ADVERB}*{_BE}{_ADVERB}*)(?: none other than| the (?:very )?embodiment of)?"
_IS_KNOWN = (
    r"(?P<tie>(?: has| have| had)?(?: (?P<be>is|was|are|were|been|became|came to be|comes to be))?"
    rf"{_ADVERB}* {_RENOWNED})(?: as| for being)"
)
_STANDS = (
    rf"(?P<tie>(?: has| have| had)?{_ADVERB}* (?P<verb>{either('standing')})"
    r"(?: out| up)?(?: \w+){0,3}?) as"
)
_HAS_ROLE = rf"(?P<tie>(?P<perfect> has)?{_ADVERB}*) (?P<verb>[a-z]+) {_ROLE} (?:of|as)(?: being)?"
_BY_BEING = r"(?P<tie> (?P<verb>[a-z]+)(?: [a-z]+){0,4} (?P<by>by|for)) being"
_HAS_TITLE = (
    rf"(?P<tie>(?P<perfect> has)?{_ADVERB}*) (?P<verb>[a-z]+) (?:the|an?) (?:[\w-]+ ){{0,2}}"
    r"(?:title|role|position|office|post|job|rank) of (?P<title>(?!(?:the|an?|being)\b)[a-z].*)"
)
_RENOWNED_FOR = (
    rf"(?P<ahead>.*?){_X},(?P<tie>(?: (?:who|which) (?P<be>is|was))?(?: [a-z]+){{0,2}} "
    rf"(?:{_RENOWNED}|{either('standing')})(?: \w+){{0,4}}?) "
    rf"(?:(?:for being|as) {_THING}|for {_DEED})(?:,{_REST})?"
)
_THEIR_ROLE = (
    rf"(?P<before>.*{_NAME}.*)\b(?P<tie>(?:their|his|her|its) (?:\w+ ){{0,2}}"
    rf"(?:{either('roles')})) as {_THING}"
)
_TAKEN_FOR = rf"(?P<tie>.*?\b(?P<taking>[a-z]+)) {_X} as {_THING}"
_HEARD_OF = (
    rf".*\b(?:about|heard of|know|remember) {_X}\?+ (?:.*\b)?{_PRONOUN} "
    r"(?P<did>[a-z]+) (?P<done>.+)"
)
_CLEFT = rf"(?:.*[,.;:?!] )?It(?: (?:is|was)|['’]s) {_X} (?:who|that|which) (?P<said>.+)"

# What the subject of a clause may stand behind.
_OPENS = r"(?:.*(?:[,.;:?!](?: but| and| so)?|\b(?:that|how|because|since)) )?"
_BEFORE_NAME = re.compile(
    rf"{_OPENS}(?:"
    rf"|[Tt]he(?: (?!(?:{either('prepositions')})\b)[a-z-]+){{1,2}} "  # "The remarkable §"
    r"|(?:\w+ (?:is|was) |\w+['’]s )?(?:[Aa]n?|[Tt]he|[Ss]omeone|[Ss]omebody)(?: [a-z]+){0,2}"
    r" (?:named|called|by the name of) "
    r"|[Aa]n? [a-z-]+ as [a-z-]+ as "  # "A man as modest as §"
    r")"
)
_BEFORE_PRONOUN = re.compile(r".*(?:[,.;:?!]|\b(?:that|how|because|since|and|but|as|so)) ")
_NAME_JUST_BEFORE = re.compile(rf".*{_NAME}[,.:?!]+ (?:\w+: )?(?:\w+, )?")


def _opens_clause(found: re.Match[str]) -> bool:
    """Whether what the predicate is said of is the subject of its clause, and the name or what
    stands for it.
    """
    before, subject = found["before"], found["subject"].lower()
    if _NAME in subject:
        is_free = bool(found["who"] and before) and before.split()[-1] not in _TYING
        return is_free or _BEFORE_NAME.fullmatch(before) is not None  # "Remember §, who was"
    if subject.startswith(("it", "th")) and subject != "they":
        return _NAME_JUST_BEFORE.fullmatch(before) is not None
    return _BEFORE_PRONOUN.fullmatch(before) is not None and _is_only_name(found)


def _is_only_name(found: re.Match[str]) -> bool:
    """Whether nobody but the name is spoken of before a pronoun, and nothing of which there are
    several.
    """
    before = found["before"]
    words = [word.strip(",.;:?!'\"") for word in before.split()]
    others = word_set("people") - word_set("standing_in")
    is_several = any(word.endswith("s") and forms.is_plural_noun(word) for word in words)
    is_they = found.re.groupindex.get("subject") and found["subject"].lower() == "they"
    return _NAME in before and not others & set(words) and not (is_they and is_several)


def _stands_apart(found: re.Match[str]) -> bool:
    """Whether what follows the name is the name's, and not that of what it belongs to."""
    ahead = found["ahead"].split()
    return not ahead or (ahead[-1] not in _TYING and not ahead[-1].endswith(","))


def _takes_for(found: re.Match[str]) -> bool:
    """Whether the verb before the name says what that is taken for: "Everybody knows § as"."""
    taking = forms.participle(forms.first_form(found["taking"]))
    return taking in word_set("renowned") and found["taking"] != taking


def _holds_role(found: re.Match[str]) -> bool:
    """Whether the subject of a clause is what has a role."""
    return _opens_clause(found) and _has_role(found)


def _has_role(found: re.Match[str]) -> bool:
    """Whether the verb before a role is one of having it."""
    return forms.first_form(found["verb"].lower()) in word_set("holding")


_TYING = PREPOSITIONS | {"and", "or"}
_PATTERNS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], bool]], ...] = tuple(
    (re.compile(pattern), holds)
    for pattern, holds in (
        (_NAMED_SO, _always),
        (_WHO_IS_NAMED_SO, _always),
        (_ASKED, _always),
        (_GUESSED, _always),
        (_KNOWN_AS, _always),
        (_DID_AND_IS_KNOWN, _always),
        (_KNOWS_ME, _always),
        (_HEARD_OF, _always),
        (_CLEFT, _always),
        (_OPENING, _is_of_subject),
        (_OPENING_ROLE, _has_role),
        (_OPENING_DEED, _is_deed_of_subject),
        (_RENOWNED_FOR, _stands_apart),
        (_SUBJECT + _IS + f" {_THING}", _opens_clause),
        (_SUBJECT + _IS_KNOWN + f" {_THING}", _opens_clause),
        (_SUBJECT + _STANDS + f" {_THING}", _opens_clause),
        (_SUBJECT + _HAS_ROLE + f" (?:{_THING}|{_DEED})", _holds_role),
        (_SUBJECT + _HAS_TITLE, _holds_role),
        (_SUBJECT + _BY_BEING + f" {_THING}", _opens_clause),
        (_THEIR_ROLE, _is_only_name),
        (_TAKEN_FOR, _takes_for),
        (_APPOSED_TO, _always),
        (_APPOSITION, _always),
    )
)
