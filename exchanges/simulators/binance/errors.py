"""Binance's error bodies: HTTP status, code and message as its API documents them."""

from exchanges.simulators.binance_like import ApiError


def unknown() -> ApiError:
    return ApiError(-1000, "An unknown error occurred while processing the request.", status=500)


def too_many_requests(limit: int, retry_after: int) -> ApiError:
    return ApiError(
        -1003,
        f"Too much request weight used; current limit is {limit} request weight per 1 MINUTE. "
        "Please use WebSocket Streams for live updates to avoid polling the API.",
        status=429,
        headers={"Retry-After": str(retry_after)},
    )


def banned(until_ms: int, retry_after: int) -> ApiError:
    return ApiError(
        -1003,
        f"Way too much request weight used; IP banned until {until_ms}. "
        "Please use WebSocket Streams for live updates to avoid bans.",
        status=418,
        headers={"Retry-After": str(retry_after)},
    )


def timestamp_too_old() -> ApiError:
    return ApiError(-1021, "Timestamp for this request is outside of the recvWindow.")


def timestamp_ahead() -> ApiError:
    return ApiError(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")


def bad_signature() -> ApiError:
    return ApiError(-1022, "Signature for this request is not valid.")


def bad_recv_window() -> ApiError:
    return ApiError(-1131, "recvWindow must be less than 60000.")


def illegal_parameter(name: str, legal: str) -> ApiError:
    return ApiError(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{legal}'.")


def duplicate_parameter(name: str) -> ApiError:
    return ApiError(-1101, f"Duplicate values for parameter '{name}' detected.")


def missing_parameter(name: str) -> ApiError:
    return ApiError(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def missing_either(first: str, second: str) -> ApiError:
    return ApiError(-1102, f"Param '{first}' or '{second}' must be sent, but both were empty/null!")


def unread_parameters(read: int, sent: int) -> ApiError:
    return ApiError(
        -1104, f"Not all sent parameters were read; read '{read}' parameter(s) but was sent '{sent}'."
    )


def bad_interval() -> ApiError:
    return ApiError(-1120, "Invalid interval.")


def bad_symbol() -> ApiError:
    return ApiError(-1121, "Invalid symbol.")


def more_than_24_hours() -> ApiError:
    return ApiError(-1127, "More than 24 hours between startTime and endTime.")


def bad_combination() -> ApiError:
    return ApiError(-1128, "Combination of optional parameters invalid.")


def no_such_order() -> ApiError:
    return ApiError(-2013, "Order does not exist.")


def bad_key_format() -> ApiError:
    return ApiError(-2014, "API-key format invalid.", status=401)


def key_refused() -> ApiError:
    return ApiError(-2015, "Invalid API-key, IP, or permissions for action.", status=401)


def archived_order() -> ApiError:
    return ApiError(
        -2026,
        "Order was canceled or expired with no executed qty over 90 days ago and has been archived.",
    )


def more_than_90_days() -> ApiError:
    return ApiError(-4047, "Time interval must be within 0-90 days")


def window_too_long() -> ApiError:
    return ApiError(-4047, "The time interval is too long")


def more_than_7_days() -> ApiError:
    return ApiError(-4165, "Maximum time interval is 7 days.")


def beyond_search_window() -> ApiError:
    return ApiError(-4166, "Search window is restricted to recent 6 months only.")
