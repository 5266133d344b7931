"""What is done about people and schedules when its time has come: told to others, closed, looked at again."""
