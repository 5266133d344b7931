"""Event sourcing: the store, the bus, projections and reactions.

This package knows no service. Start reading at `store.py` (what is kept), `bus.py` (what travels) and
`projection.py` (what is read).
"""
