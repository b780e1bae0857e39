"""The relations of bench_quality.py's world: how facts about them are given, and all the wordings
that say the same.

It knows nothing of augmlx's filters and word lists.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

# Grammar. A pattern is a regular expression in which A, B, C are the arguments and <...> stands for
# a macro. In a fact about an event ("founded") and one about a state ("owns") the same macro takes
# another tense.


def verb(present: str, past: str, participle: str, tail: str = "") -> tuple[str, ...]:
    """A verbs B: active, passive. `tail` holds the third argument or what else follows the
    object.
    """
    acts = f"<v:{present}/{past}/{participle}>"
    return (
        f"A {acts} B{tail}",
        f"A <cop> the <one> <that> {acts} B{tail}",
        f"B <pas> {participle}{tail} by A",
        f"B <pas> {participle} by A{tail}",
        f"B <cop> (the <one> <that>|what|who|whom|the <one>) A {acts}{tail}",
        f"B <cop> the <one> {participle}{tail} by A",
        *(
            (f"{tail.strip()} A {acts} B", f"{tail.strip()} B <pas> {participle} by A")
            if tail
            else ()
        ),
    )


def noun(*names: str) -> tuple[str, ...]:
    """A is the noun of B, and the only one."""
    either = "|".join(names)
    n = f"({either})"
    return (
        f"A <cop> (the |an? |)(<one> who <cop> the )?{n} of B",
        f"A <cop> B's {n}",
        f"A (serves|acts|works|is serving) as (the )?{n} of B",
        f"A <has> the (post|position|role|title|office) of {n} of B",
        f"(the )?{n} of B <cop> A",
        f"B's {n} <cop> A",
        f"B <has> A as (its|their|an?|the) {n}",
        f"B <has> an? {n} (named|called) A",
        f"the <one> who <cop> (the )?{n} of B <cop> A",
    )


def one_of(singular: str, plural: str = "", of: str = "of") -> tuple[str, ...]:
    """A is one of B's nouns; there may be others."""
    plural = plural or f"{singular}s"
    return (
        f"A <cop> (an?|the|one of the) ({singular}|{plural}) {of} B",
        f"A <cop> (one of )?B's ({singular}|{plural})",
        f"(an?|one) {singular} {of} B <cop> A",
        f"one of (B's {plural}|the {plural} {of} B) <cop> A",
        f"(B's {plural}|the {plural} {of} B) include A",
        f"B's {singular} <cop> A",
        f"B <has> A as (an?|its|their|one of its|one of their) ({singular}|{plural})",
        f"B <has> an? {singular} (named|called) A",
    )


_OTHER = {"A": "B", "B": "A"}


def flip(patterns: Sequence[str]) -> tuple[str, ...]:
    """The same patterns with A and B exchanged."""

    def other(match: re.Match[str]) -> str:
        return _OTHER[match.group()]

    return tuple(re.sub(r"\b[AB]\b", other, pattern) for pattern in patterns)


def both(patterns: Sequence[str]) -> tuple[str, ...]:
    """The patterns from either end."""
    flipped = flip(patterns)
    return (*patterns, *flipped)


def compared(adjective: str, more: str, less: str) -> tuple[str, ...]:
    """A is more adjective than B. `more` and `less` are the comparatives in full, alternatives with
    |.
    """
    return (
        f"A <be> ({more}) than B( <be>)?",
        f"B <be> ({less}) than A( <be>)?",
        f"B <be> (not as|not so|less) {adjective} (as|than) A( <be>)?",
        f"B <be> not ({more}) than A",
        f"A <be> not ({less}) than B",
        f"compared (to|with) B,? A <be> ({more})",
        f"compared (to|with) A,? B <be> ({less})",
        f"A <be> the ({more}) one of A and B",
        f"B <be> the <one> A <be> ({more}) than",
    )


# Relations.


@dataclass(frozen=True, slots=True)
class Relation:
    """A small grammar. `sources` are the wordings that a fact is given in; `truths` are all the
    wordings that say the same fact, from either end. `kinds` are the sorts of A, B and C; `words`
    fills {w} (a role, an adjective).
    """

    name: str
    event: bool
    kinds: str
    sources: tuple[str, ...]
    truths: tuple[str, ...]
    words: tuple[str, ...] = ("",)


