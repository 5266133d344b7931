"""What is known of the architecture of a service: the findings that stay until somebody has dealt with them."""
