"""Whether this process was started together with others, as mlx.launch does it. Only the
environment is looked at.
"""

from __future__ import annotations

import os
from pathlib import Path

# What mlx.launch sets beside MLX_RANK, and the backend of mlx that it is for.
_BACKENDS = {"MLX_HOSTFILE": "ring", "MLX_JACCL_COORDINATOR": "jaccl", "NCCL_HOST_IP": "nccl"}


def backend() -> str | None:
    """The backend of mlx that connects this process to the others; None where it was started by
    itself.
    """
    if (
        os.environ.get("OMPI_COMM_WORLD_SIZE", "1") != "1"
    ):  # mlx.launch leaves MPI's processes to mpirun
        return "mpi"
    if "MLX_RANK" not in os.environ:
        return None
    found = next((name for name in _BACKENDS if os.environ.get(name)), None)
    if found is None or (found == "MLX_HOSTFILE" and _alone(Path(os.environ[found]))):
        return None
    return _BACKENDS[found]


def _alone(hosts: Path) -> bool:
    """mlx.launch with one process makes an empty file, which mlx cannot read."""
    return hosts.is_file() and not hosts.read_text("utf-8").strip()
