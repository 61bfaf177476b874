"""Model fields shared by every room."""

from decimal import Decimal
from typing import Any

from django.db import models

from core import money


class MoneyField(models.DecimalField[Decimal | str | int, Decimal]):
    """NUMERIC(38,18): prices, quantities and amounts, exactly."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["max_digits"] = money.DIGITS
        kwargs["decimal_places"] = money.PLACES
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        del kwargs["max_digits"], kwargs["decimal_places"]
        return name, path, args, kwargs


class PercentField(models.DecimalField[Decimal | str | int, Decimal]):
    """Percentages × 100 and ratios with four decimals, wide enough for any of them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["max_digits"] = 24
        kwargs["decimal_places"] = 4
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        del kwargs["max_digits"], kwargs["decimal_places"]
        return name, path, args, kwargs
