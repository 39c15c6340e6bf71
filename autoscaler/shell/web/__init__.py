"""What the daemon tells over HTTP: metrics, health, status; reading alone."""
