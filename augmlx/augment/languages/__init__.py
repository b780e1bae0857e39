"""Facts in German, French, Spanish and Chinese: which language one is written in, the words that
filters know of it, and what operators say in it. Data, one file for each language; no grammar. It
never reads English, which is what every other text is taken for: see english/.
"""
