"""AWS's protocols: how requests, answers and errors are written. Nothing here knows what an operation does."""
