"""TOML to frozen values; every problem told at once."""
