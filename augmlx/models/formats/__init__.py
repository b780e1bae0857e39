"""File formats of models and adapters, each known to one module here and to no other."""
