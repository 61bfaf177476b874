"""What must always hold in the database, as queries that find no row. See docs/operations.md, `verify_invariants`."""
