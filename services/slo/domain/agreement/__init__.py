"""The agreement of an SLO's revisions: proposed by one, agreed by development, SRE and product."""
