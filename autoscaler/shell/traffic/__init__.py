"""Load balancers: what they tell, and what they are told."""
