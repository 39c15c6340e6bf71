"""Pages for people: the fleet and its groups, made here, live in browsers."""
