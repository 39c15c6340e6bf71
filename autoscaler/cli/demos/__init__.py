"""The demos: what is put on, what is shown of it, and what came of it."""
