"""Files in which an exchange, or a program that keeps its trades, tells an account's history: text in, rows out."""
