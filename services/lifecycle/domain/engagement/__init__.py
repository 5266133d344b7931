"""An engagement of one SRE team with one development team, over one or more services, from request to end."""
