"""The log as a production server writes it, read back."""

import json
import logging
import logging.config
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any, Self

from core.django import logs


class Log:
    """Everything logged since it was opened, at INFO and above."""

    def __init__(self, stream: StringIO) -> None:
        self._stream = stream

    @classmethod
    @contextmanager
    def captured(cls) -> Iterator[Self]:
        parts = logs.config(level="INFO", lines="json")
        make = logging.config.DictConfigurator(parts)
        stream = StringIO()
        handler = logging.StreamHandler(stream)
        handler.setFormatter(make.configure_formatter(parts["formatters"]["json"]))
        for name in parts["handlers"]["console"]["filters"]:
            handler.addFilter(make.configure_filter(parts["filters"][name]))
        root = logging.getLogger()
        root.addHandler(handler)
        try:
            yield cls(stream)
        finally:
            root.removeHandler(handler)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._stream.getvalue().splitlines()]
