"""What survives a restart: SQLite, the journal of actions, images by digest."""
