"""A realistic organisation with two years of history: teams, services in every phase, engagements, incidents.

The history is made of a seed by the rules of the services themselves (their deciders), event by event, and written with
the times at which it would have been recorded. The same seed and last day give the same events.
"""
