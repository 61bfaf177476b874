"""Routes of the books: the seeds' five, single trades, balances."""

from django.urls import path

from portfolio import (
    api,
    brackets_api,
    explain_api,
    fees_api,
    orders_api,
    performance_api,
    reported_api,
    transfers_api,
)

urlpatterns = [
    path("api/positions/open", api.OpenPositionsView.as_view(), name="open-positions"),
    path("api/positions/reported", reported_api.ReportedPositionsView.as_view(), name="reported-positions"),
    path("api/trades/history", api.TradeHistoryView.as_view(), name="trade-history"),
    path("api/trades/pairs", api.PairsView.as_view(), name="trade-pairs"),
    path("api/trades/<int:trade_id>", api.TradeView.as_view(), name="trade"),
    path("api/trades/<int:trade_id>/explain", api.TradeExplanationView.as_view(), name="trade-explanation"),
    path("api/explain/trade/<int:trade_id>", explain_api.TradeTreeView.as_view(), name="explain-trade"),
    path(
        "api/explain/position/<int:position_id>",
        explain_api.PositionTreeView.as_view(),
        name="explain-position",
    ),
    path(
        "api/explain/snapshot/<str:snapshot_id>",
        explain_api.SnapshotTreeView.as_view(),
        name="explain-snapshot",
    ),
    path("api/explain/day/<str:day>", explain_api.DayTreeView.as_view(), name="explain-day"),
    path("api/explain/metric/<str:metric_id>", explain_api.MetricTreeView.as_view(), name="explain-metric"),
    path("api/orders/<int:order_id>", orders_api.OrderView.as_view(), name="order"),
    path("api/strategies/prefixes", orders_api.PrefixesView.as_view(), name="strategy-prefixes"),
    path(
        "api/strategies/prefixes/<int:prefix_id>",
        orders_api.PrefixView.as_view(),
        name="strategy-prefix",
    ),
    path("api/performance/metrics", performance_api.PerformanceView.as_view(), name="performance-metrics"),
    path("api/performance/strategies", performance_api.StrategiesView.as_view(), name="strategies"),
    path("api/transfers/<int:transfer_id>", transfers_api.TransferView.as_view(), name="transfer"),
    path("api/own-transfers", transfers_api.PairsView.as_view(), name="own-transfers"),
    path(
        "api/own-transfers/<int:pair_id>/confirm",
        transfers_api.ConfirmView.as_view(),
        name="own-transfer-confirm",
    ),
    path(
        "api/own-transfers/<int:pair_id>/reject",
        transfers_api.RejectView.as_view(),
        name="own-transfer-reject",
    ),
    path("api/brackets", brackets_api.BracketsView.as_view(), name="brackets"),
    path("api/brackets/<int:order_id>", brackets_api.BracketView.as_view(), name="bracket"),
    path("api/fees", fees_api.FeesView.as_view(), name="fees"),
    path("api/fees/summary", fees_api.FeeSummaryView.as_view(), name="fees-summary"),
    path("api/portfolio/snapshot", api.SnapshotView.as_view(), name="portfolio-snapshot"),
    path("api/portfolio/equity-curve", api.EquityCurveView.as_view(), name="equity-curve"),
    path("api/balances", api.BalancesView.as_view(), name="balances"),
]
