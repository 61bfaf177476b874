"""A key as a user hands it in, with a canary in all that must not come out again."""

from typing import Any

from tests.clients import client_of

CANARY = "CanarySecret9876543210"
NEW = {
    "exchange": "binance",
    "apiKey": f"key{CANARY}1234",
    "secretKey": f"secret{CANARY}",
    "passphrase": f"pass{CANARY}",
    "label": "Mine",
}
SAVE = "/api-credentials/save-credentials"


def save(user: Any, **changes: Any) -> dict[str, Any]:
    response = client_of(user).post(SAVE, {**NEW, **changes})
    assert response.status_code == 201, response.content
    answer: dict[str, Any] = response.json()
    return answer
