"""The rules of lifecycle: standard library only, no clock, no ids, no input or output."""
