"""Money, clock, errors and the vault cipher: pure Python. Only `core.django` may import Django."""
