"""What `autoscaler init` asks, looks at and writes."""
