"""HTTP and AWS's protocols: from the socket to a call of a service, and from its answer back."""
