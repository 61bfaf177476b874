"""The accounting engine: facts in, positions, trades, allocations and daily marks out. Pure: no Django, no I/O."""
