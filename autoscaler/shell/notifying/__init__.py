"""Events told to people and programs elsewhere, by webhooks and executables."""
