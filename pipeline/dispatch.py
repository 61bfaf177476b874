"""Who has work to do, over all users: short reads and claims as the system. The work itself is done per owner."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection

from core.django import tenancy
from credentials.models import ExchangeAccount, KeyState
from exchanges import registry
from pipeline import breakers, cursors, pace, runs, schedule
from portfolio import excursions

PLACE: Final = "dispatch-due-work"
HINTED_AGAIN: Final = timedelta(minutes=1)  # a queued run nobody took: its hint was lost

# Somebody came back: what was to wait for up to an hour is due again three minutes after it was read, or as soon as
# the exchange's limit lets everybody's be read.
_HASTEN = """
UPDATE pipeline_synccursor c SET due_at = c.last_ok_at + p.prompt
FROM credentials_exchangeaccount a JOIN accounts_user u ON u.id = a.user_id
  JOIN unnest(%(exchanges)s::text[], %(prompts)s::interval[]) AS p (exchange, prompt) ON p.exchange = a.exchange
WHERE a.id = c.account_id AND u.seen_at > %(seen)s AND c.stream = ANY(%(streams)s)
  AND c.error_count = 0 AND c.due_at > c.last_ok_at + p.prompt AND c.due_at > %(now)s
"""
# By exchange: accounts whose owner looks and the others; how far the latest of them is behind what its rhythm
# promised, and how many are by half of it.
_LOAD = """
SELECT exchange, count(*) FILTER (WHERE is_active), count(*) FILTER (WHERE NOT is_active),
  coalesce(greatest(max(age - promised), interval '0'), interval '0'),
  count(*) FILTER (WHERE age > promised * 1.5)
FROM (
  SELECT a.exchange, coalesce(u.seen_at > %(seen)s, false) AS is_active,
    %(now)s - coalesce(c.last_ok_at, a.created_at) AS age,
    CASE WHEN u.seen_at > %(seen)s THEN p.prompt ELSE greatest(%(calm)s * p.calm, p.prompt) END AS promised
  FROM credentials_exchangeaccount a JOIN accounts_user u ON u.id = a.user_id
    JOIN unnest(%(names)s::text[], %(prompts)s::interval[], %(calms)s::float8[]) AS p (exchange, prompt, calm)
      ON p.exchange = a.exchange
    LEFT JOIN pipeline_synccursor c ON c.account_id = a.id AND c.stream = 'balances' AND c.scope = ''
  WHERE a.is_active AND a.key_state <> %(disabled)s AND NOT u.is_deleted
) AS each GROUP BY exchange
"""
# Those somebody looks at first, and of these the ones read longest ago: where a budget ends, it ends for the others.
_IN_TURN = """
SELECT a.id FROM credentials_exchangeaccount a JOIN accounts_user u ON u.id = a.user_id
  LEFT JOIN pipeline_synccursor c ON c.account_id = a.id AND c.stream = 'balances' AND c.scope = ''
WHERE a.id = ANY(%(claimed)s)
ORDER BY coalesce(u.seen_at > %(seen)s, false) DESC, c.last_ok_at NULLS FIRST, a.id
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
# Also where a worker died between a fold and what hangs on it, or somebody said of an order what its trades follow.
_STALE = """
SELECT DISTINCT user_id, account_id FROM (
  SELECT user_id, account_id FROM portfolio_book
  WHERE stale_from IS NOT NULL AND (blocked_reason <> '') = %(waiting)s
  UNION ALL
  SELECT user_id, account_id FROM portfolio_accountmark WHERE folded_from IS NOT NULL AND NOT %(waiting)s
  UNION ALL
  SELECT user_id, account_id FROM portfolio_changedday WHERE NOT %(waiting)s
) AS b
WHERE NOT EXISTS (SELECT FROM pipeline_syncrun r WHERE r.account_id = b.account_id AND r.status = 'running')
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
JOIN portfolio_accountmark m ON m.account_id = a.id AND m.excursions_from < %(settled)s
ORDER BY random() LIMIT %(limit)s
"""
_EXPORTS = """
SELECT e.user_id, e.id FROM pipeline_export e JOIN accounts_user u ON u.id = e.user_id
WHERE (e.state = 'queued' OR e.state = 'running' AND e.leased_until <= %(now)s) AND NOT u.is_deleted
ORDER BY e.requested_at LIMIT %(limit)s
"""
_EXPIRED_EXPORTS = "SELECT DISTINCT user_id FROM pipeline_export WHERE expires_at <= %(now)s LIMIT %(limit)s"


@dataclass(frozen=True, slots=True)
class Owned:
    """An account with its owner: what a door needs."""

    user_id: UUID
    account_id: UUID


