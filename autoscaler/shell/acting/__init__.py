"""Actions, carried out in turn, each step on disk before the next effect."""
