"""Everything that has an effect: streams, commands, state, log, settings."""
