"""What is done about capacity without being asked: forecasts are made, demand is fetched; sinks of the worker."""
