"""Bitget's error bodies: a code of its own beside an HTTP status that is mostly 400."""

import json


class ApiError(Exception):
    """An answer with `{"code": …, "msg": …, "requestTime": …, "data": null}`."""

    def __init__(self, code: str, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status

    def body(self, server_ms: int) -> bytes:
        told = {"code": self.code, "msg": self.message, "requestTime": server_ms, "data": None}
        return json.dumps(told, separators=(",", ":")).encode()


def internal() -> ApiError:
    return ApiError("40015", "System is abnormal, please try again later", status=500)


def too_many_requests() -> ApiError:
    return ApiError("429", "Too Many Requests", status=429)


def empty_header(name: str) -> ApiError:
    codes = {"ACCESS_KEY": "40001", "ACCESS_SIGN": "40002", "ACCESS_TIMESTAMP": "40004"}
    return ApiError(codes.get(name, "40011"), f"{name} cannot be empty")


def invalid_timestamp() -> ApiError:
    return ApiError("40005", "Invalid ACCESS_TIMESTAMP")


def expired() -> ApiError:
    return ApiError("40008", "Request timestamp expired")


def invalid_key() -> ApiError:
    return ApiError("40006", "Invalid ACCESS_KEY")


def invalid_signature() -> ApiError:
    return ApiError("40009", "sign signature error")


def invalid_passphrase() -> ApiError:
    return ApiError("40012", "apikey/password is incorrect")


def no_permission() -> ApiError:
    return ApiError("40014", "Incorrect permissions, need permissions of the endpoint")


def classic_account() -> ApiError:
    return ApiError("40084", "You are in Classic Account mode, and the Unified Account API is not supported")


def unified_account() -> ApiError:
    return ApiError(
        "40085", "You are in Unified Account mode, and the Classic Account API is not supported at this time"
    )


def missing_parameter(name: str) -> ApiError:
    return ApiError("40019", f"Parameter {name} cannot be empty")


def invalid_value(name: str) -> ApiError:
    return ApiError("40020", f"Parameter {name} error")


def invalid_range(words: str) -> ApiError:
    return ApiError("40017", f"Parameter verification failed {words}")


def invalid_symbol(name: str) -> ApiError:
    return ApiError("40034", f"Parameter {name} does not exist")


def order_not_found() -> ApiError:
    return ApiError("43001", "The order does not exist")


def not_found() -> ApiError:
    return ApiError("40404", "Request URL NOT FOUND", status=404)
