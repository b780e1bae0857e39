"""A one-sentence statement as a value: who, does what, to what, where, when, how, under which
condition.

Every part is a whole phrase of the sentence as it stands ("25 days of paid leave per year"), so
that what is made of it never begins or ends within one.
"""

from __future__ import annotations

from dataclasses import dataclass

from augmlx.english.clauses import phrase as phrases
from augmlx.english.clauses.phrase import SUBJECTS, Phrase, Tokens, children
from augmlx.english.lexicon import word_set

_NEGATIONS = ("not", "never", "n't", "n’t")


@dataclass(frozen=True, slots=True)
class Clause:
    """A statement, or an instruction where it has no subject.

    Attributes:
        text: the sentence.
        tokens: its words.
        subject: whom or what it is about; None in an instruction.
        root: the place of its main verb.
        helpers: the auxiliaries, "not" and adverbs like "usually", as they stand.
        particle: of a phrasal verb, or an object that is part of the verb ("take place").
        complements: what follows the verb, in order.
        fronted: what stands before the subject, in order.
        passive: its subject is what something is done to.
        coordinated: it goes on with a second verb.
    """

    text: str
    tokens: Tokens
    subject: Phrase | None
    root: int
    helpers: tuple[str, ...]
    particle: str
    complements: tuple[Phrase, ...]
    fronted: tuple[Phrase, ...]
    passive: bool
    coordinated: bool

    @property
    def verb(self) -> str:
        """The first form of the main verb."""
        return self.tokens[self.root].lemma

    @property
    def tag(self) -> str:
        """Penn's tag of the main verb as it stands."""
        return self.tokens[self.root].tag

    @property
    def verb_text(self) -> str:
        """The main verb as it stands."""
        return self.tokens[self.root].text

    @property
    def negations(self) -> list[str]:
        """ "not" and "never" beside the verb, in lower case."""
        return [word.lower() for word in self.helpers if word.lower() in _NEGATIONS]

    @property
    def auxiliaries(self) -> list[str]:
        """The auxiliaries, in lower case."""
        others = {*_NEGATIONS, *word_set("frequencies"), *word_set("placed_in_time")}
        return [word.lower() for word in self.helpers if word.lower() not in others]

    @property
    def adverbs(self) -> list[str]:
        """Adverbs within the verb, in lower case: "usually", "currently"."""
        others = {*_NEGATIONS, *self.auxiliaries}
        return [word.lower() for word in self.helpers if word.lower() not in others]

    @property
    def is_of_many_times(self) -> bool:
        """Whether it says how often: what usually causes something may seldom do so."""
        return not word_set("frequencies").isdisjoint(self.adverbs)

    @property
    def group(self) -> list[str]:
        """The words of the verb in their order: "may not be", "opened up", "is not"."""
        words = [*self.as_written(" ".join(self.helpers)).split(), self.verb_text]
        if self.verb == "be" and not self.auxiliaries:
            words = [self.verb_text, *self.helpers]
        return [*words, self.particle] if self.particle else words

    def as_written(self, words: str) -> str:
        """Words around the verb, with "cannot" as one word where it is one."""
        return words.replace("can not", "cannot") if "cannot" in self.text else words

    @property
    def parts(self) -> tuple[Phrase, ...]:
        """All but subject and verb: what follows, then what stands first."""
        return (*self.complements, *self.fronted)

    @property
    def object(self) -> Phrase | None:
        return next((part for part in self.complements if part.role == "object"), None)

    @property
    def agent(self) -> Phrase | None:
        return next((part for part in self.complements if part.role == "agent"), None)

    @property
    def attribute(self) -> Phrase | None:
        return next((part for part in self.complements if part.role == "attribute"), None)

    @property
    def is_past(self) -> bool:
        is_simple = self.tag == "VBD" or (self.tag == "VBN" and not self.auxiliaries)
        return is_simple or bool({"was", "were", "did", "had"} & set(self.auxiliaries))

    @property
    def is_present(self) -> bool:
        """Whether it is plainly of now: "has built" is of both."""
        first = self.auxiliaries[0] if self.auxiliaries else ""
        return first in ("is", "are", "am", "does", "do") or (
            not first and self.tag in ("VBZ", "VBP")
        )

    @property
    def tells_of_existence(self) -> bool:
        """Whether its subject is the "there" of "There are three lakes"."""
        return self.subject is not None and self.subject.text.lower() == "there"

    @property
    def is_set_off(self) -> bool:
        """Whether something stands apart from it: "Unlike the other gate,"."""
        return any(part.preposition in word_set("set_off") for part in self.parts)

    @property
    def is_narrowed(self) -> bool:
        """Whether "only" stands by its verb or an adjective, and may single out any part: "is only
        valid if it is signed", "only opens on Mondays"; but not "opens only on Mondays".
        """
        attribute = self.attribute
        is_adjective = attribute is not None and self.tokens[attribute.head].tag == "JJ"
        tops = {self.root, *([attribute.head] if attribute and is_adjective else [])}
        own = {part.start for part in self.parts if part.role in ("adjunct", "clause")}
        return any(
            token.text.lower() in word_set("focusing")
            and token.head in tops
            and token.start not in own
            for token in self.tokens
        )

    @property
    def is_fixed(self) -> bool:
        """Whether its words stay in their order: "switches itself off"."""
        thing = self.object
        return bool(self.particle) and thing is not None and self.tokens[thing.head].tag == "PRP"

    @property
    def is_said_whole(self) -> bool:
        """Whether what is said of its subject is not taken apart."""
        return self.coordinated or self.is_fixed

    @property
    def defines(self) -> bool:
        """Whether it says what its subject means: "Leave means up to three days off."."""
        is_bare = bool(self.complements) and not self.complements[0].preposition
        return self.verb in word_set("defining_verbs") and is_bare and not self.helpers

    @property
    def has_second_subject(self) -> bool:
        """Whether it goes on with a second verb that has a subject of its own."""
        seconds = [n for n in children(self.tokens, self.root) if self.tokens[n].dep == "conj"]
        below = [self.tokens[n] for second in seconds for n in children(self.tokens, second)]
        are_nouns = any(self.tokens[n].tag.startswith(("N", "PRP")) for n in seconds)
        return are_nouns or any(token.dep in SUBJECTS for token in below)

    @property
    def predicate(self) -> str:
        """All that is said of its subject, as it stands."""
        start = self.subject.end if self.subject else 0
        return self.text[start:].strip(" ,").rstrip(".!")

    @property
    def stop(self) -> str:
        """The mark that ends the sentence, or ""."""
        last = self.text.rstrip()[-1:]
        return last if last in (".", "!") else ""

    def others(self, moved: Phrase) -> list[Phrase]:
        """Every part but one."""
        return [part for part in self.parts if part != moved]

    def follows(self, part: Phrase, *, before: Phrase) -> bool:
        """Whether a part stands between the verb and another."""
        return part in self.complements and part.start < before.start

    def lowered(self, part: Phrase) -> str:
        """A part as it stands within a sentence."""
        return phrases.lowered(part, self.tokens)

    def is_plural(self, part: Phrase) -> bool:
        """Whether a part names several."""
        return phrases.is_plural(part, self.tokens)

    def leaves_number_open(self, part: Phrase) -> bool:
        """Whether a part may name one or several: "the Kendal Kites"."""
        return phrases.leaves_its_number_open(part, self.tokens)
