"""Groups and their balancers, kept alike; connections that wait for members."""
