"""What operators and their service manager ask, and are told."""
