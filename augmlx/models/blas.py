"""A fast BLAS for MLX on Linux.

The mlx-cpu wheel bundles the reference BLAS, a few GFLOP/s in float32 at most. When OpenBLAS is in
the process before mlx.core and its symbols are global, the dynamic linker binds MLX's `cblas_sgemm`
to it instead: tens of times faster on two cores (`augmlx doctor` measures it). Nothing is patched;
the order is all that matters, and that it knows the CPU.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import sys
import time
from importlib import metadata
from pathlib import Path

# Threaded builds first: a serial OpenBLAS uses one core, an OpenMP one fights with other runtimes
# over threads.
_CANDIDATES = (
    "openblas-pthread/libopenblas.so.0",  # Debian and Ubuntu, below /usr/lib/TRIPLE/
    "libopenblasp.so.0",  # Fedora
    "libopenblas.so.0",
    "libopenblas.so",  # Arch
    "openblas-openmp/libopenblas.so.0",
    "libopenblaso.so.0",
    "openblas-serial/libopenblas.so.0",
)
_FOLDERS = (
    "/usr/lib/{machine}-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "/usr/local/lib64",
    "/usr/local/lib",
)

# An Intel CPU's instructions, as Linux names them, and OpenBLAS's kernels for them: the first that
# has all of its own.
_KERNELS = (
    ("SkylakeX", {"avx512f", "avx512bw", "avx512dq", "avx512vl"}),
    ("Haswell", {"avx2", "fma"}),
)
_CPUINFO = Path("/proc/cpuinfo")

_GPU_PACKAGES = ("mlx-cuda", "mlx-cuda-12", "mlx-cuda-13")

_loaded: Path | None = None


def needs_blas() -> bool:
    """Whether MLX computes on the CPU with its bundled BLAS here: Linux without a CUDA build of
    MLX.
    """
    return sys.platform.startswith("linux") and not any(map(_installed, _GPU_PACKAGES))


def load_fast_blas() -> str | None:
    """Load OpenBLAS for MLX to use; call before the first `import mlx.core`.

    Returns:
        The name of the library file in use, such as "libopenblas.so.0", or None: not needed here,
        not installed, or too late because mlx.core was imported before the first call. Safe to call
        again.
    """
    global _loaded
    if _loaded is None and needs_blas() and "mlx.core" not in sys.modules:
        _name_kernels()
        for path in _candidates():
            try:
                library = ctypes.CDLL(str(path), mode=ctypes.RTLD_GLOBAL)
            except OSError:
                continue  # a dangling link, or built for another machine
            # A 64-bit-integer or prefixed build lacks the plain symbol, and MLX would go on with
            # its own.
            if hasattr(library, "cblas_sgemm"):
                _loaded = path
                break
    return _loaded.name if _loaded is not None else None


def describe() -> str:
    """Which BLAS serves MLX in this process, in words. Does not import mlx."""
    if _loaded is not None:
        return f"OpenBLAS ({_loaded.name})"
    if sys.platform == "darwin":
        return "Accelerate / Metal"
    return "reference BLAS bundled with mlx (slow)" if needs_blas() else "CUDA"


def install_hint() -> str:
    """What to do where OpenBLAS is missing; one command for each family of Linux."""
    return (
        "install OpenBLAS, which makes MLX tens of times faster on this machine: "
        "sudo apt-get install libopenblas0-pthread (Debian, Ubuntu), "
        "sudo dnf install openblas-threads (Fedora), sudo pacman -S openblas (Arch)"
    )


def measure_gflops(size: int = 1024, repeats: int = 3) -> float:
    """Billions of floating-point operations a second of a float32 matrix product on MLX's default
    device.

    Args:
        size: n of the (n, n) by (n, n) product, which takes 2 n^3 operations.
        repeats: the best of this many counts.
    """
    import mlx.core as mx

    left, right = mx.random.normal((size, size), key=mx.random.key(0)), mx.ones((size, size))
    mx.eval(left @ right)  # warm: the first call starts the threads
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        mx.eval(left @ right)
        best = min(best, time.perf_counter() - start)
    return 2 * size**3 / best / 1e9


def _name_kernels() -> None:
    """Tell OpenBLAS, before it is loaded, which kernels to use on an Intel CPU.

    It knows CPUs by their model numbers, and has a newer one compute as the first of 64 bits did:
    0.3.21, that of Debian 12, takes Prescott's kernels on a Xeon of 2023, at a sixth of the speed.
    What OPENBLAS_CORETYPE says already stays.
    """
    try:
        lines = _CPUINFO.read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return
    told = {name.strip(): value for name, _, value in (line.partition(":") for line in lines)}
    if told.get("vendor_id", "").strip() != "GenuineIntel":
        return
    has = set(told.get("flags", "").split())
    for kernels, instructions in _KERNELS:
        if instructions <= has:
            os.environ.setdefault("OPENBLAS_CORETYPE", kernels)
            return


def _installed(package: str) -> bool:
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        return False
    return True


def _candidates() -> list[Path]:
    """Paths that may be OpenBLAS, best first; bare names are left to the dynamic linker's own
    search.
    """
    import platform

    folders = [Path(folder.format(machine=platform.machine())) for folder in _FOLDERS]
    found = [path for name in _CANDIDATES for folder in folders if (path := folder / name).exists()]
    if name := ctypes.util.find_library("openblas"):
        found.append(Path(name))
    return found
