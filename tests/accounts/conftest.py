from tests.hashing import hashed
from tests.mailbox import mailbox

__all__ = ["hashed", "mailbox"]
