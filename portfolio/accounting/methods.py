"""The cost methods by name. A new one is one class like these, a place here, and its fast path's in `book`."""

from typing import Final

from portfolio.accounting.lots import Average, Fifo, Inventory
from portfolio.accounting.ranked import Hifo, Lifo

METHODS: Final[dict[str, type[Inventory]]] = {"average": Average, "fifo": Fifo, "lifo": Lifo, "hifo": Hifo}
