"""The room's HTTP interface."""
