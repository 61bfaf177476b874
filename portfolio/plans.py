"""What a transaction's statements should be planned for.

Rows written a moment ago have no statistics: the planner takes a whole history for a handful and loops over it for
minutes, or a handful in a temporary table for thousands and reads a whole history to join them.
"""

from django.db.backends.utils import CursorWrapper


def expect(cursor: CursorWrapper, *, many: bool) -> None:
    """Until the transaction ends: join `many` rows by hashing, few by looking each up in an index."""
    cursor.execute(
        "SELECT set_config('enable_nestloop', %(loop)s, true), set_config('enable_hashjoin', %(hash)s, true),"
        " set_config('enable_mergejoin', %(hash)s, true)",
        {"loop": "off" if many else "on", "hash": "on" if many else "off"},
    )
