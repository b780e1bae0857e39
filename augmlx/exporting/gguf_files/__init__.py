"""GGUF files of a model and of an adapter, as llama.cpp, Ollama and LM Studio read them: the way
back of models/formats/gguf*.py, and nothing that those cannot read again.
"""
