"""Invented names: pronounceable, no English words, of one shape, and dealt evenly over their
starts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import islice, product, zip_longest
from random import Random
from zlib import crc32

from augmlx.core.errors import BadInput
from augmlx.english.lexicon import STOPWORDS

SHARES = 8  # seeds that differ modulo this share no name
_FIRST = tuple("bdfghjklmnprstvwz")
_VOWELS = tuple("aeiou")
_MIDDLES = tuple("bdfgklmnprtvz")
_CLUSTERS = tuple(
    "rb rd rf rg rk rl rm rn rp rt rv lb ld lf lg lk lm lp lt lv mb mp nd nk nt".split()
)
# None that grammar could take for its own: -ed, -er, -en, -al, -s.
_RIMES = tuple(
    "ab ag ak am ap eb ef eg ek em ep ib if ig ik im ip ob og ok om op ot ub uf ug uk um un up "
    "ut".split()
)
SHAPES = {
    "short": (_FIRST, _VOWELS, _MIDDLES, _RIMES),  # "dolim"
    "long": (_FIRST, _VOWELS, _CLUSTERS, _RIMES),  # "zorbig"
    "first": (_FIRST, _VOWELS, _CLUSTERS, _VOWELS),  # "velda", of a person
}
# What English, or a telephone book, has of these shapes.
_KNOWN = frozenset(
    """
    bambi banda bantam bardo barge barka barlo barna bebop begot begun belga belva benta bento
    berlot berna berta bigot bilbo binda bombe bonda borne bulge bumpo burge burke burma burna dalva
    dante darla datum debug debut delma delta delve demob denim denom depot derma dilma dinda divot
    dolma dolve donde donut dorme durum falda fandom fargo ferma finde firma folke fonda forge
    forgot forma forte fulve funda galop gamba gambok gamut garda garde gerda gerta getup gigot
    gilda golda golem gombo gonda gordo gorge gulag gulpo gumbo habib hakim halma halve hanif hanko
    harem harlem harlot harpo harte harum helga helma helmut helve henka herta hilda hilum hinde
    hindi hindu honda hondo horde horne hulda hulme jabot jalap jorge julep julma jumbo junta kabob
    kanda karim karla karlo karma kazak kebab kendo kinda kirlik kodak korma kulpa lambo lanka large
    largo larva latif lenta lento letup limbo linda lindo lombok lorna lurgi madam malik malmo malta
    malva malve mamba mambo manda mande mandi manta manto marduk marge marka marko markup marla
    marlo marmot marna marta marti marva melba melva merge merlo milka milke milko milpa minda mindi
    minim minke minto mirna modem molto monde mondo monte monti motif multi mumbo munda nabob nadim
    nanda nardo narva nelda nelva nerve nikab nilot norda nordik norma norna norte novak novum palma
    palme palmi panda pando panto parka parle parma parte parve pelta penda perdu perma perme perte
    perve pilot pilum pinko pinot pinta pinto pivot polka pompe pompom ponte ponto porgi porta porte
    pulpe pulpo punka punta purge rabab ramba rambo randa randi random rebut redip remap rende renke
    renta rente rerun rimba robot ronda ronde rondo rumba rumpot rurik sabot salam salem salep salim
    salma salpa salve salvo samba sambo sambok sanda sande sandi santa santo sarda sardi sarge sarlo
    sebum seldom selig selim selma selva senda senti serge serlo serum serve servo setup silva silvo
    sinda sirta solum solve sorda sordo sorgo sorta surge talma tanda tandem tanka tanta tante
    tantum tarda tardo targa tarik tarok tarot tempi tempo tenda tende terma terme terne tilak tilda
    tilde timba timbo tinta tonda tonka torta torte totem tulip tumba tunde tupak turbo turnip vadum
    valve vanda vanta velda velma velpo velum velva velvo venda vende vendi vendo venom vento verba
    verde verdi verdun verge verna verne verte verve vilma virgo volga volta volte volva volve volvo
    vulva walda wanda wande warmup welda wendi wilda wilde wilma winda windo windu windup zanda
    zarif zelda zelma zilda zinda zonda zonta zorba zumba
    """.split()
)


@cache
def _shares(shape: str) -> tuple[tuple[str, ...], ...]:
    """All names of a shape, in shares that are about equal."""
    shares: list[list[str]] = [[] for _ in range(SHARES)]
    for parts in product(*SHAPES[shape]):
        word = "".join(parts)
        if word in _KNOWN or word in STOPWORDS:
            continue
        share = crc32(word.encode()) % SHARES
        shares[share].append(word)
    return tuple(map(tuple, shares))


class Names:
    """A supply of different names of one shape (a key of SHAPES), the same for the same seed.

    They are dealt over the first letters in turn, and no start (all but the rime) comes again
    before all of that letter were used: no name tells by its letters what it is the name of. With
    `count`, which counts a text's tokens, all have the number of tokens that most have, as they
    stand in a sentence: `spelt`, such as in the plural. None begins like one of `unlike`.
    """

    def __init__(
        self,
        shape: str,
        seed: int,
        *,
        spelt: Callable[[str], str] = str,
        count: Callable[[str], int] | None = None,
        unlike: Sequence[str] = (),
    ) -> None:
        rng = Random(f"{seed}:{shape}")
        share = _shares(shape)[seed % SHARES]
        pool = [word for word in share if not word.startswith(tuple(unlike))]
        if count is not None:
            tokens = [count(f" {spelt(word)}") for word in pool]
            [(usual, _)] = Counter(tokens).most_common(1)
            pool = [word for word, number in zip(pool, tokens, strict=True) if number == usual]
        rng.shuffle(pool)
        self._left = _dealt(pool, len(SHAPES[shape][-1][0]), rng)
        self._rng = rng

    def take(self, number: int) -> list[str]:
        """The next names, in no order. Raises BadInput where there are not so many."""
        taken = list(islice(self._left, number))
        if len(taken) < number:
            raise BadInput(
                "there are not enough names for a world of this size",
                hint="choose a smaller --size",
            )
        self._rng.shuffle(taken)
        return taken


def _dealt(pool: Sequence[str], rime: int, rng: Random) -> Iterator[str]:
    """The words of a pool over their first letters in turn; of a letter those first whose start,
    all but the `rime` last letters, has come least often.
    """
    by_letter: dict[str, list[tuple[int, str]]] = {}
    for letter in rng.sample(_FIRST, len(_FIRST)):
        by_letter[letter] = []
    times_seen: Counter[str] = Counter()
    for word in pool:
        start = word[:-rime]
        by_letter[word[0]].append((times_seen[start], word))
        times_seen[start] += 1
    for words in by_letter.values():
        words.sort(key=lambda ranked: ranked[0])
    for row in zip_longest(*by_letter.values()):
        for ranked in row:
            if ranked is not None:
                yield ranked[1]
