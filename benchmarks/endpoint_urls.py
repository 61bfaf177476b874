"""The project's paths, and the same rows as PostgreSQL makes JSON of them, behind the same authentication and door."""

from typing import Any, Final, cast

from django.db import connection
from django.http import HttpResponse
from django.urls import path
from rest_framework.request import Request

from accounts.models import User
from config.urls import urlpatterns as project
from core.django import tenancy
from core.django.views import Endpoint

# What the answers hold, by hand, as directly as the tables allow.
STATEMENTS: Final = {
    "trades": """
SELECT json_build_object('trades', (SELECT json_agg(row_to_json(x)) FROM (
    SELECT t.*, b.asset, b.currency, e.max_drawdown, e.max_runup
    FROM portfolio_trade t JOIN portfolio_position p ON p.id = t.position_id JOIN portfolio_book b ON b.id = p.book_id
    LEFT JOIN portfolio_excursion e ON e.trade_id = t.id
    WHERE t.user_id = %(user)s AND t.kind = 'TRADE' AND t.exit_time >= now() - interval '1 year'
    ORDER BY t.exit_time DESC, t.id DESC LIMIT 101) x),
  'totals', (SELECT json_build_object('trades', sum(total_trades), 'net', sum(total_net_pnl))
    FROM portfolio_performancemetric WHERE user_id = %(user)s AND period_type = 'DAILY' AND strategy = ''
      AND account_id IS NOT NULL AND period_start >= now() - interval '1 year'))::text
""",
    "curve": """
SELECT json_build_object('data_points', (SELECT json_agg(row_to_json(x)) FROM (
  SELECT snapshot_date AS date, total_balance AS balance, unrealized_pnl, flows, unexplained, funding,
    sum(realized_pnl) OVER (ORDER BY snapshot_date) AS realized_pnl,
    greatest(flows, 0) AS deposits, greatest(-flows, 0) AS withdrawals,
    grade, grade_reason, is_reconstructed, is_final
  FROM portfolio_portfoliosnapshot
  WHERE user_id = %(user)s AND snapshot_date >= (now() - interval '1 year')::date ORDER BY snapshot_date) x))::text
""",
    "metrics": """
SELECT row_to_json(m)::text FROM portfolio_performancemetric m
WHERE user_id = %(user)s AND account_id IS NULL AND period_type = 'ALL_TIME' AND strategy = ''
""",
    "snapshot": """
SELECT json_build_object('snapshot', row_to_json(s), 'assets', (
  SELECT json_agg(row_to_json(a)) FROM portfolio_assetsnapshot a WHERE a.snapshot_id = s.id))::text
FROM (SELECT * FROM portfolio_portfoliosnapshot WHERE user_id = %(user)s ORDER BY snapshot_date DESC LIMIT 1) s
""",
}


class ByHandView(Endpoint):
    def get(self, request: Request, name: str) -> HttpResponse:
        user_id: Any = cast("User", request.user).id
        with tenancy.acting_as(user_id), connection.cursor() as cursor:
            cursor.execute(STATEMENTS[name], {"user": user_id})
            (body,) = cast("tuple[str]", cursor.fetchone())
        return HttpResponse(body, content_type="application/json")


urlpatterns = [*project, path("by-hand/<str:name>", ByHandView.as_view())]
