"""Augment: facts -> kept examples, each with its origin, and rejected ones, each with its reason.

Premises are found, operators make prompts of them, an engine writes, filters judge. All that is
written stands in the journal, so that a run resumes to the same bytes. Nothing here trains, and no
filter changes a text.
"""