def _symmetric(name: str, kinds: str, sources: Sequence[str], truths: Sequence[str]) -> Relation:
    """A state that holds from either end."""
    return Relation(
        name,
        event=False,
        kinds=kinds,
        sources=tuple(sources),
        truths=both(truths),
    )


_NOUN_SOURCES = ("A is the {n} of B.", "The {n} of B is A.", "B's {n} is A.", "A is B's {n}.")


def _kin(name: str, truths: Sequence[str]) -> Relation:
    """A is the mother, the brother ... of B."""
    sources = [source.replace("{n}", name) for source in _NOUN_SOURCES]
    return Relation(
        name,
        event=False,
        kinds="pp",
        sources=tuple(sources),
        truths=tuple(truths),
    )


def _did(
    past: str, participle: str, kinds: str, present: str, agents: str = "", more: Sequence[str] = ()
) -> Relation:
    """An event: A founded B. `agents` are nouns of who does it."""
    agent = noun(*agents.split("|")) if agents else ()
    return Relation(
        past,
        event=True,
        kinds=kinds,
        sources=(
            f"A {past} B.",
            f"B was {participle} by A.",
            f"A {past} B in Y.",
            f"B was {participle} by A in Y.",
        ),
        truths=(*verb(present, past, participle), *agent, *more),
    )


def _does(
    present: str, participle: str, kinds: str, past: str, agents: str = "", more: Sequence[str] = ()
) -> Relation:
    """A state: A owns B. `agents` are nouns of who does it."""
    agent = noun(*agents.split("|")) if agents else ()
    return Relation(
        present,
        event=False,
        kinds=kinds,
        sources=(f"A {present} B.", f"B is {participle} by A."),
        truths=(*verb(present, past, participle), *agent, *more),
    )


def _than(name: str, kinds: str, adjective: str, more: str, less: str) -> Relation:
    """A is larger, heavier ... than B, in the first of the comparatives."""
    comparative = more.split("|")[0]
    return Relation(
        name,
        event=False,
        kinds=kinds,
        sources=(f"A <be> {comparative} than B.",),
        truths=compared(adjective, more, less),
    )


_OF_A_PLACE = "mayor|governor|chief judge|head gardener"
_OF_AN_ORGANISATION = "director|treasurer|spokesperson|chief engineer|secretary"

