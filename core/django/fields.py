"""Model fields shared by every room."""

from typing import Any, TypeVar

from django.db import models

from core import money

# What may be set and what is read: filled in by the type checker, optional where a field is nullable.
_Set_contra = TypeVar("_Set_contra", contravariant=True)
_Get_co = TypeVar("_Get_co", covariant=True)


class MoneyField(models.DecimalField[_Set_contra, _Get_co]):
    """NUMERIC(38,18): prices, quantities and amounts, exactly."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["max_digits"] = money.DIGITS
        kwargs["decimal_places"] = money.PLACES
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        del kwargs["max_digits"], kwargs["decimal_places"]
        return name, path, args, kwargs


class PercentField(models.DecimalField[_Set_contra, _Get_co]):
    """Percentages × 100 and ratios with four decimals, wide enough for any of them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["max_digits"] = 24
        kwargs["decimal_places"] = 4
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        del kwargs["max_digits"], kwargs["decimal_places"]
        return name, path, args, kwargs
