"""Who has work to do, over all users: short reads and claims as the system. The work itself is done per owner."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection

from core.django import tenancy
from credentials.models import ExchangeAccount, KeyState
from exchanges import registry
from pipeline import breakers, cursors, runs, schedule

PLACE: Final = "dispatch-due-work"
HINTED_AGAIN: Final = timedelta(minutes=1)  # a queued run nobody took: its hint was lost

# Somebody came back: what was to wait for up to an hour is due again three minutes after it was read.
_HASTEN = """
UPDATE pipeline_synccursor c SET due_at = c.last_ok_at + %(prompt)s
FROM credentials_exchangeaccount a JOIN accounts_user u ON u.id = a.user_id
WHERE a.id = c.account_id AND u.seen_at > %(seen)s AND c.stream = ANY(%(streams)s)
  AND c.error_count = 0 AND c.due_at > c.last_ok_at + %(prompt)s
"""
_CLOSE_DEAD = """
UPDATE pipeline_syncrun SET status = 'failed', finished_at = %(now)s, step = '', error_kind = %(kind)s,
  error_detail = %(detail)s
WHERE status = 'running' AND heartbeat_at < %(dead)s
"""
_DUE = """
SELECT a.id AS account_id, a.user_id FROM credentials_exchangeaccount a JOIN accounts_user u ON u.id = a.user_id
WHERE a.is_active AND a.key_state <> %(disabled)s AND a.exchange = ANY(%(exchanges)s) AND NOT u.is_deleted
  AND NOT EXISTS (SELECT FROM pipeline_syncrun r WHERE r.account_id = a.id AND r.status IN ('queued', 'running'))
  AND (
    EXISTS (
      SELECT FROM pipeline_synccursor c
      WHERE c.account_id = a.id AND c.due_at <= %(now)s AND (c.leased_until IS NULL OR c.leased_until <= %(now)s)
    )
    OR NOT EXISTS (SELECT FROM pipeline_synccursor c WHERE c.account_id = a.id)
  )
LIMIT %(limit)s
"""
# A queued run is the claim: of two dispatchers one inserts it, and only that one sends the hint.
_QUEUE = f"""
INSERT INTO pipeline_syncrun
  (user_id, account_id, trigger, status, requested_at, heartbeat_at, step, steps_done, steps_total, counts,
   rejected_count, error_kind, error_detail)
SELECT user_id, account_id, 'schedule', 'queued', %(now)s, %(now)s, '', 0, 0, '{{}}'::jsonb, 0, '', ''
FROM ({_DUE}) AS due
ON CONFLICT DO NOTHING RETURNING account_id
"""
_HINT_AGAIN = """
UPDATE pipeline_syncrun SET heartbeat_at = %(now)s
WHERE id IN (
  SELECT id FROM pipeline_syncrun
  WHERE status = 'queued' AND (heartbeat_at IS NULL OR heartbeat_at < %(lost)s)
  ORDER BY requested_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
RETURNING account_id
"""
_STALE = """
SELECT DISTINCT b.user_id, b.account_id FROM portfolio_book b
WHERE b.stale_from IS NOT NULL AND (b.blocked_reason <> '') = %(waiting)s
  AND NOT EXISTS (SELECT FROM pipeline_syncrun r WHERE r.account_id = b.account_id AND r.status = 'running')
LIMIT %(limit)s
"""
_UNFINISHED_DAYS = """
SELECT a.user_id, a.id FROM credentials_exchangeaccount a
WHERE a.is_active AND EXISTS (SELECT FROM portfolio_walletbalance w WHERE w.account_id = a.id)
  AND NOT EXISTS (
    SELECT FROM portfolio_portfoliosnapshot s
    WHERE s.account_id = a.id AND s.snapshot_date = %(yesterday)s AND s.is_final
  )
ORDER BY random() LIMIT %(limit)s -- those that wait for an exchange must not keep the others waiting
"""
_UNMEASURED = """
SELECT a.user_id, a.id FROM credentials_exchangeaccount a
JOIN portfolio_accountmark m ON m.account_id = a.id AND m.excursions_from IS NOT NULL
ORDER BY random() LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class Owned:
    """An account with its owner: what a door needs."""

    user_id: UUID
    account_id: UUID


def claim_due_accounts(limit: int, *, at: datetime) -> list[UUID]:
    """Accounts whose run is queued by this call, or was queued and forgotten; at most `limit` of each."""
    asked: dict[str, Any] = {
        "now": at,
        "seen": at - schedule.SEEN_LATELY,
        "prompt": schedule.PROMPT,
        "streams": [each.value for each in schedule.STATES],
        "dead": at - cursors.LEASE,
        "kind": runs.INTERRUPTED,
        "detail": runs.STOPPED_SHORT,
        "lost": at - HINTED_AGAIN,
        "disabled": KeyState.DISABLED.value,
        "exchanges": sorted(set(registry.supported()) - breakers.stopped(now=at)),  # the others stay due
        "limit": limit,
    }
    with tenancy.as_system(PLACE), connection.cursor() as cursor:
        cursor.execute(_HASTEN, asked)
        cursor.execute(_CLOSE_DEAD, asked)
        cursor.execute(_HINT_AGAIN, asked)
        claimed = [account_id for (account_id,) in cursor.fetchall()]
        cursor.execute(_QUEUE, asked)
        return [*claimed, *(account_id for (account_id,) in cursor.fetchall())]


def owners(account_ids: list[UUID]) -> list[Owned]:
    """The owners of accounts, in the order asked; accounts that are closed are left out."""
    with tenancy.as_system(PLACE):
        rows = ExchangeAccount.objects.filter(id__in=account_ids, is_active=True)
        owner = dict(rows.values_list("id", "user_id"))
    return [Owned(owner[each], each) for each in dict.fromkeys(account_ids) if each in owner]


def stale_accounts(*, limit: int, waiting: bool) -> list[Owned]:
    """Accounts with stale books that no run is about to fold; `waiting`: the ones whose books lack a price."""
    return _owned(_STALE, {"limit": limit, "waiting": waiting})


def unfinished_days(*, at: datetime, limit: int) -> list[Owned]:
    """Accounts whose snapshot of yesterday is not final yet."""
    yesterday = (at - timedelta(days=1)).date()
    return _owned(_UNFINISHED_DAYS, {"yesterday": yesterday, "limit": limit})


def unmeasured_accounts(*, limit: int) -> list[Owned]:
    """Accounts with trades whose excursions nobody looked at yet."""
    return _owned(_UNMEASURED, {"limit": limit})


def _owned(sql: str, asked: dict[str, Any]) -> list[Owned]:
    with tenancy.as_system(PLACE), connection.cursor() as cursor:
        cursor.execute(sql, asked)
        return [Owned(*row) for row in cursor.fetchall()]
