"""The configurations that are shown to operators."""

from pathlib import Path

CONFIG = Path(__file__).parents[3] / "config"
EXAMPLE = CONFIG / "example.toml"
ALL = ["example.toml", "production.toml", "sandbox.toml", "traffic.toml"]
