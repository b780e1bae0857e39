"""A process of a team that is not its first: it trains along, and writes nothing.

The first process does what it does alone: it holds the lock, skips what is finished, and writes.
The others need the run folder's settings and data, on their own machine or on a shared one, and the
model in their store.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from augmlx.core.progress import Silent
from augmlx.core.run_folder import RunFolder
from augmlx.core.settings import Settings
from augmlx.data import stage as split_stage
from augmlx.models import memory
from augmlx.models.store import folder as store

if TYPE_CHECKING:
    from augmlx.training.team import Team


def follow(run: RunFolder, settings: Settings, team: Team) -> None:
    """Train along, if the first process finds that there is something to train.

    Raises what a training by itself raises, and RunError where the data, settings or model are not
    the first one's.
    """
    from augmlx.training import fit

    if not team.begin(False):
        return
    model = store.find(settings.model)
    rows, valid = split_stage.dealt(run)
    anchors, unknown = json.loads(team.text_from_first(""))
    ready = fit.prepare(model, rows, settings, valid, anchors, unknown)
    with memory.limited(settings.memory, True):
        fit.fit(ready, run.path, progress=Silent(), label="", team=team)
