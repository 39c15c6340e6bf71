"""Everything that is decided: pure values and functions, no I/O, no clock."""
