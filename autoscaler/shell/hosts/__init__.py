"""What is heard from hosts: streams, answers, keys that may change."""
