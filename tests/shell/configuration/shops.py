"""Tables of managed groups."""

SHOP = """
[[groups]]
host = "west"
name = "user:shop"
image = "shop.hvt"
max_members = 6
"""
