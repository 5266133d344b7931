"""How demand goes on by itself: tried on its own past, in a process of its own."""
