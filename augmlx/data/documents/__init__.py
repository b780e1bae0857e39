"""Documents (.docx, .html, .pdf) -> statements, each by a library that is only loaded for it.

Headings, tables and what only serves the page are left out and named; no text is made up.
"""
