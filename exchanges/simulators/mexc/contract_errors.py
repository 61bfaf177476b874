"""Refusals about contracts: a code and a message in the usual envelope, mostly with HTTP status 200."""

from exchanges.simulators.binance_like import ApiError, encode


class ContractError(ApiError):
    """An answer with `{"success": false, "code": …, "message": …}`."""

    def __init__(self, code: int, message: str, *, status: int = 200) -> None:
        super().__init__(code, message, status=status)

    def body(self) -> bytes:
        return encode({"success": False, "code": self.code, "message": self.message})


def unknown_key() -> ContractError:
    return ContractError(402, "API Key expired, please apply again", status=401)


def bad_signature() -> ContractError:
    return ContractError(602, "Signature verification failed!")


def outside_window() -> ContractError:
    return ContractError(513, "Invalid request (for open api serves time more or less than 10s)")


def too_many_requests() -> ContractError:
    return ContractError(510, "Requests are too frequent, please try again later")


def bad_parameter(name: str) -> ContractError:
    return ContractError(600, f"Parameter error: {name}")


def no_read_right() -> ContractError:
    return ContractError(701, "Please enable API Key read access")


def no_write_right() -> ContractError:
    return ContractError(702, "Please enable API Key write access")


def no_account() -> ContractError:
    return ContractError(1000, "Account does not exist")


def no_contract() -> ContractError:
    return ContractError(1001, "Contract does not exist")


def no_order() -> ContractError:
    return ContractError(2040, "Order does not exist")
