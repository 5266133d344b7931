"""How much users will ask of one service, how much it can serve, and by when more must be ordered."""
