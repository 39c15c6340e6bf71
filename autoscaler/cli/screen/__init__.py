"""What `autoscaler top` shows, and what keys do there."""
