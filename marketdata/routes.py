"""Ways from an asset to a currency over the markets of exchanges: direct, inverse, or over a bridge."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, NamedTuple

from django.conf import settings
from django.db.models import Q

from core import money
from marketdata.models import Listing

BRIDGES: Final = ("USDT", "BTC", "USDC")
DELISTED: Final = "DELISTED"  # no longer among the exchange's symbols; its history stays


class Market(NamedTuple):
    listing_id: int
    exchange: str
    name: str
    is_listed: bool


@dataclass(frozen=True, slots=True)
class Leg:
    """One market on the way; `inverse` where it is quoted in what we come from."""

    market: Market
    inverse: bool

    def source(self, what: str) -> str:
        name = f"{self.market.exchange}:{self.market.name}:{what}"
        return f"1/{name}" if self.inverse else name

    def price(self, quoted: Decimal) -> Decimal:
        """Worth of one unit of what we come from; the quotient of an inverse is rounded here, once."""
        return money.quantize(money.CONTEXT.divide(Decimal(1), quoted)) if self.inverse else quoted


Route = tuple[Leg, ...]
Markets = Mapping[tuple[str, str], Market]  # by (base, quote)


def sources(also: Collection[str] = ()) -> tuple[str, ...]:
    """The exchanges whose prices are taken, the preferred first: `PRICE_EXCHANGE`, then those given. Only exchanges
    that somebody has the asset at belong in `also`: elsewhere another coin may go by the same name."""
    return (settings.PRICE_EXCHANGE, *sorted(set(also) - {settings.PRICE_EXCHANGE}))


def markets(*, exchanges: Sequence[str], assets: Collection[str], currency: str) -> Markets:
    """Spot markets that any of the assets' routes may use, by (base, quote), of the first exchange that has them;
    one query."""
    hubs = {*BRIDGES, currency}
    outer = set(assets) - hubs
    listings = Listing.objects.filter(exchange__in=exchanges, market_type="spot").filter(
        Q(symbol__base_asset__in=hubs | outer, symbol__quote_asset__in=hubs)
        | Q(symbol__base_asset__in=hubs, symbol__quote_asset__in=outer)
    )
    rows = listings.order_by("id").values_list(
        "symbol__base_asset", "symbol__quote_asset", "id", "exchange", "name", "status"
    )
    found: dict[tuple[str, str], Market] = {}
    for base, quote, listing_id, where, name, status in rows:
        known = found.get((base, quote))
        if known is None or exchanges.index(where) <= exchanges.index(known.exchange):
            found[base, quote] = Market(listing_id, where, name, status != DELISTED)
    return found


def find(*, asset: str, currency: str, among: Markets) -> list[Route]:
    """All routes, the best first: listed before delisted, then direct, inverse, and the bridges in their order."""
    routes = list(_routes(asset, currency, among))
    return sorted(routes, key=lambda route: not all(leg.market.is_listed for leg in route))


def product(route: Route, quoted: Sequence[Decimal]) -> Decimal:
    """The price along a route, by what each leg's listing quotes."""
    price = Decimal(1)
    for leg, quote in zip(route, quoted, strict=True):
        price = money.CONTEXT.multiply(price, leg.price(quote))
    return money.quantize(price)


def source(route: Route, what: Sequence[str]) -> str:
    """What the price came from: exchange:SYMBOL:what, legs joined by `*`."""
    return "*".join(leg.source(kind) for leg, kind in zip(route, what, strict=True))


def _routes(asset: str, currency: str, among: Markets) -> Iterator[Route]:
    for leg in _legs(asset, currency, among):
        yield (leg,)
    for bridge in BRIDGES:
        if bridge in (asset, currency):
            continue
        for first in _legs(asset, bridge, among):
            for second in _legs(bridge, currency, among):
                yield (first, second)


def _legs(asset: str, currency: str, among: Markets) -> Iterator[Leg]:
    if market := among.get((asset, currency)):
        yield Leg(market, inverse=False)
    if market := among.get((currency, asset)):
        yield Leg(market, inverse=True)
