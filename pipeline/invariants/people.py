"""Whose rows they are, log-ins, and the walls themselves as the catalogue has them."""

from typing import Final

from pipeline.invariants.rule import Rule

_OWNED: Final = """
  SELECT c.oid, c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'account_id'
  JOIN pg_attribute u ON u.attrelid = c.oid AND u.attname = 'user_id'
  WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace"""

RULES: Final = (
    Rule(
        "a refresh token has one child, and was used if it has",
        "accounts_refreshtoken",
        """
SELECT p.id, count(c.id) AS children FROM accounts_refreshtoken p JOIN accounts_refreshtoken c ON c.parent_id = p.id
GROUP BY p.id, p.used_at HAVING count(c.id) > 1 OR p.used_at IS NULL""",
    ),
    Rule(
        "a child is of its parent's family",
        "accounts_refreshtoken",
        """
SELECT c.id, c.session_id, p.session_id AS parents FROM accounts_refreshtoken c
JOIN accounts_refreshtoken p ON p.id = c.parent_id WHERE p.session_id <> c.session_id""",
    ),
    Rule(
        "a family has one living token at most, of a session that lives",
        "accounts_refreshtoken",
        """
SELECT t.session_id, count(*) AS alive FROM accounts_refreshtoken t JOIN accounts_session s ON s.id = t.session_id
WHERE t.used_at IS NULL AND t.expires_at > now() AND s.revoked_at IS NULL
GROUP BY t.session_id HAVING count(*) > 1""",
    ),
    Rule(
        "nothing is alive that belongs to a deleted user",
        "accounts_user",
        """
SELECT u.id, 'session' AS what FROM accounts_user u JOIN accounts_session s ON s.user_id = u.id
WHERE u.is_deleted AND s.revoked_at IS NULL AND s.expires_at > now()
UNION ALL
SELECT u.id, 'token' FROM accounts_user u JOIN accounts_apitoken t ON t.user_id = u.id
WHERE u.is_deleted AND t.revoked_at IS NULL AND t.expires_at > now()
UNION ALL
SELECT u.id, 'key' FROM accounts_user u JOIN credentials_apicredential k ON k.user_id = u.id
WHERE u.is_deleted""",
    ),
    Rule(
        "every table with an owner has row-level security, with a check of what is written",
        "accounts_user",
        f"""
SELECT t.relname AS table FROM ({_OWNED}) t JOIN pg_class c ON c.oid = t.oid
WHERE NOT c.relrowsecurity OR NOT EXISTS (
  SELECT FROM pg_policies p WHERE p.tablename = t.relname AND 'cgt_app' = ANY(p.roles) AND p.with_check IS NOT NULL)""",
    ),
    # It begins with the owner, the account, or a key of ours that belongs to one; never with an exchange's id alone.
    Rule(
        "what is unique is so for its owner",
        "accounts_user",
        f"""
SELECT t.relname AS table, i.indexrelid::regclass::text AS index, a.attname AS begins_with
FROM ({_OWNED}) t JOIN pg_index i ON i.indrelid = t.oid AND i.indisunique AND NOT i.indisprimary
JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = i.indkey[0]
WHERE a.attname NOT IN ('user_id', 'account_id') AND a.atttypid NOT IN ('uuid'::regtype, 'int8'::regtype)""",
    ),
)
