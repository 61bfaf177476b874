"""The back door for another process: `/__faults` (GET, POST, DELETE) and `/__truth` (GET). No part of an
exchange's protocol."""

import json
from collections.abc import Callable

from exchanges.simulators import late
from exchanges.simulators.faults import Faults, UnknownFault
from exchanges.simulators.server import Request, Response
from exchanges.simulators.truth import Json
from exchanges.simulators.world import World

PREFIX = "/__"


def answer(request: Request, world: World, faults: Faults, tell: Callable[[], Json]) -> Response:
    """`tell` gives the truth in the exchange's own ids."""
    if request.path == "/__truth" and request.method == "GET":
        return Response(200, _encode(tell()))
    if request.path != "/__faults":
        return Response(404, b'{"error":"unknown path"}')
    if request.method == "DELETE":
        faults.clear()
    elif request.method == "POST":
        try:
            _inject(json.loads(request.body), world, faults)
        except (KeyError, TypeError, ValueError, UnknownFault, late.NothingToReport) as error:
            return Response(400, _encode({"error": str(error)}))
    return Response(200, _encode(faults.as_json()))


def _inject(rule: dict[str, object], world: World, faults: Faults) -> None:
    """A rule with the properties of `Fault`, or `{"action": "late_fill", "account", "symbol", "days",
    "newest_id"}`."""
    properties = dict(rule)
    action = str(properties.pop("action"))
    if action != "late_fill":
        faults.add(action, **properties)
        return
    world.report_late_fill(
        str(properties["account"]),
        str(properties["symbol"]),
        days=int(str(properties.get("days", 2))),
        newest_id=properties.get("newest_id") is True,
    )


def _encode(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
