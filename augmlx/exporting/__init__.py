"""Exporting: a trained adapter as a folder that other tools read, with its model card; and whether
it says there what it says in MLX.

An exported folder holds no text of the user's and no path; nothing is sent anywhere.
"""

# Loads the fast BLAS and takes the Hub offline, before any module here imports mlx or
# huggingface_hub.
import augmlx.models  # noqa: F401
