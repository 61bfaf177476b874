"""How an asset is priced in a currency: by its own pair, by the inverse pair, or over a bridge."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from marketdata.models import Listing

BRIDGES: Final = ("USDT", "BTC", "USDC", "BNB", "ETH")


@dataclass(frozen=True, slots=True)
class Leg:
    """A listing on the way; inverted when it prices the currency in the asset."""

    listing_id: int
    name: str
    exchange: str
    inverted: bool

    @property
    def label(self) -> str:
        return f"{self.exchange}:{'1/' if self.inverted else ''}{self.name}"


Route = tuple[Leg, ...]


def find(*, exchange: str, assets: Collection[str], currency: str) -> dict[str, Route]:
    """The best route of each asset, in one query: direct before inverse before a bridge. No entry: no way."""
    nodes = {*assets, *BRIDGES, currency}
    legs: dict[tuple[str, str], Leg] = {}
    rows = Listing.objects.filter(
        exchange=exchange, symbol__base_asset__in=nodes, symbol__quote_asset__in=nodes
    ).order_by("-is_trading", "id")
    for listing_id, name, base, quote in rows.values_list(
        "id", "name", "symbol__base_asset", "symbol__quote_asset"
    ):
        legs.setdefault((base, quote), Leg(listing_id, name, exchange, inverted=False))
    found = {}
    for asset in assets:
        route = _route(legs, asset, currency)
        if route is not None:
            found[asset] = route
    return found


def _route(legs: dict[tuple[str, str], Leg], asset: str, currency: str) -> Route | None:
    for path in _paths(asset, currency):
        route = [_leg(legs, base, quote) for base, quote in path]
        if all(route):
            return tuple(leg for leg in route if leg)
    return None


def _paths(asset: str, currency: str) -> Iterable[tuple[tuple[str, str], ...]]:
    yield ((asset, currency),)
    for bridge in BRIDGES:
        if bridge not in (asset, currency):
            yield ((asset, bridge), (bridge, currency))


def _leg(legs: dict[tuple[str, str], Leg], base: str, quote: str) -> Leg | None:
    if direct := legs.get((base, quote)):
        return direct
    inverse = legs.get((quote, base))
    return Leg(inverse.listing_id, inverse.name, inverse.exchange, inverted=True) if inverse else None
