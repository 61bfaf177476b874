"""Symbols, listings, candles and latest prices: shared by all users, owned by none."""

from django.db import models

from core.django.fields import MoneyField


class Symbol(models.Model):
    """A canonical pair, `BTC_USDT`."""

    symbol_name = models.CharField(max_length=40, unique=True)
    base_asset = models.CharField(max_length=20)
    quote_asset = models.CharField(max_length=20)

    def __str__(self) -> str:
        return self.symbol_name


class Listing(models.Model):
    """An exchange's own name, filters and status of a symbol. Delisted ones stay: history refers to them."""

    symbol = models.ForeignKey(Symbol, on_delete=models.PROTECT, related_name="listings")
    exchange = models.CharField(max_length=20)
    market_type = models.CharField(max_length=20, default="spot")
    name = models.CharField(max_length=40)
    status = models.CharField(max_length=30)
    is_trading = models.BooleanField()
    price_step = MoneyField(null=True)
    quantity_step = MoneyField(null=True)
    min_quantity = MoneyField(null=True)
    min_notional = MoneyField(null=True)
    settle_asset = models.CharField(
        max_length=20, blank=True, default="", db_default="", help_text="Of contracts, as the two below."
    )
    contract_size = MoneyField(null=True)
    is_inverse = models.BooleanField(default=False, db_default=False)
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["exchange", "market_type", "name"], name="listing_name_once"),
        ]

    def __str__(self) -> str:
        return f"{self.exchange}:{self.name}"


class Candle(models.Model):
    """Half-open [opened_at, opened_at + timeframe) of a listing; final once the exchange has closed it."""

    listing = models.ForeignKey(Listing, on_delete=models.PROTECT, related_name="candles")
    timeframe = models.CharField(max_length=4)
    opened_at = models.DateTimeField()
    open = MoneyField()
    high = MoneyField()
    low = MoneyField()
    close = MoneyField()
    volume = MoneyField()
    is_final = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["listing", "timeframe", "opened_at"], name="candle_once"),
            models.CheckConstraint(condition=models.Q(low__gt=0), name="candle_prices_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.listing_id} {self.timeframe} {self.opened_at:%Y-%m-%d %H:%M}"


class Ticker(models.Model):
    """The latest price of a listing and when it was read."""

    listing = models.OneToOneField(Listing, on_delete=models.PROTECT, primary_key=True, related_name="ticker")
    price = MoneyField()
    read_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.listing_id}: {self.price}"