def claim_due_accounts(limit: int, *, at: datetime) -> list[UUID]:
    """Accounts whose run is queued by this call, or was queued and forgotten, in their turn; at most `limit` of
    each."""
    exchanges = sorted(set(registry.supported()) - breakers.stopped(now=at))  # the others stay due
    states = find_paces(at=at)
    asked: dict[str, Any] = {
        "now": at,
        "seen": at - schedule.SEEN_LATELY,
        "prompts": [states[exchange].pace.prompt for exchange in exchanges],
        "streams": [each.value for each in schedule.STATES],
        "dead": at - cursors.LEASE,
        "kind": runs.INTERRUPTED,
        "detail": runs.STOPPED_SHORT,
        "lost": at - HINTED_AGAIN,
        "disabled": KeyState.DISABLED.value,
        "exchanges": exchanges,
        "limit": limit,
    }
    with tenancy.as_system(PLACE), connection.cursor() as cursor:
        cursor.execute(_HASTEN, asked)
        cursor.execute(_CLOSE_DEAD, asked)
        cursor.execute(_HINT_AGAIN, asked)
        claimed = [account_id for (account_id,) in cursor.fetchall()]
        cursor.execute(_QUEUE, asked)
        claimed += [account_id for (account_id,) in cursor.fetchall()]
        if len(claimed) > 1:
            cursor.execute(_IN_TURN, {**asked, "claimed": claimed})
            claimed = [account_id for (account_id,) in cursor.fetchall()]
        return claimed


def find_paces(*, at: datetime) -> dict[str, pace.State]:
    """How often each exchange's accounts are read, and their load; worked out anew every minute."""
    names = sorted(registry.supported())
    states = pace.find_all(names)
    if all(at - state.at < pace.WORKED_OUT_AGAIN for state in states.values()):
        return states
    asked: dict[str, Any] = {
        "now": at,
        "seen": at - schedule.SEEN_LATELY,
        "calm": schedule.CALMEST,
        "names": names,
        "prompts": [states[name].pace.prompt for name in names],
        "calms": [float(states[name].pace.calm) for name in names],
        "disabled": KeyState.DISABLED.value,
    }
    with tenancy.as_system(PLACE), connection.cursor() as cursor:
        cursor.execute(_LOAD, asked)
        loads = {exchange: pace.Load(*row) for exchange, *row in cursor.fetchall()}
    return {
        name: pace.work_out(exchange=name, load=loads.get(name, pace.Load(0, 0)), at=at) for name in names
    }


def owners(account_ids: list[UUID]) -> list[Owned]:
    """The owners of accounts, in the order asked; accounts that are closed are left out."""
    with tenancy.as_system(PLACE):
        rows = ExchangeAccount.objects.filter(id__in=account_ids, is_active=True)
        owner = dict(rows.values_list("id", "user_id"))
    return [Owned(owner[each], each) for each in dict.fromkeys(account_ids) if each in owner]


def stale_accounts(*, limit: int, waiting: bool) -> list[Owned]:
    """Accounts with stale books, or days that metrics do not know of, that no run is about to bring up to date;
    `waiting`: the ones whose books lack a price."""
    return _owned(_STALE, {"limit": limit, "waiting": waiting})


def unfinished_days(*, at: datetime, limit: int) -> list[Owned]:
    """Accounts whose snapshot of yesterday is not final yet."""
    yesterday = (at - timedelta(days=1)).date()
    return _owned(_UNFINISHED_DAYS, {"yesterday": yesterday, "limit": limit})


def unmeasured_accounts(*, at: datetime, limit: int) -> list[Owned]:
    """Accounts with trades whose excursions nobody looked at yet though their candles are final."""
    return _owned(_UNMEASURED, {"settled": excursions.settled(at), "limit": limit})


def waiting_exports(*, at: datetime, limit: int) -> list[tuple[UUID, int]]:
    """Files that nobody writes, the longest asked for first: whose, and which."""
    return _rows(_EXPORTS, {"now": at, "limit": limit})


def owners_of_expired_exports(*, at: datetime, limit: int) -> list[UUID]:
    """Users some of whose files are over their time."""
    return [user_id for (user_id,) in _rows(_EXPIRED_EXPORTS, {"now": at, "limit": limit})]


def _owned(sql: str, asked: dict[str, Any]) -> list[Owned]:
    return [Owned(*row) for row in _rows(sql, asked)]


def _rows(sql: str, asked: dict[str, Any]) -> list[Any]:
    with tenancy.as_system(PLACE), connection.cursor() as cursor:
        cursor.execute(sql, asked)
        rows: list[Any] = cursor.fetchall()
        return rows
