"""An OpenSLO object that SLOs refer to: an SLI, a Service, a DataSource, or what alerts are made of."""
