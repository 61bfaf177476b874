"""MEXC's error bodies: HTTP status, code and message as its API documents them or clients recorded them."""

from exchanges.simulators.binance_like import ApiError


def unknown() -> ApiError:
    return ApiError(500, "Internal error", status=500)


def too_many_requests(limit: int, retry_after: int) -> ApiError:
    return ApiError(429, "Too Many Requests", status=429, headers={"Retry-After": str(retry_after)})


def banned(until_ms: int, retry_after: int) -> ApiError:
    """Until when is told by the header alone."""
    return ApiError(418, "Your IP is banned.", status=418, headers={"Retry-After": str(retry_after)})


def key_required() -> ApiError:
    return ApiError(400, "api key required")


def bad_key_format() -> ApiError:
    return ApiError(700001, "API-key format invalid.")


def unknown_key() -> ApiError:
    return ApiError(10072, "Api key info invalid")


def bad_signature() -> ApiError:
    return ApiError(700002, "Signature for this request is not valid.")


def outside_window() -> ApiError:
    return ApiError(700003, "Timestamp for this request is outside of the recvWindow.")


def missing_parameter(name: str) -> ApiError:
    return ApiError(700004, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def missing_either(first: str, second: str) -> ApiError:
    return ApiError(700004, f"Param '{first}' or '{second}' must be sent, but both were empty/null!")


def bad_recv_window() -> ApiError:
    return ApiError(700005, "recvWindow must less than 60000.")


def forbidden() -> ApiError:
    return ApiError(700007, "No permission to access the endpoint.", status=403)


def illegal_parameter(name: str) -> ApiError:
    return ApiError(700008, f"Illegal characters found in parameter '{name}'.")


def bad_combination() -> ApiError:
    return ApiError(-1128, "Combination of optional parameters invalid.")


def bad_symbol() -> ApiError:
    return ApiError(-1121, "Invalid symbol.")


def bad_interval() -> ApiError:
    return ApiError(-1121, "Invalid interval.")


def no_such_order() -> ApiError:
    return ApiError(-2013, "Order does not exist.")


def no_such_key() -> ApiError:
    return ApiError(730706, "API KEY information does not exist")


def start_too_old() -> ApiError:
    return ApiError(400, "The start time cannot be earlier than 90 days")


def moves_too_old() -> ApiError:
    return ApiError(400, "Only the last six months can be queried")


def window_too_long() -> ApiError:
    return ApiError(400, "The interval between the start time and the end time cannot exceed 7 days")
