"""Gate.io's error bodies: HTTP status, label and message as its API answers them."""

import json
from collections.abc import Mapping


class ApiError(Exception):
    """An answer with `{"label": …, "message": …}`."""

    def __init__(
        self, label: str, message: str, *, status: int = 400, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.label = label
        self.message = message
        self.status = status
        self.headers = dict(headers or {})

    def body(self) -> bytes:
        return json.dumps({"label": self.label, "message": self.message}, separators=(",", ":")).encode()


def internal() -> ApiError:
    return ApiError("INTERNAL", "Internal server error", status=500)


def too_many_requests(headers: Mapping[str, str]) -> ApiError:
    return ApiError("TOO_MANY_REQUESTS", "Request Rate limit Exceeded", status=429, headers=headers)


def missing_header(name: str) -> ApiError:
    return ApiError("MISSING_REQUIRED_HEADER", f"Missing required header: {name}")


def expired(server_s: int, told: str) -> ApiError:
    return ApiError(
        "REQUEST_EXPIRED",
        "gap between request Timestamp and server time exceeds 60, "
        f"current_time:{server_s}, header.timestamp:{told}",
        status=403,
    )


def invalid_key() -> ApiError:
    return ApiError("INVALID_KEY", "Invalid key provided", status=401)


def invalid_signature() -> ApiError:
    return ApiError("INVALID_SIGNATURE", "Signature mismatch", status=401)


def no_permission(name: str) -> ApiError:
    return ApiError("FORBIDDEN", f"Request API key does not have {name} permission", status=403)


def read_only() -> ApiError:
    return ApiError("READ_ONLY", "API key is read-only", status=403)


def missing_parameter(name: str) -> ApiError:
    return ApiError("MISSING_REQUIRED_PARAM", f"Missing required parameter: {name}")


def invalid_value(name: str, value: str) -> ApiError:
    return ApiError("INVALID_PARAM_VALUE", f"Invalid request parameter `{name}` value: {value}")


def invalid_range(words: str) -> ApiError:
    return ApiError("INVALID_PARAM_VALUE", words)


def invalid_pair(name: str) -> ApiError:
    return ApiError("INVALID_CURRENCY_PAIR", f"Invalid currency pair {name}")


def order_not_found() -> ApiError:
    return ApiError("ORDER_NOT_FOUND", "Order not found", status=404)


def contract_not_found(name: str) -> ApiError:
    return ApiError("CONTRACT_NOT_FOUND", f"contract {name} not found", status=404)


def no_futures_account() -> ApiError:
    return ApiError("USER_NOT_FOUND", "please transfer funds first to create futures account")


def trigger_not_found() -> ApiError:
    return ApiError("AUTO_ORDER_NOT_FOUND", "Auto order not found")
