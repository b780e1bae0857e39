"""The controlled study: four worlds of invented facts whose truth is known (Lampinen et al. 2025,
arXiv 2505.00661).
"""

from collections.abc import Callable, Mapping

from augmlx.evaluation.worlds.celebrities import celebrities
from augmlx.evaluation.worlds.reversals import reversals
from augmlx.evaluation.worlds.semantic import semantic
from augmlx.evaluation.worlds.syllogisms import syllogisms
from augmlx.evaluation.worlds.world import Consequence, Document, World, write

# A generator takes the size (1.0: as many facts as the paper), the seed, and perhaps what counts
# the tokens of a text.
WORLDS: Mapping[str, Callable[..., World]] = {
    "reversals": reversals,
    "syllogisms": syllogisms,
    "celebrities": celebrities,
    "semantic": semantic,
}

__all__ = ["WORLDS", "Consequence", "Document", "World", "write"]
