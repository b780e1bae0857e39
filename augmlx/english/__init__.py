"""English: what is known of the language, as pure functions over texts.

From words (text, stems, verbs, nouns, adjectives) over names and arguments (names, sentence) to who
does what (relation, roles, scope) and statements as logic. Word lists stand in lexicon.toml, and
the nouns that name people in people.toml, alone.
It objects only where it recognises something, and never reads a file of the user's or asks a model.
"""
