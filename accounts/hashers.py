"""Password hashing: Argon2id with parameters OWASP ASVS approves (46 MiB, one pass, one lane), about 80 ms."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2id(Argon2PasswordHasher):
    time_cost = 1
    memory_cost = 47104
    parallelism = 1
