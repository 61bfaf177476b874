"""What a user may take away: rows of their accounts, streamed in order, as CSV or JSON Lines.

`tables` says how a row is written, `sections` and its neighbours where rows come from, `kinds` which files there are.
Needs an open door while rows are read; no file is ever whole in memory.
"""
