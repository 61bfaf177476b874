"""The accounting engine: facts in, derived rows out. Pure: no Django, no I/O."""
