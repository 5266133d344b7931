"""The rules of one alert."""