RELATIONS = (
    # kinship
    _kin("mother", [*noun("mother", "mum"), *one_of("parent"), *flip(one_of("child", "children"))]),
    _kin("father", [*noun("father", "dad"), *one_of("parent"), *flip(one_of("child", "children"))]),
    _kin("brother", [*noun("brother"), *both(one_of("sibling"))]),
    _kin(
        "grandmother",
        [
            *noun("grandmother"),
            *one_of("grandparent"),
            *flip(one_of("grandchild", "grandchildren")),
        ],
    ),
    _kin("aunt", [*noun("aunt"), *flip(one_of("(?:niece or nephew|nephew or niece)"))]),
    _kin(
        "godfather",
        [*noun("godfather"), *one_of("godparent"), *flip(one_of("godchild", "godchildren"))],
    ),
    _symmetric(
        "married",
        "pp",
        ("A is married to B.", "A is the spouse of B."),
        (
            *noun("spouse", "partner"),
            "A <cop> (the )?<one>? ?(<that> is )?married to B",
            "A and B <be> married( to each other)?",
            "A <v:marries/married/married> B",
        ),
    ),
    _symmetric(
        "cousin",
        "pp",
        ("A is a cousin of B.", "A is B's cousin."),
        (*one_of("cousin"), "A and B <be> cousins"),
    ),
    _symmetric(
        "rival",
        "pp",
        ("A is a rival of B.", "A is B's rival."),
        (*one_of("rival"), "A and B <be> rivals"),
    ),
    # authorship and making
    _did("wrote", "written", "pw", "writes", "author|writer"),
    _did("painted", "painted", "pw", "paints", "painter|artist"),
    _did("composed", "composed", "pw", "composes", "composer"),
    _did("translated", "translated", "pw", "translates", "translator"),
    _did("designed", "designed", "pt", "designs", "designer"),
    _did("invented", "invented", "pt", "invents", "inventor"),
    _did("built", "built", "ot", "builds", "builder|maker"),
    _did("discovered", "discovered", "ps", "discovers", "discoverer"),
    _did(
        "founded",
        "founded",
        "po",
        "founds",
        "founder",
        [
            "B <pas> (established|started|set up|created) by A",
            "A (established|started|set up|created) B",
        ],
    ),
    _did("acquired", "acquired", "oo", "acquires", "acquirer|buyer|owner"),
    _did("restored", "restored", "pt", "restores", "restorer"),
    # what people do to people
    _did(
        "taught",
        "taught",
        "pp",
        "teaches",
        "teacher|tutor",
        [*flip(one_of("(?:student|pupil)")), "B (learned|learnt|studied) (from|under|with) A"],
    ),
    _did(
        "defeated",
        "defeated",
        "mm",
        "defeats",
        "",
        ["B lost to A", "A (beat|won against) B", "B <pas> beaten by A"],
    ),
    _did("hired", "hired", "op", "hires", "employer", []),
    _did("rescued", "rescued", "pp", "rescues", "rescuer"),
    _did(
        "succeeded",
        "succeeded",
        "pp",
        "succeeds",
        "successor",
        [
            "B (preceded|came before|was followed by) A",
            "A (followed|came after) B",
            *flip(noun("predecessor")),
        ],
    ),
    _does("admires", "admired", "pp", "admired", "admirer", one_of("admirer")),
    _does(
        "supervises",
        "supervised",
        "pp",
        "supervised",
        "supervisor|boss",
        [
            "B <v:reports/reported/reported> to A",
            "B <v:works/worked/worked> (under|for) A",
            *verb("oversees", "oversaw", "overseen"),
        ],
    ),
    # ownership, organisations, work
    _does(
        "owns",
        "owned",
        "pt",
        "owned",
        "owner",
        ["B <v:belongs/belonged/belonged> to A", "B <cop> the property of A"],
    ),
    Relation(
        "belongs to",
        False,
        "tp",
        ("A belongs to B.",),
        flip(
            (
                *verb("owns", "owned", "owned"),
                *noun("owner"),
                "B <v:belongs/belonged/belonged> to A",
                "B <cop> (the )?property of A",
                "B is A's",
            )
        ),
    ),
    _does("sponsors", "sponsored", "om", "sponsored", "sponsor", one_of("sponsor")),
    _does("manages", "managed", "pt", "managed", "manager"),
    _does(
        "supplies",
        "supplied",
        "oo",
        "supplied",
        "supplier",
        [
            *one_of("supplier", "suppliers"),
            "B <v:gets/got/got> (its |their )?supplies from A",
            *flip(one_of("customer")),
        ],
    ),
    _does("guards", "guarded", "pt", "guarded", "guard|guardian", one_of("guard")),
    _does("repairs", "repaired", "pt", "repaired", "repairer"),
    Relation(
        "works for",
        False,
        "po",
        ("A works for B.", "A is employed by B."),
        (
            "A <v:works/worked/worked> (for|at) B",
            *flip(verb("employs", "employed", "employed")),
            *one_of("employee"),
            *flip(noun("employer")),
            "B <cop> (the <one>|where|the place where) A <v:works/worked/worked>( for)?",
        ),
    ),
    Relation(
        "member",
        False,
        "po",
        ("A is a member of B.", "A belongs to B."),
        (
            *one_of("member"),
            "A <v:belongs/belonged/belonged> to B",
            "B <v:includes/included/included> A",
            "B <v:counts/counted/counted> A (among|as one of) its members",
            "B <has> (a |the )?member A",
        ),
    ),
    # roles
    Relation(
        "chair",
        False,
        "po",
        tuple(s.replace("{n}", "chair") for s in _NOUN_SOURCES),
        (*noun("chair", "chairperson"), *verb("chairs", "chaired", "chaired")),
    ),
    Relation(
        "role of an organisation",
        False,
        "po",
        tuple(s.replace("{n}", "{w}") for s in _NOUN_SOURCES),
        noun("{w}"),
        tuple(_OF_AN_ORGANISATION.split("|")),
    ),
    Relation(
        "office of a place",
        False,
        "pc",
        tuple(s.replace("{n}", "{w}") for s in _NOUN_SOURCES),
        noun("{w}"),
        tuple(_OF_A_PLACE.split("|")),
    ),
    Relation(
        "captain",
        False,
        "pb",
        tuple(s.replace("{n}", "captain") for s in _NOUN_SOURCES),
        (*noun("captain"), *verb("captains", "captained", "captained")),
    ),
    # places
    Relation(
        "capital",
        False,
        "cc",
        tuple(s.replace("{n}", "capital") for s in _NOUN_SOURCES),
        noun("capital", "capital city"),
    ),
    Relation(
        "lies in",
        False,
        "lc",
        ("A lies in B.", "A is located in B."),
        (
            "A (is|lies|is located|is situated|is found|can be found|sits) (in|within|inside) B",
            "in B (is|lies|sits|there is) A",
            "B (is|contains|has|includes) A",
            "B is (the )?(home to|home of|location of|site of|place of) A",
            "B is (where|the place where) A (is|lies|is located|is situated|can be found|sits)( "
            "in)?",
            "B is (the )?(place|region|country|city|area) (in which|that contains|where) A?( is "
            "located| lies)?",
            "the location of A is B",
            "A's location is B",
            "B is A's location",
        ),
    ),
    Relation(
        "lives in",
        False,
        "pc",
        ("A lives in B.", "A's home is in B."),
        (
            "A (lives|resides|is living|dwells) in B",
            "A is (a|one) resident of B",
            "A is (one of )?B's residents?",
            "A's home is (in )?B",
            "A has (a|their) home in B",
            "(the )?home of A is (in )?B",
            "in B lives A",
            "B is (the |a )?home (to|of) A",
            "B is A's home",
            "B is (where|the place where|the place) A (lives|resides)( in)?",
            "B is the (city|town|place|country) (where|in which|that) A (lives|resides)( in)?",
            "B is where A's home is",
            "(a|one) resident of B is A",
            "B is A's (place of residence|home town|hometown)",
            "one of B's residents is A",
        ),
    ),
    Relation(
        "born in",
        True,
        "pc",
        ("A was born in B.", "The birthplace of A is B."),
        (
            "A <pas> born in B",
            "(the )?(birthplace|place of birth) of A (is|was) B",
            "A's (birthplace|place of birth) (is|was) B",
            "B (is|was) (where|the place where|the place) A was born( in)?",
            "B (is|was) the (city|town|place|country) (where|in which|that) A was born( in)?",
            "B (is|was) (the )?(birthplace|place of birth) of A",
            "B (is|was) A's (birthplace|place of birth)",
            "in B A was born",
            "in B was born A",
            "B saw the birth of A",
        ),
    ),
    Relation(
        "north of",
        False,
        "cc",
        ("A lies north of B.", "A is north of B."),
        (
            "A (is|lies|sits|is located|is situated) (to the )?north of B",
            "B (is|lies|sits|is located|is situated) (to the )?south of A",
            "(to the )?north of B (is|lies) A",
            "(to the )?south of A (is|lies) B",
        ),
    ),
    _symmetric(
        "borders",
        "cc",
        ("A borders B.", "A shares a border with B."),
        (
            *verb("borders", "bordered", "bordered"),
            "A shares (a|its) border with B",
            "A and B (share a border|border each other|border one another)",
            "A is on the border (of|with) B",
            "A is (a )?neighbou?r(ing)? (of|to) B",
        ),
    ),
    Relation(
        "flows into",
        False,
        "ry",
        ("A flows into B.",),
        (
            "A (flows|runs|empties|drains) (in)?to B",
            "B (is fed|is filled|is supplied) by A",
            "B (gets|receives|takes) (its |the )?(water|waters) (from|of) A",
            "B is (where|the place where|the lake|the lake that|what) A (flows|runs|empties)( "
            "into| to)?",
            "into B flows A",
        ),
    ),
    # part and whole
    Relation(
        "part of",
        False,
        "cc",
        ("A is part of B.", "A is a part of B."),
        (
            "A is (a )?(part|region|district) of B",
            "A belongs to B",
            "B (includes|contains|has|comprises) A",
            "(a|one) part of B is A",
            "B has A as (a|one) part",
            "one of B's parts is A",
            "B is (the )?(whole|place|country|region) (of which|that) A is (a )?part( of)?",
            "A is one of B's parts",
            "A is one of the parts of B",
            "A is in B",
        ),
    ),
    # order in time
    Relation(
        "before",
        True,
        "ee",
        ("A took place before B.", "A happened before B.", "A came before B."),
        (
            "A (took place|happened|came|was|occurred|was held) (before|prior to|earlier than) B( "
            "did)?",
            "A preceded B",
            "A <pas> followed by B",
            "B (took place|happened|came|was|occurred|was held) (after|later than|following) A( "
            "did)?",
            "B (followed|came after|succeeded) A",
            "B <pas> preceded by A",
            "after A (came|was|happened) B",
            "after A B (took place|happened|came|occurred)",
            "before B (came|was|happened) A",
            "before B A (took place|happened|came|occurred)",
        ),
    ),
    Relation(
        "preceded",
        True,
        "ee",
        ("A preceded B.", "B followed A."),
        (
            "A (took place|happened|came|was|occurred) (before|prior to|earlier than) B",
            "A preceded B",
            "A <pas> followed by B",
            "A was (the )?predecessor of B",
            "B (took place|happened|came|was|occurred) (after|later than|following) A",
            "B (followed|came after|succeeded) A",
            "B <pas> preceded by A",
            "B was (the )?successor of A",
        ),
    ),
    # comparison
    _than("larger", "ll", "(?:large|big)", "larger|bigger", "smaller|littler"),
    _than("heavier", "tt", "heavy", "heavier", "lighter"),
    _than("older", "pp", "old", "older", "younger"),
    _than("louder", "tt", "loud", "louder|noisier", "quieter|softer"),
    Relation(
        "more",
        False,
        "kk",
        ("A are more {w} than B.",),
        compared("{w}", "more {w}", "less {w}"),
        ("dangerous", "fragile", "popular", "nervous", "colourful"),
    ),
    Relation(
        "less",
        False,
        "kk",
        ("A are less {w} than B.",),
        flip(compared("{w}", "more {w}", "less {w}")),
        ("common", "stubborn", "playful", "venomous", "intelligent"),
    ),
    Relation(
        "as as",
        False,
        "kk",
        ("A are as {w} as B.",),
        both(
            [
                "A are (just |exactly |equally )?as {w} as B( are)?",
                "A and B are equally {w}",
                "A are no (less|more) {w} than B",
            ]
        ),
        ("rare", "noisy", "curious", "clumsy", "patient"),
    ),
    # transfer
    Relation(
        "gave",
        True,
        "ptp",
        ("A gave B to C.", "A gave C B.", "B was given to C by A."),
        (
            *verb("gives", "gave", "given", " to C"),
            "A gave C B",
            "C (was given|received|got|has received|had received) B (from|by) A",
            "C (received|got) from A B",
            "C (is|was) the <one> (who|that) (received|got) B from A",
            "C (is|was) the <one> (who|that|to whom|whom)? ?A gave B( to)?",
            "C (is|was) who A gave B to",
            "B went from A to C",
            "B (was|is) a (gift|present) (from A to C|to C from A)",
            "B was received (from A by C|by C from A)",
            "(the )?(recipient|receiver) of B (from A )?(was|is) C",
            "C (is|was) the (recipient|receiver) of B from A",
        ),
    ),
    Relation(
        "lent",
        True,
        "ptp",
        ("A lent B to C.", "C borrowed B from A."),
        (
            *verb("lends", "lent", "lent", " to C"),
            "A lent C B",
            "C borrowed B from A",
            "B was borrowed (from A by C|by C from A)",
            "C (was lent) B by A",
            "C (is|was) the <one> (who|that) borrowed B from A",
            "C (is|was) the <one> (who|that|to whom)? ?A lent B( to)?",
            "A (is|was) the <one> (who|that) lent (B to C|C B)",
        ),
    ),
    Relation(
        "sold",
        True,
        "ptp",
        ("A sold B to C.", "C bought B from A."),
        (
            *verb("sells", "sold", "sold", " to C"),
            "A sold C B",
            "C (bought|purchased|acquired) B from A",
            "B was (bought|purchased|acquired) (from A by C|by C from A)",
            "C (is|was) the <one> (who|that) (bought|purchased) B from A",
            "C (is|was) the <one> (who|that|to whom)? ?A sold B( to)?",
            "C was sold B by A",
            "(the )?buyer of B (from A )?(was|is) C",
            "C (is|was) the (buyer|purchaser) of B from A",
            "A (is|was) the <one> (who|that) sold (B to C|C B)",
        ),
    ),
    # naming
    Relation(
        "also known as",
        False,
        "xc",
        ("A is also known as B.", "B is another name for A."),
        both(
            [
                "A (is|was) (also|otherwise|sometimes)? ?(known|called|named|referred to)( as)? B",
                "A is (another|the other|a different|an alternative|a second) name (for|of) B",
                "another name (for|of) A is B",
                "A is the same (as|place as) B",
                "A is (also )?B",
                "A and B are the same( place)?",
                "A is an alias (of|for) B",
                "A is the <one> (also )?(known|called)( as)? B",
            ]
        ),
    ),
    Relation(
        "named after",
        True,
        "tp",
        ("A was named after B.",),
        (
            "A (was|is) (named|called) (after|for|in honou?r of) B",
            "A (gets|got|takes|took|has|had) its name from B",
            "B (gave|lent|gives) (its |their |his |her |a )?name to A",
            "B gave A its name",
            "B (is|was) (the )?(<one>|namesake) (after whom|that|who|whom|of)? ?A( (was|is) "
            "named( after)?)?",
            "B (is|was) who A (was|is) named after",
            "B (is|was) the source of A's name",
            "after B A was named",
            "A's namesake (is|was) B",
            "B's name was given to A",
        ),
    ),
    # attributes
    Relation(
        "attribute",
        False,
        "ac",
        ("A is the {w} of B.", "The {w} of B is A.", "B's {w} is A."),
        noun("{w}"),
        ("national flower", "official anthem", "favourite dish", "main export", "patron animal"),
    ),
    # kinds
    Relation(
        "all are",
        False,
        "kk",
        ("All A are B.", "Every Asing is a Bsing."),
        (
            "(all|all the) A are B",
            "(every|each|any|an?) Asing is an? Bsing",
            "(some|many) B are A",
            "B include (all |the )?A",
            "anything that is an? Asing is an? Bsing",
            "if something is an? Asing,? (then )?it is an? Bsing",
            "(anything|something|whatever) that is not an? Bsing is not an? Asing",
            "only B are A",
            "B are the only (ones|things) that are A",
            "among (the )?B are (all )?(the )?A",
            "some Bsing is an? Asing",
        ),
    ),
    Relation(
        "no are",
        False,
        "kk",
        ("No A are B.",),
        both(
            [
                "no A are B",
                "A are no B",
                "no Asing is an? Bsing",
                "A are (not|never) B",
                "(if something is|anything that is) an? Asing,?( it)? is not an? Bsing",
                "none of (the )?A are B",
                "not? (any|a single) A are B",
            ]
        ),
    ),
    Relation(
        "some are",
        False,
        "kk",
        ("Some A are B.",),
        both(
            [
                "some( of the)? A are( also)? B",
                "some Asing is an? Bsing",
                "there are A (that|which|who) are B",
                "at least one Asing is an? Bsing",
            ]
        ),
    ),
)
