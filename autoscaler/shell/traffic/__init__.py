"""What stands before the members: load balancers, and clients on their way."""
