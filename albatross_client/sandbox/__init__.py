"""A stand-in Albatross host: the same protocol, for trying things and tests."""
